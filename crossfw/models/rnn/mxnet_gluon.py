"""With MXNet's library layers: rnn.RNN over the sequence, rnn.RNNCell for single steps, nn.Dense on top."""

from __future__ import annotations

from mxnet import gluon, nd
from mxnet.gluon import nn, rnn

from crossfw.backends.mxnet_device import context
from crossfw.models.rnn.spec import Spec

LAYER_ACTIVATIONS = ("tanh", "relu")


def why_no_layer(activation: str, dtype: str) -> str | None:
    """Why gluon.rnn.RNN cannot carry an activation in a dtype; None if it can."""
    if activation not in LAYER_ACTIVATIONS:
        return f"gluon.rnn.RNN has no {activation}"
    if (activation, dtype) == ("relu", "float64"):
        return "gluon.rnn.RNN rounds relu's results to float32, in float64 too"
    return None


def identity(a: nd.NDArray, name: str | None = None) -> nd.NDArray:
    """An activation as gluon.rnn.RNNCell calls it."""
    return a


def make_cell(spec: Spec, **options: object) -> rnn.RNNCell:
    """gluon.rnn.RNNCell, which takes the name of an activation or, for the identity, a function."""
    activation = spec.activation if spec.activation != "identity" else identity
    return rnn.RNNCell(spec.hidden_size, activation=activation, input_size=spec.input_size, **options)


class Model:
    """The model of `spec.py` in library layers, all parameters zero until they are loaded."""

    def __init__(self, spec: Spec, dtype: str, device: str):
        self.spec, self.dtype = spec, dtype
        V, H, Q = spec.input_size, spec.hidden_size, spec.output_size
        reason = why_no_layer(spec.activation, dtype)
        if reason is None:
            self.layer = rnn.RNN(H, activation=spec.activation, input_size=V, dtype=dtype)
            shared = gluon.ParameterDict(f"{self.layer.prefix}l0_")
            shared.update(self.layer.params)
            self.cell = make_cell(spec, params=shared)
            self.notes: tuple[str, ...] = ()
            recurrent, prefix = self.layer, "_unfused.0."  # as in a file of save_parameters
        else:
            self.layer = None
            self.cell = make_cell(spec)
            self.notes = (f"{reason}: unrolls gluon.rnn.RNNCell",)
            recurrent, prefix = self.cell, ""
        self.dense = nn.Dense(Q, in_units=H, flatten=False)
        self.net = nn.Sequential()
        self.net.add(recurrent, self.dense)
        self.net.cast(dtype)
        self.net.initialize("zeros", ctx=context(device))
        if spec.biases == 1:
            self.cell.h2h_bias.grad_req = "null"
        self.native_names = {
            "W_xh": f"0.{prefix}i2h_weight",
            "W_hh": f"0.{prefix}h2h_weight",
            "b_h" if spec.biases == 1 else "b_xh": f"0.{prefix}i2h_bias",
            **({} if spec.biases == 1 else {"b_hh": f"0.{prefix}h2h_bias"}),
            "W_hq": "1.weight",
            "b_q": "1.bias",
        }
        native = self.native_parameters()
        self.parameters = {name: native[native_name] for name, native_name in self.native_names.items()}

    def native_parameters(self) -> dict[str, nd.NDArray]:
        """Every array that learns, by the name that `save_parameters` gives it."""
        named = self.net._collect_params_with_prefix()
        return {name: p.data() for name, p in named.items() if p.grad_req != "null"}

    def initial_state(self, batch_size: int) -> nd.NDArray:
        """Zeros (N, H)."""
        W_hh = self.parameters["W_hh"]
        return nd.zeros(self.spec.state_shape(batch_size), dtype=W_hh.dtype, ctx=W_hh.context)

    def encode(self, inputs: nd.NDArray) -> nd.NDArray:
        """What the layer takes: one-hot vectors (..., V) for tokens, features as they are."""
        if self.spec.inputs == "tokens":
            return nd.one_hot(inputs, self.spec.input_size, dtype=self.dtype)
        return inputs

    def forward(self, inputs: nd.NDArray, state: nd.NDArray) -> tuple[dict[str, nd.NDArray], nd.NDArray]:
        """The whole sequence: activations hidden (T, N, H) and output (T, N, Q), and the last state (N, H)."""
        encoded = self.encode(inputs)
        if self.layer is not None:
            hidden, last = self.layer(encoded, [state.expand_dims(0)])  # (T, N, H), [(1, N, H)]
            state = last[0][0]
        else:
            hidden, last = self.cell.unroll(len(inputs), encoded, [state], layout="TNC", merge_outputs=True)
            state = last[0]
        return {"hidden": hidden, "output": self.dense(hidden)}, state

    def step(self, inputs: nd.NDArray, state: nd.NDArray) -> tuple[nd.NDArray, nd.NDArray]:
        """One step: output (N, Q) and state (N, H) from tokens (N,) or features (N, D)."""
        _, [state] = self.cell(self.encode(inputs), [state])
        return self.dense(state), state

    def loss(self, output: nd.NDArray, targets: nd.NDArray) -> nd.NDArray:
        """Mean negative log-likelihood of targets (T, N) under output (T, N, Q), in nats."""
        cross_entropy = gluon.loss.SoftmaxCrossEntropyLoss()
        return cross_entropy(output.reshape((-1, self.spec.output_size)), targets.reshape(-1)).mean()

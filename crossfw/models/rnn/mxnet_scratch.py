"""From scratch in MXNet: arrays, elementary operations and autograd only."""

from __future__ import annotations

from mxnet import nd

from crossfw.backends.mxnet_device import context
from crossfw.models.rnn.spec import Spec

ACTIVATIONS = {
    "tanh": nd.tanh,
    "relu": nd.relu,
    "sigmoid": nd.sigmoid,
    "identity": lambda a: a,
}


def unstack(array: nd.NDArray) -> list[nd.NDArray]:
    """The slices along the first axis by one `split`: the backward of indexing fills a whole zero array per step."""
    slices = nd.split(array, num_outputs=len(array), axis=0, squeeze_axis=True)
    return slices if isinstance(slices, list) else [slices]


class Model:
    """The model of `spec.py` with its parameters as arrays, all zero until they are loaded."""

    notes: tuple[str, ...] = ()

    def __init__(self, spec: Spec, dtype: str, device: str):
        self.spec = spec
        self.parameters = {
            name: nd.zeros(shape, dtype=dtype, ctx=context(device)) for name, shape in spec.shapes().items()
        }
        for parameter in self.parameters.values():
            parameter.attach_grad()
        self.native_names = {name: name for name in self.parameters}
        self.activation = ACTIVATIONS[spec.activation]

    def native_parameters(self) -> dict[str, nd.NDArray]:
        """Every array that learns, by the name it has here."""
        return self.parameters

    def initial_state(self, batch_size: int) -> nd.NDArray:
        """Zeros (N, H)."""
        W_hh = self.parameters["W_hh"]
        return nd.zeros(self.spec.state_shape(batch_size), dtype=W_hh.dtype, ctx=W_hh.context)

    def project(self, inputs: nd.NDArray) -> nd.NDArray:
        """W_xh x_t plus all recurrent biases, for tokens (T, N) or features (T, N, D): (T, N, H)."""
        p, H = self.parameters, self.spec.hidden_size
        bias = p["b_h"] if self.spec.biases == 1 else p["b_xh"] + p["b_hh"]
        if self.spec.inputs == "tokens":
            return nd.broadcast_add(nd.take(p["W_xh"].T, inputs), bias.reshape((1, 1, H)))
        return nd.FullyConnected(inputs, p["W_xh"], bias, num_hidden=H, flatten=False)

    def cell(self, projected: nd.NDArray, state: nd.NDArray) -> nd.NDArray:
        """h_t (N, H) from the projected input (N, H) and h_{t-1} (N, H)."""
        W_hh = self.parameters["W_hh"]
        return self.activation(projected + nd.FullyConnected(state, W_hh, no_bias=True, num_hidden=W_hh.shape[0]))

    def readout(self, hidden: nd.NDArray) -> nd.NDArray:
        """y (..., Q) from h (..., H)."""
        W_hq, b_q = self.parameters["W_hq"], self.parameters["b_q"]
        return nd.FullyConnected(hidden, W_hq, b_q, num_hidden=W_hq.shape[0], flatten=False)

    def forward(self, inputs: nd.NDArray, state: nd.NDArray) -> tuple[dict[str, nd.NDArray], nd.NDArray]:
        """The whole sequence: activations hidden (T, N, H) and output (T, N, Q), and the last state (N, H)."""
        hidden = []
        for projected in unstack(self.project(inputs)):
            state = self.cell(projected, state)
            hidden.append(state)
        hidden = nd.stack(*hidden)  # (T, N, H)
        return {"hidden": hidden, "output": self.readout(hidden)}, state

    def step(self, inputs: nd.NDArray, state: nd.NDArray) -> tuple[nd.NDArray, nd.NDArray]:
        """One step: output (N, Q) and state (N, H) from tokens (N,) or features (N, D)."""
        state = self.cell(self.project(inputs.expand_dims(0))[0], state)
        return self.readout(state), state

    def loss(self, output: nd.NDArray, targets: nd.NDArray) -> nd.NDArray:
        """Mean negative log-likelihood of targets (T, N) under output (T, N, Q), in nats."""
        return -nd.pick(nd.log_softmax(output, axis=-1), targets, axis=-1).mean()

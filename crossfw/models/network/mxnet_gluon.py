"""With MXNet's library layers: nn.Embedding, rnn.RNN and its kin, nn.Dense, SoftmaxCrossEntropyLoss."""

from __future__ import annotations

from importlib import import_module

from mxnet import gluon, nd
from mxnet.gluon import nn

from crossfw.models.heads import HEADS
from crossfw.models.losses import mxnet_gluon as losses
from crossfw.models.mxnet_device import context
from crossfw.models.network.spec import Spec
from crossfw.models.stack.mxnet_gluon import Stack, with_gradient


class Net(gluon.Block):
    """The layers of the model."""

    def __init__(self, spec: Spec, dtype: str):
        super().__init__()
        self.embedding = nn.Embedding(spec.input_size, spec.embedding_size) if spec.embedding_size else None
        self.stack = Stack(spec.stack, dtype)
        self.head = import_module(f"crossfw.models.heads.{HEADS[spec.head]}.mxnet_gluon").Head(spec)

    def parameter_names(self) -> dict[str, gluon.Parameter]:
        """The parameters that learn, by canonical name."""
        embedding = {"W_e": self.embedding.weight} if self.embedding else {}
        return {**embedding, **self.stack.parameter_names(), **self.head.parameter_names()}


class Model:
    """The model of `spec.py` in library layers, all parameters zero until they are loaded."""

    def __init__(self, spec: Spec, dtype: str, device: str):
        self.spec, self.options = spec, {"dtype": dtype, "ctx": context(device)}
        self.net = Net(spec, dtype)
        self.net.cast(dtype)
        self.net.initialize("zeros", ctx=context(device))
        canonical = self.net.parameter_names()
        self.parameters = {name: parameter.data() for name, parameter in canonical.items()}
        named = {id(parameter): name for name, parameter in self.net._collect_params_with_prefix().items()}
        self.native_names = {name: named[id(parameter)] for name, parameter in canonical.items()}

    @property
    def notes(self) -> tuple[str, ...]:
        """What the library could not carry."""
        return self.net.stack.notes

    @property
    def steps_cells(self) -> bool:
        """Whether cells are stepped one by one instead of whole layers; `notes` says why."""
        return self.net.stack.steps_cells

    def native_parameters(self) -> dict[str, nd.NDArray]:
        """Every array that learns, by the name that `save_parameters` gives it."""
        named = self.net._collect_params_with_prefix()
        return {name: p.data() for name, p in named.items() if p.grad_req != "null"}

    def initial_state(self, batch_size: int) -> dict[str, nd.NDArray]:
        """Zeros, each (N, H)."""
        return {name: nd.zeros(shape, **self.options) for name, shape in self.spec.state_shapes(batch_size).items()}

    def embed(self, inputs: nd.NDArray) -> nd.NDArray:
        """Rows of the embedding (T, N, E), where there is one."""
        if self.net.embedding:
            return self.net.embedding(inputs)
        return inputs if self.spec.inputs == "tokens" else with_gradient(inputs)

    def _run(self, batch: dict, state: dict, by_cells: bool) -> tuple[dict, dict]:
        inputs = self.embed(batch["inputs"])
        hidden, last = self.net.stack.run(inputs, state, batch, self.spec.state_mask(batch), by_cells)
        return {"hidden": hidden, "output": self.net.head(hidden, last, batch.get("mask"))}, last

    def forward(self, batch: dict, state: dict) -> tuple[dict[str, nd.NDArray], dict[str, nd.NDArray]]:
        """Activations hidden (T, N, width) and output, and the last state, for a batch of named arrays."""
        return self._run(batch, state, by_cells=False)

    def step(self, inputs: nd.NDArray, state: dict) -> tuple[nd.NDArray, dict]:
        """One step of the library's cells: output (N, Q) and state from tokens (N,) or features (N, D)."""
        activations, state = self._run({"inputs": inputs.expand_dims(0)}, state, by_cells=True)
        return activations["output"][0], state

    def loss(self, output: nd.NDArray, batch: dict) -> nd.NDArray:
        """The loss of an output under a batch's targets, a scalar in nats."""
        return losses.cross_entropy(output, batch["targets"], self.spec.loss_mask(batch), self.spec.reduction)

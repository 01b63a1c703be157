"""From scratch in MXNet: arrays, elementary operations and autograd only."""

from __future__ import annotations

from importlib import import_module

from mxnet import nd

from crossfw.models.heads import HEADS
from crossfw.models.losses import mxnet_scratch as losses
from crossfw.models.mxnet_device import context
from crossfw.models.network.spec import Spec
from crossfw.models.stack import mxnet_scratch as stack


class Model:
    """The model of `spec.py` with its parameters as arrays, all zero until they are loaded."""

    notes: tuple[str, ...] = ()
    run = staticmethod(stack.run)

    def __init__(self, spec: Spec, dtype: str, device: str):
        self.spec, self.options = spec, {"dtype": dtype, "ctx": context(device)}
        self.parameters = {name: nd.zeros(shape, **self.options) for name, shape in spec.shapes().items()}
        for parameter in self.parameters.values():
            parameter.attach_grad()
        self.native_names = {name: name for name in self.parameters}
        self.head = import_module(f"crossfw.models.heads.{HEADS[spec.head]}.mxnet_scratch")

    def native_parameters(self) -> dict[str, nd.NDArray]:
        """Every array that learns, by the name it has here."""
        return self.parameters

    def initial_state(self, batch_size: int) -> dict[str, nd.NDArray]:
        """Zeros, each (N, H)."""
        return {name: nd.zeros(shape, **self.options) for name, shape in self.spec.state_shapes(batch_size).items()}

    def embed(self, inputs: nd.NDArray) -> nd.NDArray:
        """Rows of the embedding (T, N, E), where there is one."""
        return nd.take(self.parameters["W_e"], inputs) if self.spec.embedding_size else inputs

    def forward(self, batch: dict, state: dict) -> tuple[dict[str, nd.NDArray], dict[str, nd.NDArray]]:
        """Activations hidden (T, N, width) and output, and the last state, for a batch of named arrays."""
        spec, p = self.spec, self.parameters
        inputs = self.embed(batch["inputs"])
        hidden, last = self.run(spec.stack, p, inputs, state, batch, spec.state_mask(batch))
        return {"hidden": hidden, "output": self.head.apply(spec, p, hidden, last, batch.get("mask"))}, last

    def step(self, inputs: nd.NDArray, state: dict) -> tuple[nd.NDArray, dict]:
        """One step: output (N, Q) and state from tokens (N,) or features (N, D)."""
        activations, state = self.forward({"inputs": inputs.expand_dims(0)}, state)
        return activations["output"][0], state

    def loss(self, output: nd.NDArray, batch: dict) -> nd.NDArray:
        """The loss of an output under a batch's targets, a scalar in nats."""
        return losses.cross_entropy(output, batch["targets"], self.spec.loss_mask(batch), self.spec.reduction)

"""What the harness asks of MXNet."""

from __future__ import annotations

from typing import Any

import mxnet
import numpy as np
from mxnet import autograd, nd

from crossfw.frameworks.memory import ResidentMemory, resident_memory
from crossfw.frameworks.threads import requested_threads
from crossfw.models.mxnet_device import card, context


class Backend:
    """A model, its optimizer and the framework's own services, all in native arrays."""

    library = mxnet

    def __init__(self, model, device: str, dtype: str):
        self.model, self.device, self.dtype = model, device, dtype
        self.optimizer, self.clip_global_norm = None, None

    def native(self, array: np.ndarray) -> nd.NDArray:
        """An array on the device, with the values and the dtype (int64 becomes int32, MXNet's index type)."""
        array = array.astype(self.dtype) if array.dtype.kind == "f" else array
        found = nd.empty(array.shape, context(self.device), "int32" if array.dtype == np.int64 else array.dtype)
        found._sync_copyfrom(array)  # what nd.array comes to, in a third of its time
        return found

    def numpy(self, array: nd.NDArray) -> np.ndarray:
        """A copy in NumPy, of the same dtype."""
        return array.asnumpy()

    def assign(self, parameters: dict[str, nd.NDArray]) -> None:
        """Copy values into the model's parameters of the same names and shapes."""
        for name, value in parameters.items():
            value.copyto(self.model.parameters[name])  # `[:] =` takes 6 times as long

    def forward(self, batch: dict, state: dict) -> tuple[dict[str, nd.NDArray], dict[str, nd.NDArray]]:
        """Activations and last state, without a graph."""
        return self.model.forward(batch, state)

    def single_step(self, inputs: nd.NDArray, state: dict) -> tuple[nd.NDArray, dict]:
        """One step by the cell, without a graph."""
        return self.model.step(inputs, state)

    def encode(self, batch: dict, state: dict) -> tuple[nd.NDArray, dict]:
        """What an encoder makes of a source, and its last state, without a graph."""
        return self.model.encode(batch, state)

    def decode(self, batch: dict, state: dict, context: nd.NDArray) -> tuple[nd.NDArray, dict]:
        """Outputs and last state of a decoder, without a graph."""
        return self.model.decode(batch, state, context)[1:]

    def loss(self, output: nd.NDArray, batch: dict) -> nd.NDArray:
        """Loss of given outputs."""
        return self.model.loss(output, batch)

    def backward(self, batch: dict, state: dict) -> tuple[nd.NDArray, dict]:
        """Loss and last state; leaves the gradients with the parameters.

        A model may bring a `back_propagate(loss)` of its own.
        """
        with autograd.record():
            activations, state = self.model.forward(batch, state)
            loss = self.model.loss(activations["output"], batch)
        getattr(self.model, "back_propagate", nd.NDArray.backward)(loss)
        return loss.detach(), {name: value.detach() for name, value in state.items()}

    def backward_with_state(self, batch: dict, state: dict) -> tuple[nd.NDArray, dict]:
        """As `backward`; the second value holds the gradients of the initial state."""
        state = {name: value.copy() for name, value in state.items()}
        for value in state.values():
            value.attach_grad()
        loss, _ = self.backward(batch, state)
        return loss, {name: value.grad for name, value in state.items()}

    def gradients(self) -> dict[str, nd.NDArray]:
        """The gradients that `backward` left, by parameter, to be read or changed in place."""
        return {name: parameter.grad for name, parameter in self.model.parameters.items()}

    def set_gradients(self, gradients: dict[str, nd.NDArray]) -> None:
        """Put given gradients where `backward` would have left its own."""
        for name, gradient in gradients.items():
            gradient.copyto(self.model.parameters[name].grad)
            self.model.parameters[name]._fresh_grad = True  # else gluon.Trainer takes it for one of an earlier step

    def step(self, batch: dict, state: dict) -> tuple[nd.NDArray, dict]:
        """One training step: forward, loss, backward, clipping, update. Loss and last state."""
        loss, state = self.backward(batch, state)
        if self.optimizer.spec.clip is not None:
            self.clip_global_norm(list(self.gradients().values()), self.optimizer.spec.clip)
        self.optimizer.step()
        return loss, state

    def sync(self) -> None:
        """Wait until all that was asked for is computed."""
        nd.waitall()

    def product(self, a: nd.NDArray, b: nd.NDArray) -> nd.NDArray:
        """a b^T, for the machine's limit; on oneDNN, which is faster here than `dot`."""
        a, b = a.as_nd_ndarray(), b.as_nd_ndarray()  # a model may hold arrays of `mx.np`
        return nd.FullyConnected(a, b, no_bias=True, num_hidden=b.shape[0])

    def copy(self, source: nd.NDArray, target: nd.NDArray) -> None:
        """Overwrite one array with another, for the machine's limit."""
        source.copyto(target)

    def card(self) -> dict[str, Any]:
        """Facts about the card, if it runs on one."""
        return card(self.device)

    def memory(self) -> ResidentMemory | None:
        """Who tells how much memory of its device is in use, if anybody does: of a card MXNet tells no peak."""
        return resident_memory() if self.device == "cpu" else None

    @classmethod
    def threads(cls) -> int:
        """Threads that were asked for: MXNet does not tell what it uses; the pools of its libraries do."""
        return requested_threads()

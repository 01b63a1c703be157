"""What the harness asks of MXNet."""

from __future__ import annotations

import os

import mxnet
import numpy as np
from mxnet import autograd, nd

from crossfw.backends.mxnet_device import context


class Backend:
    """A model, its optimizer and the framework's own services, all in native arrays."""

    library = mxnet

    def __init__(self, model, device: str):
        self.model, self.device, self.optimizer, self.clip_global_norm = model, device, None, None

    def native(self, array: np.ndarray) -> nd.NDArray:
        """An array on the device, with the values and the dtype (int64 becomes int32, MXNet's index type)."""
        dtype = "int32" if array.dtype == np.int64 else array.dtype
        return nd.array(array, dtype=dtype, ctx=context(self.device))

    def numpy(self, array: nd.NDArray) -> np.ndarray:
        """A copy in NumPy, of the same dtype."""
        return array.asnumpy()

    def detach(self, array: nd.NDArray) -> nd.NDArray:
        """The same values outside the graph."""
        return array.detach()

    def assign(self, parameters: dict[str, nd.NDArray]) -> None:
        """Copy values into the model's parameters of the same names and shapes."""
        for name, value in parameters.items():
            self.model.parameters[name][:] = value

    def forward(self, inputs: nd.NDArray, state: nd.NDArray) -> tuple[dict[str, nd.NDArray], nd.NDArray]:
        """Activations and last state, without a graph."""
        return self.model.forward(inputs, state)

    def single_step(self, inputs: nd.NDArray, state: nd.NDArray) -> tuple[nd.NDArray, nd.NDArray]:
        """One step by the cell, without a graph."""
        return self.model.step(inputs, state)

    def loss(self, output: nd.NDArray, targets: nd.NDArray) -> nd.NDArray:
        """Loss of given outputs."""
        return self.model.loss(output, targets)

    def backward(self, inputs: nd.NDArray, targets: nd.NDArray, state: nd.NDArray) -> tuple[nd.NDArray, nd.NDArray]:
        """Loss and last state; leaves the gradients with the parameters."""
        with autograd.record():
            activations, state = self.model.forward(inputs, state)
            loss = self.model.loss(activations["output"], targets)
        loss.backward()
        return loss.detach(), state.detach()

    def backward_with_state(
        self, inputs: nd.NDArray, targets: nd.NDArray, state: nd.NDArray
    ) -> tuple[nd.NDArray, nd.NDArray]:
        """As `backward`; the second value is the gradient of the initial state."""
        state = state.copy()
        state.attach_grad()
        loss, _ = self.backward(inputs, targets, state)
        return loss, state.grad

    def gradients(self) -> dict[str, nd.NDArray]:
        """The gradients that `backward` left, by parameter, to be read or changed in place."""
        return {name: parameter.grad for name, parameter in self.model.parameters.items()}

    def set_gradients(self, gradients: dict[str, nd.NDArray]) -> None:
        """Put given gradients where `backward` would have left its own."""
        for name, gradient in gradients.items():
            self.model.parameters[name].grad[:] = gradient
            self.model.parameters[name]._fresh_grad = True  # else gluon.Trainer takes it for one of an earlier step

    def step(self, inputs: nd.NDArray, targets: nd.NDArray, state: nd.NDArray) -> tuple[nd.NDArray, nd.NDArray]:
        """One training step: forward, loss, backward, clipping, update. Loss and last state."""
        loss, state = self.backward(inputs, targets, state)
        if self.optimizer.spec.clip is not None:
            self.clip_global_norm(list(self.gradients().values()), self.optimizer.spec.clip)
        self.optimizer.step()
        return loss, state

    def sync(self) -> None:
        """Wait until all that was asked for is computed."""
        nd.waitall()

    def matrix_product(self, size: int, dtype: str) -> nd.NDArray:
        """A large product, for the machine's limit."""
        a = nd.ones((size, size), dtype=dtype, ctx=context(self.device))
        return nd.FullyConnected(a, a, no_bias=True, num_hidden=size)

    @classmethod
    def threads(cls) -> int:
        """Threads that the framework says it uses."""
        return int(os.environ["OMP_NUM_THREADS"])

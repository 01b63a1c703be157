"""What the harness asks of PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from crossfw.frameworks import torch_device
from crossfw.frameworks.memory import ResidentMemory, resident_memory
from crossfw.frameworks.threads import requested_threads


class Backend:
    """A model, its optimizer and the framework's own services, all in native tensors."""

    library = torch

    def __init__(self, model, device: str, dtype: str):
        self.model, self.device, self.dtype = model, device, dtype
        self.optimizer, self.clip_global_norm = None, None
        torch.set_num_threads(requested_threads())

    def native(self, array: np.ndarray) -> torch.Tensor:
        """A tensor on the device, with the array's dtype and a copy of its values."""
        array = array.astype(self.dtype) if array.dtype.kind == "f" else array
        return torch.tensor(array, device=self.device)

    def numpy(self, tensor: torch.Tensor) -> np.ndarray:
        """A copy in NumPy, of the same dtype."""
        return tensor.detach().cpu().numpy().copy()

    def assign(self, parameters: dict[str, torch.Tensor]) -> None:
        """Copy values into the model's parameters of the same names and shapes."""
        with torch.no_grad():
            for name, value in parameters.items():
                self.model.parameters[name].copy_(value)

    @torch.no_grad()
    def forward(self, batch: dict, state: dict) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        """Activations and last state, without a graph."""
        return self.model.forward(batch, state)

    @torch.no_grad()
    def single_step(self, inputs: torch.Tensor, state: dict) -> tuple[torch.Tensor, dict]:
        """One step by the cell, without a graph."""
        return self.model.step(inputs, state)

    @torch.no_grad()
    def encode(self, batch: dict, state: dict) -> tuple[torch.Tensor, dict]:
        """What an encoder makes of a source, and its last state, without a graph."""
        return self.model.encode(batch, state)

    @torch.no_grad()
    def decode(self, batch: dict, state: dict, context: torch.Tensor) -> tuple[torch.Tensor, dict]:
        """Outputs and last state of a decoder, without a graph."""
        return self.model.decode(batch, state, context)[1:]

    @torch.no_grad()
    def loss(self, output: torch.Tensor, batch: dict) -> torch.Tensor:
        """Loss of given outputs."""
        return self.model.loss(output, batch)

    def backward(self, batch: dict, state: dict) -> tuple[torch.Tensor, dict]:
        """Loss and last state; leaves the gradients with the parameters."""
        for parameter in self.model.parameters.values():
            parameter.grad = None
        activations, state = self.model.forward(batch, state)
        loss = self.model.loss(activations["output"], batch)
        loss.backward()
        for parameter in self.model.parameters.values():
            if parameter.grad is None:  # the loss does not depend on it
                parameter.grad = torch.zeros_like(parameter)
        return loss.detach(), {name: value.detach() for name, value in state.items()}

    def backward_with_state(self, batch: dict, state: dict) -> tuple[torch.Tensor, dict]:
        """As `backward`; the second value holds the gradients of the initial state."""
        state = {name: value.clone().requires_grad_() for name, value in state.items()}
        loss, _ = self.backward(batch, state)
        return loss, {
            name: torch.zeros_like(value) if value.grad is None else value.grad for name, value in state.items()
        }

    def gradients(self) -> dict[str, torch.Tensor]:
        """The gradients that `backward` left, by parameter, to be read or changed in place."""
        return {name: parameter.grad for name, parameter in self.model.parameters.items()}

    def set_gradients(self, gradients: dict[str, torch.Tensor]) -> None:
        """Put given gradients where `backward` would have left its own."""
        for name, gradient in gradients.items():
            self.model.parameters[name].grad = gradient.clone()

    def step(self, batch: dict, state: dict) -> tuple[torch.Tensor, dict]:
        """One training step: forward, loss, backward, clipping, update. Loss and last state."""
        loss, state = self.backward(batch, state)
        if self.optimizer.spec.clip is not None:
            self.clip_global_norm(list(self.gradients().values()), self.optimizer.spec.clip)
        self.optimizer.step()
        return loss, state

    def sync(self) -> None:
        """Wait until all that was asked for is computed."""
        if self.device != "cpu":
            torch.cuda.synchronize(self.device)

    def product(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """a b^T, for the machine's limit."""
        return a @ b.T

    def copy(self, source: torch.Tensor, target: torch.Tensor) -> None:
        """Overwrite one array with another, for the machine's limit."""
        target.copy_(source)

    def card(self) -> dict[str, Any]:
        """Facts about the card, if it runs on one."""
        return torch_device.card(self.device)

    def memory(self) -> ResidentMemory | torch_device.CardMemory | None:
        """Who tells how much memory of its device is in use, if anybody does."""
        return resident_memory() if self.device == "cpu" else torch_device.CardMemory(self.device)

    @classmethod
    def threads(cls) -> int:
        """Threads that the framework says it uses."""
        return torch.get_num_threads()

"""What the harness asks of the NumPy reference."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np

from crossfw.frameworks.memory import ResidentMemory, resident_memory
from crossfw.frameworks.rounding import OtherRounding, sum_of_squares_by_lanes
from crossfw.frameworks.threads import requested_threads


class Backend:
    """A model, its optimizer and their arrays."""

    library = np

    def __init__(self, model, device: str, dtype: str):
        self.model, self.device, self.dtype = model, device, dtype
        self.optimizer, self.clip_global_norm = None, None
        self.rounding: OtherRounding | None = None
        self.model.gradients = {}

    def native(self, array: np.ndarray) -> np.ndarray:
        """A copy."""
        return array.astype(self.dtype if array.dtype.kind == "f" else array.dtype)

    def numpy(self, array: np.ndarray) -> np.ndarray:
        """A copy."""
        return np.array(array)

    def assign(self, parameters: dict[str, np.ndarray]) -> None:
        """Copy values into the model's parameters of the same names and shapes."""
        for name, value in parameters.items():
            self.model.parameters[name][...] = value

    def forward(self, batch: dict, state: dict) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Activations and last state."""
        return self.model.forward(batch, state)

    def single_step(self, inputs: np.ndarray, state: dict) -> tuple[np.ndarray, dict]:
        """One step by the cell."""
        return self.model.step(inputs, state)

    def encode(self, batch: dict, state: dict) -> tuple[np.ndarray, dict]:
        """What an encoder makes of a source, and its last state."""
        return self.model.encode(batch, state)

    def decode(self, batch: dict, state: dict, context: np.ndarray) -> tuple[np.ndarray, dict]:
        """Outputs and last state of a decoder."""
        return self.model.decode(batch, state, context)[1:]

    def loss(self, output: np.ndarray, batch: dict) -> np.ndarray:
        """Loss of given outputs."""
        return self.model.loss(output, batch)

    def backward(self, batch: dict, state: dict) -> tuple[np.ndarray, dict]:
        """Loss and last state; leaves the gradients with the model."""
        found = self.model.backward(batch, state)
        self.model.gradients = found.gradients
        return found.loss, found.last

    def backward_with_state(self, batch: dict, state: dict) -> tuple[np.ndarray, dict]:
        """As `backward`; the second value holds the gradients of the initial state."""
        found = self.model.backward(batch, state)
        self.model.gradients = found.gradients
        return found.loss, found.d_state

    def gradients(self) -> dict[str, np.ndarray]:
        """The gradients that `backward` left, by parameter, to be read or changed in place."""
        return self.model.gradients

    def set_gradients(self, gradients: dict[str, np.ndarray]) -> None:
        """Put given gradients where `backward` would have left its own."""
        self.model.gradients = {name: gradient.copy() for name, gradient in gradients.items()}

    def round_otherwise(self, seed: list[int]) -> None:
        """From now on every training step rounds as another implementation might."""
        self.rounding = OtherRounding(seed)
        self.clip_global_norm = partial(self.clip_global_norm, squared=sum_of_squares_by_lanes)

    def step(self, batch: dict, state: dict) -> tuple[np.ndarray, dict]:
        """One training step: forward, loss, backward, clipping, update. Loss and last state."""
        with self.rounding.of_weights(self.model.parameters) if self.rounding else nullcontext():
            loss, state = self.backward(batch, state)
        if self.optimizer.spec.clip is not None:
            self.clip_global_norm(list(self.gradients().values()), self.optimizer.spec.clip)
        self.optimizer.step()
        return loss, state

    def sync(self) -> None:
        """Nothing to wait for."""

    def product(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """a b^T, for the machine's limit."""
        return a @ b.T

    def copy(self, source: np.ndarray, target: np.ndarray) -> None:
        """Overwrite one array with another, for the machine's limit."""
        np.copyto(target, source)

    def card(self) -> dict[str, Any]:
        """Nothing: it runs on the CPU, whatever the device of the others."""
        return {}

    def memory(self) -> ResidentMemory | None:
        """Who tells how much memory is in use, if anybody does."""
        return resident_memory()

    @classmethod
    def threads(cls) -> int:
        """Threads that the linear algebra was asked to use."""
        return requested_threads()

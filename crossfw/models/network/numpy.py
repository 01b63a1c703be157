"""The reference: NumPy only, plain loops, and back-propagation through time by hand (Werbos, 1990)."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from crossfw.models.heads import HEADS
from crossfw.models.losses import numpy as losses
from crossfw.models.network.spec import Spec
from crossfw.models.stack import numpy as stack


class Model:
    """The model of `spec.py` with its parameters as arrays, all zero until they are loaded."""

    notes: tuple[str, ...] = ()

    def __init__(self, spec: Spec, dtype: str, device: str):
        self.spec, self.dtype = spec, dtype
        self.parameters = {name: np.zeros(shape, dtype) for name, shape in spec.shapes().items()}
        self.native_names = {name: name for name in self.parameters}
        self.head = import_module(f"crossfw.models.heads.{HEADS[spec.head]}.numpy")

    def native_parameters(self) -> dict[str, np.ndarray]:
        """Every array that learns, by the name it has here."""
        return self.parameters

    def initial_state(self, batch_size: int) -> dict[str, np.ndarray]:
        """Zeros, each (N, H)."""
        return {name: np.zeros(shape, self.dtype) for name, shape in self.spec.state_shapes(batch_size).items()}

    def embed(self, inputs: np.ndarray) -> np.ndarray:
        """Rows of the embedding (T, N, E), where there is one."""
        return self.parameters["W_e"][inputs] if self.spec.embedding_size else inputs

    def _forward(self, batch: dict, state: dict) -> tuple[dict, dict, list]:
        spec, p = self.spec, self.parameters
        inputs = self.embed(batch["inputs"])
        hidden, last, memory = stack.run(spec.stack, p, inputs, state, batch, spec.state_mask(batch))
        output = self.head.apply(spec, p, hidden, last, batch.get("mask"))
        return {"hidden": hidden, "output": output}, last, memory

    def forward(self, batch: dict, state: dict) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Activations hidden (T, N, width) and output, and the last state, for a batch of named arrays."""
        return self._forward(batch, state)[:2]

    def step(self, inputs: np.ndarray, state: dict) -> tuple[np.ndarray, dict]:
        """One step: output (N, Q) and state from tokens (N,) or features (N, D)."""
        activations, state = self.forward({"inputs": inputs[None]}, state)
        return activations["output"][0], state

    def loss(self, output: np.ndarray, batch: dict) -> np.ndarray:
        """The loss of an output under a batch's targets, a scalar in nats."""
        return losses.cross_entropy(output, batch["targets"], self.spec.loss_mask(batch), self.spec.reduction)

    def backward(self, batch: dict, state: dict) -> stack.BothPasses:
        """Forward, and back-propagation through time."""
        spec, p = self.spec, self.parameters
        activations, last, memory = self._forward(batch, state)
        hidden, output = activations["hidden"], activations["output"]
        d_output = losses.backward(output, batch["targets"], spec.loss_mask(batch), spec.reduction)
        gradients = {name: np.zeros_like(value) for name, value in p.items()}
        d_hidden, d_last = self.head.backward(spec, p, gradients, hidden, last, batch.get("mask"), d_output)
        d_inputs, d_state, d_projected = stack.backward(
            spec.stack, p, memory, batch, spec.state_mask(batch), d_hidden, d_last, gradients
        )
        if spec.embedding_size:
            stack.add_to_rows(gradients["W_e"], batch["inputs"], d_inputs)
        return stack.BothPasses(self.loss(output, batch), gradients, d_state, last, activations, d_projected)

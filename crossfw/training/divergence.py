"""Where numbers first stopped being finite, found by replaying the epoch with every tensor looked at."""

from __future__ import annotations

from typing import Any

import numpy as np


class Snapshot:
    """Parameters and optimizer state at the start of an epoch."""

    def __init__(self, backend: Any):
        self.backend = backend
        self.parameters = {name: backend.numpy(value) for name, value in backend.model.parameters.items()}
        state, self.updates = backend.optimizer.export()
        self.state = {
            name: {key: backend.numpy(value) for key, value in arrays.items()} for name, arrays in state.items()
        }

    def locate(self, batches: list, carry_state: bool) -> dict | None:
        """Replay the batches from here.

        Returns:
            the first tensor, in the order of computation, that holds NaN or inf: `step` (counted from 0 in the
            epoch), `tensor` ("output", "gradient of W_hh", "W_hh after the update", ...) and `value`.
        """
        backend = self.backend
        backend.assign({name: backend.native(value) for name, value in self.parameters.items()})
        native = {name: {key: backend.native(a) for key, a in arrays.items()} for name, arrays in self.state.items()}
        backend.optimizer.load(native, self.updates)
        state = None
        for step, batch in enumerate(batches):
            if state is None or not carry_state:
                state = backend.model.initial_state(batch["inputs"].shape[1])
            native_batch = {name: backend.native(value) for name, value in batch.items()}
            for tensor, value in self._one_step(native_batch, state):
                array = backend.numpy(value)
                if not np.isfinite(array).all():
                    return {"step": step, "tensor": tensor, "value": "NaN" if np.isnan(array).any() else "inf"}
            state = self._last_state
        return None

    def _one_step(self, batch: dict, state: dict) -> Any:
        backend = self.backend
        activations, _ = backend.forward(batch, state)
        yield from activations.items()
        yield "loss", backend.loss(activations["output"], batch)
        backend.backward(batch, state)
        for name, gradient in backend.gradients().items():
            yield f"gradient of {name}", gradient
        _, self._last_state = backend.step(batch, state)
        for name, parameter in backend.model.parameters.items():
            yield f"{name} after the update", parameter

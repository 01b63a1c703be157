"""The step in NumPy, and its back-propagation by hand."""

from __future__ import annotations

import numpy as np

from crossfw.models.cells.rnn.numpy import ACTIVATIONS, DERIVATIVES
from crossfw.models.stack.spec import Place


def step(place: Place, p: dict, projected: np.ndarray, state: dict) -> tuple[dict, tuple]:
    """h (N, H) from the projected input (N, H), which no state outlives; and what `step_backward` needs."""
    h = ACTIVATIONS[place.activation](projected)
    return {"h": h}, (h,)


def step_backward(place: Place, p: dict, memory: tuple, d_state: dict, gradients: dict) -> tuple[np.ndarray, dict]:
    """The gradient of the projected input (N, H), d_a = f'(a) d_h; there is no state before."""
    (h,) = memory
    return DERIVATIVES[place.activation](h) * d_state["h"], {}

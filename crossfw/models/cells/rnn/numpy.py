"""The step in NumPy, and its back-propagation by hand."""

from __future__ import annotations

import numpy as np

from crossfw.models.stack.spec import Place

ACTIVATIONS = {
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0),
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "identity": lambda a: a,
}

# f'(a) written in h = f(a)
DERIVATIVES = {
    "tanh": lambda h: 1 - h * h,
    "relu": lambda h: (h > 0).astype(h.dtype),
    "sigmoid": lambda h: h * (1 - h),
    "identity": np.ones_like,
}


def step(place: Place, p: dict, projected: np.ndarray, state: dict) -> tuple[dict, tuple]:
    """The next state {h (N, H)} from the projected input (N, H) and the state; and what `step_backward` needs."""
    h = ACTIVATIONS[place.activation](projected + state["h"] @ p["W_hh"].T)
    return {"h": h}, (state["h"], h)


def step_backward(place: Place, p: dict, memory: tuple, d_state: dict, gradients: dict) -> tuple[np.ndarray, dict]:
    """The gradients of the projected input (N, H) and of the state before, from that of the state after.

    d_a = f'(a) d_h;  d_h_{t-1} = W_hh^T d_a;  W_hh collects the outer products d_a h_{t-1}^T.
    """
    previous, h = memory
    d_a = DERIVATIVES[place.activation](h) * d_state["h"]
    gradients["W_hh"] += d_a.T @ previous
    return d_a, {"h": d_a @ p["W_hh"]}

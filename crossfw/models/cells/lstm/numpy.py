"""The step in NumPy, and its back-propagation by hand."""

from __future__ import annotations

import numpy as np

from crossfw.models.stack.spec import Place


def sigmoid(a: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-a))."""
    return 1 / (1 + np.exp(-a))


def step(place: Place, p: dict, projected: np.ndarray, state: dict) -> tuple[dict, tuple]:
    """The next state {h, c (N, H)} from the projected input (N, 4H) and the state; and what `step_backward` needs."""
    i, f, g, o = np.split(projected + state["h"] @ p["W_hh"].T, 4, axis=-1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c = f * state["c"] + i * g
    h = o * np.tanh(c)
    return {"h": h, "c": c}, (state, i, f, g, o, c)


def step_backward(place: Place, p: dict, memory: tuple, d_state: dict, gradients: dict) -> tuple[np.ndarray, dict]:
    """The gradients of the projected input (N, 4H) and of the state before, from those of the state after.

    d_c collects what comes from c_{t+1} and, through tanh, from h_t; sigmoid' = s (1 - s), tanh' = 1 - tanh^2.
    """
    previous, i, f, g, o, c = memory
    d_h, tanh_c = d_state["h"], np.tanh(c)
    d_c = d_state["c"] + d_h * o * (1 - tanh_c * tanh_c)
    d_i = d_c * g * i * (1 - i)
    d_f = d_c * previous["c"] * f * (1 - f)
    d_g = d_c * i * (1 - g * g)
    d_o = d_h * tanh_c * o * (1 - o)
    d_a = np.concatenate([d_i, d_f, d_g, d_o], axis=-1)
    gradients["W_hh"] += d_a.T @ previous["h"]
    return d_a, {"h": d_a @ p["W_hh"], "c": d_c * f}

"""The step in NumPy, and its back-propagation by hand."""

from __future__ import annotations

import numpy as np

from crossfw.models.cells.lstm.numpy import sigmoid
from crossfw.models.stack.spec import Place


def step(place: Place, p: dict, projected: np.ndarray, state: dict) -> tuple[dict, tuple]:
    """The next state {h (N, H)} from the projected input (N, 3H) and the state; and what `step_backward` needs."""
    h, size, W_hh = state["h"], place.hidden_size, p["W_hh"]
    x_rz, x_n = projected[:, : 2 * size], projected[:, 2 * size :]
    if place.reset == "after":
        recurrent = h @ W_hh.T + p.get("b_hh", 0)
        r, z = np.split(sigmoid(x_rz + recurrent[:, : 2 * size]), 2, axis=-1)
        inner = recurrent[:, 2 * size :]  # what the reset gate multiplies
        n = np.tanh(x_n + r * inner)
    else:
        r, z = np.split(sigmoid(x_rz + h @ W_hh[: 2 * size].T), 2, axis=-1)
        inner = h
        n = np.tanh(x_n + (r * h) @ W_hh[2 * size :].T)
    return {"h": (1 - z) * n + z * h}, (h, r, z, n, inner)


def step_backward(place: Place, p: dict, memory: tuple, d_state: dict, gradients: dict) -> tuple[np.ndarray, dict]:
    """The gradients of the projected input (N, 3H) and of the state before, from that of the state after.

    d_n = (1 - z) d_h, d_z = (h_{t-1} - n) d_h, and d_r is what multiplies r inside tanh; each through its own
    derivative to the sums a_r, a_z, a_n.
    """
    h, r, z, n, inner = memory
    size, W_hh, d_h = place.hidden_size, p["W_hh"], d_state["h"]
    W_rz, W_n = W_hh[: 2 * size], W_hh[2 * size :]
    d_an = d_h * (1 - z) * (1 - n * n)
    d_az = d_h * (h - n) * z * (1 - z)
    if place.reset == "after":
        d_r, d_inner = d_an * inner, d_an * r
        d_ar = d_r * r * (1 - r)
        d_recurrent = np.concatenate([d_ar, d_az, d_inner], axis=-1)
        gradients["W_hh"] += d_recurrent.T @ h
        if "b_hh" in gradients:
            gradients["b_hh"] += d_recurrent.sum(axis=0)
        d_previous = d_h * z + d_recurrent @ W_hh
    else:
        d_reset = d_an @ W_n  # of r h
        d_ar = d_reset * h * r * (1 - r)
        d_rz = np.concatenate([d_ar, d_az], axis=-1)
        gradients["W_hh"][: 2 * size] += d_rz.T @ h
        gradients["W_hh"][2 * size :] += d_an.T @ (r * h)
        d_previous = d_h * z + d_reset * r + d_rz @ W_rz
    return np.concatenate([d_ar, d_az, d_an], axis=-1), {"h": d_previous}

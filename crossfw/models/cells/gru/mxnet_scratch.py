"""The step from arrays and elementary operations."""

from __future__ import annotations

from types import ModuleType

from mxnet import nd

from crossfw.models.stack.spec import Place


def prepare(F: ModuleType, place: Place, p: dict) -> dict:
    """The weights of r and z (2H, H) and of n (H, H), each with one product in a step where the reset is before it."""
    if place.reset == "before":
        W_rz = F.slice_axis(p["W_hh"], axis=0, begin=0, end=2 * place.hidden_size)
        return {"W_rz": W_rz, "W_n": F.slice_axis(p["W_hh"], axis=0, begin=2 * place.hidden_size, end=None)}
    return p


def step(F: ModuleType, place: Place, p: dict, x: nd.NDArray, state: dict) -> dict:
    """The next state {h (N, H)} from the projected input x (N, 3H) and the state."""
    h = state["h"]
    x_r, x_z, x_n = F.split(x, 3, axis=-1)  # (N, H) each
    if place.reset == "before":
        h_r, h_z = F.split(F.dot(h, p["W_rz"], transpose_b=True), 2, axis=-1)
    else:
        sums = F.dot(h, p["W_hh"], transpose_b=True)
        h_r, h_z, h_n = F.split(F.broadcast_add(sums, p["b_hh"]) if "b_hh" in p else sums, 3, axis=-1)
    r = F.sigmoid(x_r + h_r)
    z = F.sigmoid(x_z + h_z)
    n = F.tanh(x_n + F.dot(r * h, p["W_n"], transpose_b=True) if place.reset == "before" else x_n + r * h_n)
    return {"h": (1 - z) * n + z * h}

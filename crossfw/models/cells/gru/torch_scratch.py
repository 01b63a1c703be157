"""The step from tensors and elementary operations."""

from __future__ import annotations

import torch

from crossfw.models.stack.spec import Place


def prepare(place: Place, p: dict) -> dict:
    """The weights of r and z (2H, H) and of n (H, H), each with one product in a step where the reset is before it."""
    if place.reset == "before":
        W_rz, W_n = torch.split(p["W_hh"], (2 * place.hidden_size, place.hidden_size))
        return {"W_rz": W_rz, "W_n": W_n}
    return p


def step(place: Place, p: dict, x: torch.Tensor, state: dict) -> dict:
    """The next state {h (N, H)} from the projected input x (N, 3H) and the state."""
    h = state["h"]
    x_r, x_z, x_n = torch.chunk(x, 3, dim=-1)  # (N, H) each
    if place.reset == "before":
        h_r, h_z = torch.chunk(h @ p["W_rz"].T, 2, dim=-1)
    else:
        h_r, h_z, h_n = torch.chunk(h @ p["W_hh"].T + p.get("b_hh", 0), 3, dim=-1)
    r = torch.sigmoid(x_r + h_r)
    z = torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + (r * h) @ p["W_n"].T if place.reset == "before" else x_n + r * h_n)
    return {"h": (1 - z) * n + z * h}

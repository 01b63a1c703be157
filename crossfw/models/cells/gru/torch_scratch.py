"""The step from tensors and elementary operations."""

from __future__ import annotations

import torch

from crossfw.models.stack.spec import Place


def step(place: Place, p: dict, projected: torch.Tensor, state: dict) -> dict:
    """The next state {h (N, H)} from the projected input (N, 3H) and the state."""
    h, size, W_hh = state["h"], place.hidden_size, p["W_hh"]
    x_rz, x_n = projected[:, : 2 * size], projected[:, 2 * size :]
    if place.reset == "after":
        recurrent = torch.addmm(p["b_hh"], h, W_hh.T) if "b_hh" in p else h @ W_hh.T
        r, z = torch.sigmoid(x_rz + recurrent[:, : 2 * size]).chunk(2, dim=-1)
        n = torch.tanh(x_n + r * recurrent[:, 2 * size :])
    else:
        r, z = torch.sigmoid(torch.addmm(x_rz, h, W_hh[: 2 * size].T)).chunk(2, dim=-1)
        n = torch.tanh(torch.addmm(x_n, r * h, W_hh[2 * size :].T))
    return {"h": (1 - z) * n + z * h}

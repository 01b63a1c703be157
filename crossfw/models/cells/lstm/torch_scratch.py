"""The step from tensors and elementary operations."""

from __future__ import annotations

import torch

from crossfw.models.stack.spec import Place


def step(place: Place, p: dict, projected: torch.Tensor, state: dict) -> dict:
    """The next state {h, c (N, H)} from the projected input (N, 4H) and the state."""
    i, f, g, o = torch.addmm(projected, state["h"], p["W_hh"].T).chunk(4, dim=-1)
    c = torch.sigmoid(f) * state["c"] + torch.sigmoid(i) * torch.tanh(g)
    return {"h": torch.sigmoid(o) * torch.tanh(c), "c": c}

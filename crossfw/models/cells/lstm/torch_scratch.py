"""The step from tensors and elementary operations."""

from __future__ import annotations

import torch

from crossfw.models.stack.spec import Place


def prepare(place: Place, p: dict) -> dict:
    """What all steps multiply with: the parameters as they are."""
    return p


def step(place: Place, p: dict, x: torch.Tensor, state: dict) -> dict:
    """The next state {h, c (N, H)} from the projected input x (N, 4H) and the state."""
    sums = x + state["h"] @ p["W_hh"].T
    a_i, a_f, a_g, a_o = torch.chunk(sums, 4, dim=-1)  # (N, H) each
    i = torch.sigmoid(a_i)
    f = torch.sigmoid(a_f)
    g = torch.tanh(a_g)
    o = torch.sigmoid(a_o)
    c = f * state["c"] + i * g
    return {"h": o * torch.tanh(c), "c": c}

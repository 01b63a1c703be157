"""The step from tensors and elementary operations."""

from __future__ import annotations

import torch

from crossfw.models.stack.spec import Place

ACTIVATIONS = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": lambda a: a,
}


def step(place: Place, p: dict, projected: torch.Tensor, state: dict) -> dict:
    """The next state {h (N, H)} from the projected input (N, H) and the state."""
    return {"h": ACTIVATIONS[place.activation](torch.addmm(projected, state["h"], p["W_hh"].T))}

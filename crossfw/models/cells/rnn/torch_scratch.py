"""The step from tensors and elementary operations."""

from __future__ import annotations

import torch

from crossfw.models.stack.spec import Place

ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "identity": lambda a: a}


def prepare(place: Place, p: dict) -> dict:
    """What all steps multiply with: the parameters as they are."""
    return p


def step(place: Place, p: dict, x: torch.Tensor, state: dict) -> dict:
    """The next state {h (N, H)} from the projected input x (N, H) and the state."""
    a = x + state["h"] @ p["W_hh"].T
    return {"h": ACTIVATIONS[place.activation](a)}

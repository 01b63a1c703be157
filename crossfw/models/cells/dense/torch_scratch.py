"""The step from tensors and elementary operations."""

from __future__ import annotations

import torch

from crossfw.models.cells.rnn.torch_scratch import ACTIVATIONS
from crossfw.models.stack.spec import Place


def step(place: Place, p: dict, projected: torch.Tensor, state: dict) -> dict:
    """h (N, H) from the projected input (N, H), which no state outlives."""
    return {"h": ACTIVATIONS[place.activation](projected)}

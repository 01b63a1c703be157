"""The cell from tensors and elementary operations."""

from __future__ import annotations

import torch

from crossfw.models.cells.rnn.torch_scratch import ACTIVATIONS
from crossfw.models.stack.spec import Place


def prepare(place: Place, p: dict) -> dict:
    """What all steps multiply with: the parameters as they are."""
    return p


def step(place: Place, p: dict, x: torch.Tensor, state: dict) -> dict:
    """h (N, H) from the projected input x (N, H); no state outlives a step."""
    return {"h": ACTIVATIONS[place.activation](x)}

"""The cell from tensors and elementary operations."""

from __future__ import annotations

import torch

from crossfw.models.fused.torch.rnn import ACTIVATIONS
from crossfw.models.stack.spec import Place


def apply(place: Place, projected: torch.Tensor) -> torch.Tensor:
    """h (T, N, H) from the projected inputs (T, N, H), which no state joins: all steps at once."""
    return ACTIVATIONS[place.activation](projected)

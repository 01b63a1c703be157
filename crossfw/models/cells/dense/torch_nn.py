"""nn.Linear with an activation."""

from __future__ import annotations

import torch
from torch import nn

from crossfw.models.stack.spec import Place

ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "identity": nn.Identity()}
NAMES = {"W_xh": "weight", "b_h": "bias"}


class Cell(nn.Linear):
    """nn.Linear and an activation."""

    def __init__(self, input_size: int, hidden_size: int, activation: str):
        super().__init__(input_size, hidden_size)
        self.activation = ACTIVATIONS[activation]

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """h (N, H) from x (N, D)."""
        return self.activation(super().forward(inputs))


def why_no_layer(place: Place, dtype: str) -> str | None:
    """Why no layer over time can carry the cell, without words: nothing is lost."""
    return ""


def make_cell(place: Place) -> nn.Module:
    """A linear layer with its activation."""
    return Cell(place.input_size, place.hidden_size, place.activation)


def step(cell: nn.Module, inputs: torch.Tensor, state: dict) -> dict:
    """h (N, H) from inputs (N, D)."""
    return {"h": cell(inputs)}

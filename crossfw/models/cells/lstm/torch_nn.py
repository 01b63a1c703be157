"""nn.LSTM and nn.LSTMCell."""

from __future__ import annotations

import torch
from torch import nn

from crossfw.models.stack.spec import Place


def why_no_layer(place: Place, dtype: str) -> str | None:
    """Why the library's layer cannot carry the cell; None if it can."""
    return None


def make_layer(place: Place, dtype: str, layers: int = 1, bidirectional: bool = False) -> nn.Module:
    """The library's layer over time."""
    return nn.LSTM(place.input_size, place.hidden_size, layers, bidirectional=bidirectional)


def make_cell(place: Place) -> nn.Module:
    """The library's cell."""
    return nn.LSTMCell(place.input_size, place.hidden_size)


def step(cell: nn.Module, inputs: torch.Tensor, state: dict) -> dict:
    """The next state {h, c (N, H)} from inputs (N, D) and the state."""
    h, c = cell(inputs, (state["h"], state["c"]))
    return {"h": h, "c": c}

"""nn.RNN and nn.RNNCell, and a cell of our own for the activations that they lack."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from crossfw.models.stack.spec import Place

LAYER_ACTIVATIONS = ("tanh", "relu")


class Cell(nn.RNNCellBase):
    """A recurrent cell with the parameters of nn.RNNCell and the activations that it lacks."""

    def __init__(self, input_size: int, hidden_size: int, activation: str):
        super().__init__(input_size, hidden_size, bias=True, num_chunks=1)
        self.activation = {"sigmoid": torch.sigmoid, "identity": nn.Identity()}[activation]

    def forward(self, inputs: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        """h_t (N, H) from x_t (N, D) and h_{t-1} (N, H)."""
        projected = F.linear(inputs, self.weight_ih, self.bias_ih)
        return self.activation(projected + F.linear(state, self.weight_hh, self.bias_hh))


def why_no_layer(place: Place, dtype: str) -> str | None:
    """Why the library's layer cannot carry the cell; None if it can."""
    return (
        None if place.activation in LAYER_ACTIVATIONS else f"nn.RNN has no {place.activation}: steps a cell of its own"
    )


def make_layer(place: Place, dtype: str, layers: int = 1, bidirectional: bool = False) -> nn.Module:
    """The library's layer over time."""
    return nn.RNN(
        place.input_size, place.hidden_size, layers, nonlinearity=place.activation, bidirectional=bidirectional
    )


def make_cell(place: Place) -> nn.Module:
    """The library's cell, or one of our own."""
    if place.activation in LAYER_ACTIVATIONS:
        return nn.RNNCell(place.input_size, place.hidden_size, nonlinearity=place.activation)
    return Cell(place.input_size, place.hidden_size, place.activation)


def step(cell: nn.Module, inputs: torch.Tensor, state: dict) -> dict:
    """The next state {h (N, H)} from inputs (N, D) and the state."""
    return {"h": cell(inputs, state["h"])}

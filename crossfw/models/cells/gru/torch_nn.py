"""nn.GRU and nn.GRUCell, and a cell of our own that resets before the product."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from crossfw.models.stack.spec import Place


class Cell(nn.RNNCellBase):
    """A gated recurrent cell with the parameters of nn.GRUCell whose reset gate acts before the product."""

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size, bias=True, num_chunks=3)

    def forward(self, inputs: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        """h_t (N, H) from x_t (N, D) and h_{t-1} (N, H)."""
        x_r, x_z, x_n = F.linear(inputs, self.weight_ih, self.bias_ih).chunk(3, dim=-1)
        W_r, W_z, W_n = self.weight_hh.chunk(3)
        b_r, b_z, b_n = self.bias_hh.chunk(3)
        r = torch.sigmoid(x_r + F.linear(state, W_r, b_r))
        z = torch.sigmoid(x_z + F.linear(state, W_z, b_z))
        n = torch.tanh(x_n + F.linear(r * state, W_n, b_n))
        return (1 - z) * n + z * state


def why_no_layer(place: Place, dtype: str) -> str | None:
    """Why the library's layer cannot carry the cell; None if it can."""
    return None if place.reset == "after" else "nn.GRU resets after the product: steps a cell of its own"


def make_layer(place: Place, dtype: str, layers: int = 1, bidirectional: bool = False) -> nn.Module:
    """The library's layer over time."""
    return nn.GRU(place.input_size, place.hidden_size, layers, bidirectional=bidirectional)


def make_cell(place: Place) -> nn.Module:
    """The library's cell, or one of our own."""
    kind = nn.GRUCell if place.reset == "after" else Cell
    return kind(place.input_size, place.hidden_size)


def step(cell: nn.Module, inputs: torch.Tensor, state: dict) -> dict:
    """The next state {h (N, H)} from inputs (N, D) and the state."""
    return {"h": cell(inputs, state["h"])}

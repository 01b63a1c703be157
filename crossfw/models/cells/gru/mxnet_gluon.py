"""gluon.rnn.GRU and gluon.rnn.GRUCell, and a cell of our own that resets before the product."""

from __future__ import annotations

from types import ModuleType

from mxnet import nd
from mxnet.gluon import Block, rnn

from crossfw.models.stack.spec import Place


class Cell(rnn.GRUCell):
    """A gated recurrent cell with the parameters of GRUCell whose reset gate acts before the product."""

    def hybrid_forward(
        self,
        F: ModuleType,
        inputs: nd.NDArray,
        states: list,
        i2h_weight: nd.NDArray,
        h2h_weight: nd.NDArray,
        i2h_bias: nd.NDArray,
        h2h_bias: nd.NDArray,
    ) -> tuple[nd.NDArray, list]:
        """h_t (N, H) from x_t (N, D) and [h_{t-1} (N, H)]."""
        (state,), size = states, self._hidden_size
        projected = F.FullyConnected(inputs, i2h_weight, i2h_bias, num_hidden=3 * size)
        x_r, x_z, x_n = F.split(projected, num_outputs=3, axis=1)
        W_r, W_z, W_n = F.split(h2h_weight, num_outputs=3, axis=0)
        b_r, b_z, b_n = F.split(h2h_bias, num_outputs=3, axis=0)
        r = F.sigmoid(x_r + F.FullyConnected(state, W_r, b_r, num_hidden=size))
        z = F.sigmoid(x_z + F.FullyConnected(state, W_z, b_z, num_hidden=size))
        n = F.tanh(x_n + F.FullyConnected(r * state, W_n, b_n, num_hidden=size))
        new = (1 - z) * n + z * state
        return new, [new]


def why_no_layer(place: Place, dtype: str) -> str | None:
    """Why the library's layer cannot carry the cell; None if it can."""
    return None if place.reset == "after" else "gluon.rnn.GRU resets after the product: steps a cell of its own"


def why_no_stack(layers: int, dtype: str) -> str | None:
    """Why one library layer cannot carry so many layers; None if it can."""
    return None


def make_layer(place: Place, dtype: str, layers: int = 1, bidirectional: bool = False) -> Block:
    """The library's layer over time."""
    sizes = {"input_size": place.input_size, "bidirectional": bidirectional, "dtype": dtype}
    return rnn.GRU(place.hidden_size, layers, **sizes)


def make_cell(place: Place, **options: object) -> Block:
    """The library's cell, or one of our own."""
    kind = rnn.GRUCell if place.reset == "after" else Cell
    return kind(place.hidden_size, input_size=place.input_size, **options)


def step(cell: Block, inputs: nd.NDArray, state: dict) -> dict:
    """The next state {h (N, H)} from inputs (N, D) and the state."""
    return {"h": cell(inputs, [state["h"]])[0]}

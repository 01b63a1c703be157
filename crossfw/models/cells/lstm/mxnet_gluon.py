"""gluon.rnn.LSTM and gluon.rnn.LSTMCell."""

from __future__ import annotations

from mxnet import nd
from mxnet.gluon import Block, rnn

from crossfw.models.stack.spec import Place


def why_no_layer(place: Place, dtype: str) -> str | None:
    """Why the library's layer cannot carry the cell; None if it can."""
    return None


def why_no_stack(layers: int, dtype: str) -> str | None:
    """Why one library layer cannot carry so many layers; None if it can."""
    return None


def make_layer(place: Place, dtype: str, layers: int = 1, bidirectional: bool = False) -> Block:
    """The library's layer over time."""
    sizes = {"input_size": place.input_size, "bidirectional": bidirectional, "dtype": dtype}
    return rnn.LSTM(place.hidden_size, layers, **sizes)


def make_cell(place: Place, **options: object) -> Block:
    """The library's cell."""
    return rnn.LSTMCell(place.hidden_size, input_size=place.input_size, **options)


def step(cell: Block, inputs: nd.NDArray, state: dict) -> dict:
    """The next state {h, c (N, H)} from inputs (N, D) and the state."""
    _, [h, c] = cell(inputs, [state["h"], state["c"]])
    return {"h": h, "c": c}

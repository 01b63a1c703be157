"""gluon.rnn.RNN and gluon.rnn.RNNCell."""

from __future__ import annotations

from mxnet import nd
from mxnet.gluon import Block, rnn

from crossfw.models.stack.spec import Place

LAYER_ACTIVATIONS = ("tanh", "relu")


def identity(a: nd.NDArray, name: str | None = None) -> nd.NDArray:
    """An activation as gluon.rnn.RNNCell calls it."""
    return a


def why_no_layer(place: Place, dtype: str) -> str | None:
    """Why the library's layer cannot carry the cell; None if it can."""
    if place.activation not in LAYER_ACTIVATIONS:
        return f"gluon.rnn.RNN has no {place.activation}: steps gluon.rnn.RNNCell"
    if (place.activation, dtype) == ("relu", "float64"):
        return "gluon.rnn.RNN rounds relu's results to float32, in float64 too: steps gluon.rnn.RNNCell"
    return None


def why_no_stack(layers: int, dtype: str) -> str | None:
    """Why one library layer cannot carry so many layers; None if it can."""
    if layers > 2 and dtype == "float64":
        return "gluon.rnn.RNN computes wrong gradients for the middle ones of three or more layers in float64"
    return None


def make_layer(place: Place, dtype: str, layers: int = 1, bidirectional: bool = False) -> Block:
    """The library's layer over time."""
    sizes = {"input_size": place.input_size, "bidirectional": bidirectional, "dtype": dtype}
    return rnn.RNN(place.hidden_size, layers, activation=place.activation, **sizes)


def make_cell(place: Place, **options: object) -> Block:
    """The library's cell, which takes the name of an activation or, for the identity, a function."""
    activation = place.activation if place.activation != "identity" else identity
    return rnn.RNNCell(place.hidden_size, activation=activation, input_size=place.input_size, **options)


def step(cell: Block, inputs: nd.NDArray, state: dict) -> dict:
    """The next state {h (N, H)} from inputs (N, D) and the state."""
    return {"h": cell(inputs, [state["h"]])[0]}

"""gluon.nn.Dense with an activation."""

from __future__ import annotations

from mxnet import nd
from mxnet.gluon import Block, nn

from crossfw.models.stack.spec import Place

NAMES = {"W_xh": "weight", "b_h": "bias"}


def why_no_layer(place: Place, dtype: str) -> str | None:
    """Why no layer over time can carry the cell, without words: nothing is lost."""
    return ""


def make_cell(place: Place, **options: object) -> Block:
    """A dense layer with its activation."""
    activation = None if place.activation == "identity" else place.activation
    return nn.Dense(place.hidden_size, in_units=place.input_size, flatten=False, activation=activation, **options)


def step(cell: Block, inputs: nd.NDArray, state: dict) -> dict:
    """h (N, H) from inputs (N, D)."""
    return {"h": cell(inputs)}

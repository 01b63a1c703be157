"""The step from arrays and elementary operations."""

from __future__ import annotations

from mxnet import nd

from crossfw.models.cells.rnn.mxnet_scratch import ACTIVATIONS
from crossfw.models.stack.spec import Place


def step(place: Place, p: dict, projected: nd.NDArray, state: dict) -> dict:
    """h (N, H) from the projected input (N, H), which no state outlives."""
    return {"h": ACTIVATIONS[place.activation](projected)}

"""The step from arrays and elementary operations."""

from __future__ import annotations

from mxnet import nd

from crossfw.models.stack.spec import Place

ACTIVATIONS = {
    "tanh": nd.tanh,
    "relu": nd.relu,
    "sigmoid": nd.sigmoid,
    "identity": lambda a: a,
}


def step(place: Place, p: dict, projected: nd.NDArray, state: dict) -> dict:
    """The next state {h (N, H)} from the projected input (N, H) and the state."""
    recurrent = nd.FullyConnected(state["h"], p["W_hh"], no_bias=True, num_hidden=place.hidden_size)
    return {"h": ACTIVATIONS[place.activation](projected + recurrent)}

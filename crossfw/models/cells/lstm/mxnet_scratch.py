"""The step from arrays and elementary operations."""

from __future__ import annotations

from mxnet import nd

from crossfw.models.stack.spec import Place


def step(place: Place, p: dict, projected: nd.NDArray, state: dict) -> dict:
    """The next state {h, c (N, H)} from the projected input (N, 4H) and the state."""
    recurrent = nd.FullyConnected(state["h"], p["W_hh"], no_bias=True, num_hidden=4 * place.hidden_size)
    i, f, g, o = nd.split(projected + recurrent, num_outputs=4, axis=1)
    c = nd.sigmoid(f) * state["c"] + nd.sigmoid(i) * nd.tanh(g)
    return {"h": nd.sigmoid(o) * nd.tanh(c), "c": c}

"""The step from arrays and elementary operations."""

from __future__ import annotations

from mxnet import nd

from crossfw.models.stack.spec import Place


def step(place: Place, p: dict, projected: nd.NDArray, state: dict) -> dict:
    """The next state {h (N, H)} from the projected input (N, 3H) and the state."""
    h, size, W_hh = state["h"], place.hidden_size, p["W_hh"]
    x_r, x_z, x_n = nd.split(projected, num_outputs=3, axis=1)
    if place.reset == "after":
        bias = {"bias": p["b_hh"]} if "b_hh" in p else {"no_bias": True}
        recurrent = nd.FullyConnected(h, W_hh, num_hidden=3 * size, **bias)
        h_r, h_z, h_n = nd.split(recurrent, num_outputs=3, axis=1)
        r, z = nd.sigmoid(x_r + h_r), nd.sigmoid(x_z + h_z)
        n = nd.tanh(x_n + r * h_n)
    else:
        W_rz, W_n = nd.slice_axis(W_hh, 0, 0, 2 * size), nd.slice_axis(W_hh, 0, 2 * size, None)
        h_rz = nd.FullyConnected(h, W_rz, no_bias=True, num_hidden=2 * size)
        h_r, h_z = nd.split(h_rz, num_outputs=2, axis=1)
        r, z = nd.sigmoid(x_r + h_r), nd.sigmoid(x_z + h_z)
        n = nd.tanh(x_n + nd.FullyConnected(r * h, W_n, no_bias=True, num_hidden=size))
    return {"h": (1 - z) * n + z * h}

"""The step from arrays and elementary operations."""

from __future__ import annotations

from types import ModuleType

from mxnet import nd

from crossfw.models.stack.spec import Place


def prepare(F: ModuleType, place: Place, p: dict) -> dict:
    """What all steps multiply with: the parameters as they are."""
    return p


def step(F: ModuleType, place: Place, p: dict, x: nd.NDArray, state: dict) -> dict:
    """The next state {h, c (N, H)} from the projected input x (N, 4H) and the state."""
    sums = x + F.dot(state["h"], p["W_hh"], transpose_b=True)
    a_i, a_f, a_g, a_o = F.split(sums, 4, axis=-1)  # (N, H) each
    i = F.sigmoid(a_i)
    f = F.sigmoid(a_f)
    g = F.tanh(a_g)
    o = F.sigmoid(a_o)
    c = f * state["c"] + i * g
    return {"h": o * F.tanh(c), "c": c}

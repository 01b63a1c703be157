"""The step from arrays and elementary operations."""

from __future__ import annotations

from types import ModuleType

from mxnet import nd

from crossfw.models.stack.spec import Place


def prepare(F: ModuleType, place: Place, p: dict) -> dict:
    """What all steps multiply with: the parameters as they are."""
    return p


def step(F: ModuleType, place: Place, p: dict, x: nd.NDArray, state: dict) -> dict:
    """The next state {h (N, H)} from the projected input x (N, H) and the state."""
    a = x + F.dot(state["h"], p["W_hh"], transpose_b=True)
    return {"h": getattr(F, place.activation)(a)}

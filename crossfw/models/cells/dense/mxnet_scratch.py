"""The cell from arrays and elementary operations."""

from __future__ import annotations

from types import ModuleType

from mxnet import nd

from crossfw.models.stack.spec import Place


def prepare(F: ModuleType, place: Place, p: dict) -> dict:
    """What all steps multiply with: the parameters as they are."""
    return p


def step(F: ModuleType, place: Place, p: dict, x: nd.NDArray, state: dict) -> dict:
    """h (N, H) from the projected input x (N, H); no state outlives a step."""
    return {"h": getattr(F, place.activation)(x)}

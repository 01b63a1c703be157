"""Checks that the specs of all models share, with one form of error."""

from __future__ import annotations

from typing import Any

import numpy as np

from crossfw.checks import require_choice, require_integer
from crossfw.errors import CrossfwError
from crossfw.models.cells import CELLS
from crossfw.models.cells.gru.spec import RESETS
from crossfw.models.cells.rnn.spec import ACTIVATIONS
from crossfw.models.losses.spec import REDUCTIONS


def refuse(name: str, value: Any, found: str, remedy: str) -> None:
    """Raise the error about a setting of the model."""
    raise CrossfwError(f"model.{name} = {value!r}", found, remedy)


def check_choice(name: str, value: str, allowed: Any) -> None:
    """Raise CrossfwError unless a setting has one of the allowed values."""
    require_choice(f"model.{name}", value, allowed)


def check_size(name: str, value: int, maximum: int | None = None) -> None:
    """Raise CrossfwError unless a setting is an integer from 1 to `maximum`."""
    require_integer(f"model.{name}", value, 1, maximum)


def refuse_idle(spec: Any, idle: dict[str, bool]) -> None:
    """A setting that the others make meaningless would be believed in and do nothing."""
    for name, has_no_effect in idle.items():
        if has_no_effect:
            refuse(name, getattr(spec, name), "it has no effect with the model's other settings", f"leave {name} out")


def check_cell(spec: Any) -> None:
    """The settings of cells and layers, which every model has.

    Raises:
        CrossfwError: for a value that is not allowed, and for a setting that would have no effect.
    """
    check_choice("cell", spec.cell, CELLS)
    check_choice("activation", spec.activation, ACTIVATIONS)
    check_choice("reset", spec.reset, RESETS)
    check_choice("reduction", spec.reduction, REDUCTIONS)
    check_size("hidden_size", spec.hidden_size)
    if spec.output_size < 2:
        refuse("output_size", spec.output_size, "one class, which there is nothing to learn about", "give at least two")
    check_size("biases", spec.biases, 2)
    check_size("layers", spec.layers)
    if spec.embedding_size is not None:
        check_size("embedding_size", spec.embedding_size)
    if not 0 <= spec.dropout < 1:
        refuse("dropout", spec.dropout, "no probability below 1", "give a number from 0 up to but not 1")
    idle = {
        "activation": spec.activation != "tanh" and spec.cell not in ("rnn", "dense"),
        "reset": spec.reset != "after" and spec.cell != "gru",
        "biases": spec.biases == 2 and spec.cell == "dense",
        "dropout": spec.dropout > 0 and spec.layers == 1,
    }
    refuse_idle(spec, idle)


def check_indices(what: str, values: np.ndarray, size: int) -> None:
    """Raise ValueError for an index out of range; MXNet clips it silently, NumPy counts from the end."""
    outside = np.argwhere((values < 0) | (values >= size))
    if len(outside):
        place = tuple(int(index) for index in outside[0])
        raise ValueError(f"{what} {int(values[place])} at {place} is out of range: there are {size}, counted from 0")


def check_shape(what: str, array: np.ndarray | None, wanted: tuple[int, ...]) -> None:
    """Raise ValueError for another shape, which a framework might broadcast, and for one without a step or sequence."""
    if array is not None and array.shape != wanted:
        raise ValueError(f"{what} of shape {array.shape}, where {wanted} is wanted")
    if 0 in wanted:
        raise ValueError(f"{what} of shape {wanted}: there is no step, or no sequence")


def check_mask(what: str, mask: np.ndarray | None, wanted: tuple[int, ...]) -> None:
    """Raise ValueError for a mask of another shape, of other numbers than 0 and 1, or that hides more than the end."""
    check_shape(what, mask, wanted)
    if mask is None:
        return
    if not np.isin(mask, (0, 1)).all():
        raise ValueError(f"{what}: numbers other than 0 and 1")
    hidden = np.flatnonzero(mask.sum(axis=0) == 0)
    if len(hidden):
        raise ValueError(f"{what}: sequence {int(hidden[0])} has no real step, so it has no loss and no last state")
    gaps = np.flatnonzero((np.diff(mask, axis=0) > 0).any(axis=0))
    if len(gaps):
        raise ValueError(f"{what}: sequence {int(gaps[0])} has padding before a real step; pad at the end")


def check_shown(shown: np.ndarray | None, wanted: tuple[int, ...]) -> None:
    """Raise ValueError for a mask of outputs of another shape or other numbers than 0 and 1, and for one of zeros."""
    check_shape("shown", shown, wanted)
    if shown is not None and not np.isin(shown, (0, 1)).all():
        raise ValueError("shown: numbers other than 0 and 1")
    if shown is not None and not shown.any():
        raise ValueError("shown: every output is hidden, so there is no loss")

"""A task at one value of a swept setting: another model, another batch, or other threads."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from crossfw.errors import CrossfwError
from crossfw.harness.work import AGREEMENT_SEQUENCES, AGREEMENT_STEPS, Work, corner

OF_THE_MODEL = {"hidden": "hidden_size", "layers": "layers"}


@dataclass(frozen=True)
class Variant:
    """A task at one value of a swept setting.

    Attributes:
        value: of the setting. spec: the model's.
        batch: what is timed.
        small: what agreement is shown on: the value as it is, everything else as small as in agreement elsewhere.
    """

    value: int
    spec: Any
    batch: dict[str, np.ndarray]
    small: dict[str, np.ndarray]


def resized(batch: dict[str, np.ndarray], steps: int | None, sequences: int | None) -> dict[str, np.ndarray]:
    """A batch with so many steps and sequences, None for as many as it has.

    They are picked evenly from those there are, or repeated, each next to itself, so that padding stays at the end.
    """

    def picked(value: np.ndarray, size: int | None, axis: int) -> np.ndarray:
        length = value.shape[axis]
        return value if size is None else np.take(value, np.arange(size) * length // size, axis)

    return {
        name: np.ascontiguousarray(
            picked(picked(value, steps, 0), sequences, 1) if value.ndim > 1 else picked(value, sequences, 0)
        )
        for name, value in batch.items()
    }


def variant(work: Work, setting: str, value: int) -> Variant:
    """A task at one value of a setting.

    Raises:
        CrossfwError: the model has no place for the setting, or not for this value.
    """
    asked = f"--sweep {setting}={value} of {work.task.name}"
    if work.task.recipe is None:
        raise CrossfwError(asked, "a task that trains nothing", "sweep a task that has a recipe")
    if setting == "steps" and not work.spec.state_shapes(1):
        raise CrossfwError(asked, "a model without a state, to which a step is one more sequence", "sweep batch")
    if setting == "hidden" and getattr(work.spec, "backward_size", None):
        raise CrossfwError(asked, "a model whose directions have sizes of their own", "sweep another setting")
    spec = _with_setting(work.spec, OF_THE_MODEL[setting], value, asked) if setting in OF_THE_MODEL else work.spec
    sizes = {"steps": value if setting == "steps" else None, "sequences": value if setting == "batch" else None}
    batch = resized(work.batch, **sizes)
    try:
        spec.check(batch)
    except ValueError as error:
        raise CrossfwError(asked, str(error), "leave this value out") from error
    small = corner(
        batch,
        None if setting == "steps" else AGREEMENT_STEPS,
        None if setting == "batch" else AGREEMENT_SEQUENCES,
    )
    return Variant(value, spec, batch, small)


def _with_setting(spec: Any, name: str, value: int, asked: str) -> Any:
    if name not in {field.name for field in fields(spec)}:
        raise CrossfwError(asked, f"a model without {name}", "sweep another setting")
    try:
        return replace(spec, **{name: value})
    except CrossfwError as error:
        raise CrossfwError(asked, f"{error.asked}: {error.found}", "leave this value out") from error

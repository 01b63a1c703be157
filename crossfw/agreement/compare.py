"""Two traces, compared tensor by tensor.

In float64 the question is meaning: a tensor is "equal" within the bound, or "different". In float32 each side's
error is measured against the float64 reference, and a side that is more than SAME_ACCURACY times less accurate than
its counterpart is "less accurate", with the factor; beyond the bound it is "different".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Callable

import numpy as np

from crossfw.agreement import STAGES
from crossfw.agreement.trace import Trace
from crossfw.results.schema import AgreementRow

SAME_ACCURACY = 4.0


QUIET = {"invalid": "ignore", "over": "ignore"}  # inf - inf; the difference is no finite number then


def relative_error(a: np.ndarray, b: np.ndarray) -> float:
    """max|a - b| / max|b|; max|a - b| where b is all zero; inf for another shape, for NaN, and for inf in either.

    One scale for the whole tensor, because rounding errors are of that scale; but the largest element's error,
    because a mean would hide a permutation.
    """
    with np.errstate(**QUIET):
        return _relative_error(a, b)


def _relative_error(a: np.ndarray, b: np.ndarray) -> float:
    """As `relative_error`, within an `errstate` of QUIET: to enter one takes a quarter of a small tensor's time."""
    if a.shape != b.shape:
        return float("inf")
    if a.size == 0:
        return 0.0
    largest = largest_size(np.asarray(np.subtract(a, b, dtype=np.float64)))
    if not math.isfinite(largest):
        return float("inf")
    scale = largest_size(b)
    return largest / (scale if scale > 0 else 1.0)


def largest_size(array: np.ndarray) -> float:
    """max|a|, NaN where there is one, without an array of |a|."""
    return max(float(np.maximum.reduce(array, axis=None)), -float(np.minimum.reduce(array, axis=None)))


@dataclass(frozen=True)
class Side:
    """An implementation's name and its trace.

    `errors` keeps what was found against the float64 reference, by "stage/tensor": a side is compared with many.
    """

    name: str
    trace: Trace
    errors: dict[str, float] = field(default_factory=dict, repr=False, compare=False)

    def error_of(self, key: str, value: np.ndarray, true: np.ndarray) -> float:
        """The error of this side's tensor against the reference's."""
        if key not in self.errors:
            self.errors[key] = _relative_error(value, true)
        return self.errors[key]


def _matched(a: Trace, b: Trace) -> Iterator[tuple[str, str, np.ndarray | None, np.ndarray | None]]:
    """(stage, tensor, a's, b's) in the order of the stages; None where a side has no such tensor."""
    for stage in STAGES:
        ours, theirs = a.stage(stage), b.stage(stage)
        for tensor in {**theirs, **ours}:
            yield stage, tensor, ours.get(tensor), theirs.get(tensor)


def self_agreement(side: Side, dtype: str) -> list[AgreementRow]:
    """Two runs of the same gradients in one process: they must be equal to the last bit."""
    first = side.trace.stage("gradients")
    return [
        _row(side.name, side.name, "self-agreement", tensor, dtype, relative_error(again, first[tensor]), 0.0)
        for tensor, again in side.trace.stage("self-agreement").items()
    ]


def compare(
    side: Side, other: Side, dtype: str, limit_of: Callable[[str, str], float], reference: Trace | None = None
) -> list[AgreementRow]:
    """Rows for every tensor of every stage. A tensor that one side lacks, or has in another dtype, is different.

    Args:
        side: the implementation that is judged.
        other: what it is compared with, in the same dtype.
        dtype: of both.
        limit_of: the bound for a stage and a tensor.
        reference: the float64 reference, against which the errors of a float32 pair are measured.
    """
    with np.errstate(**QUIET):
        rows = list(_rows(side, other, dtype, limit_of, reference))
    if not rows and "interrupted" not in {*side.trace.facts, *other.trace.facts}:
        raise ValueError(f"nothing to compare between {side.name} and {other.name}")
    return rows


def _rows(
    side: Side, other: Side, dtype: str, limit_of: Callable[[str, str], float], reference: Trace | None
) -> Iterator[AgreementRow]:
    wanted = np.dtype(dtype)
    for stage, tensor, ours, theirs in _matched(side.trace, other.trace):
        if stage == "self-agreement":
            continue
        if (ours is None and "interrupted" in side.trace.facts) or (
            theirs is None and "interrupted" in other.trace.facts
        ):
            continue  # the failure is told elsewhere
        limit = limit_of(stage, tensor)
        if ours is None or theirs is None or ours.dtype != wanted:
            yield _row(side.name, other.name, stage, tensor, dtype, float("inf"), limit)
        elif reference is None:
            yield _row(side.name, other.name, stage, tensor, dtype, _relative_error(ours, theirs), limit)
        else:
            key = f"{stage}/{tensor}"
            if key in reference.arrays:
                true = reference.arrays[key]
                errors = side.error_of(key, ours, true), other.error_of(key, theirs, true)
            else:
                errors = _relative_error(ours, theirs), 0.0
            to_reference = other.name == "numpy"
            error = errors[0] if to_reference else _relative_error(ours, theirs)
            limit = limit if to_reference else 2 * limit
            yield _row(side.name, other.name, stage, tensor, dtype, error, limit, _factor(errors, dtype))


def _factor(errors: tuple[float, float], dtype: str) -> float:
    """How many times less accurate the first is; errors below half a unit in the last place count as that."""
    floor = float(np.finfo(dtype).eps) / 2
    return max(errors[0], floor) / max(errors[1], floor)


def _row(
    name: str,
    against: str,
    stage: str,
    tensor: str,
    dtype: str,
    error: float,
    limit: float,
    factor: float | None = None,
) -> AgreementRow:
    grade = "equal"
    if not (math.isfinite(error) and error <= limit):
        grade = "different"
    elif factor is not None and factor > SAME_ACCURACY:
        grade = "less accurate"
    return AgreementRow(
        implementation=name,
        against=against,
        stage=stage,
        tensor=tensor,
        dtype=dtype,
        error=error,
        bound=limit,
        grade=grade,
        factor=factor,
    )

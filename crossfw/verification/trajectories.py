"""Several updates in a row, judged update by update against the pair's own noise.

Training is chaotic: what is left of rounding grows with every update. So MXNet is trained again from weights one unit
in the last place away and with its gradients rounded otherwise; the gap to itself is the noise floor. The two sides may
be apart by the bound of rounding or by FLOOR_MARGIN floors, whichever is more, up to the update at which that would
allow for anything: the horizon (see `crossfw.agreement.trajectory`, whose rule this is).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crossfw.agreement.trajectory import FLOOR_MARGIN, LARGEST_ALLOWANCE
from crossfw.verification.row import Row

STAGE = "several updates"


@dataclass(frozen=True)
class Series:
    """One tensor over the updates.

    Attributes:
        tensor, partner: of the torch side, of the MXNet side.
        updates: the numbers of the updates after which it was looked at.
        errors, bounds: one for each of them.
    """

    tensor: str
    partner: str
    updates: tuple[int, ...]
    errors: tuple[float, ...]
    bounds: tuple[float, ...]

    @property
    def holds(self) -> bool:
        """Whether rounding explains all of it."""
        return all(error <= bound for error, bound in zip(self.errors, self.bounds))


def series_of(rows: Sequence[tuple[int, list[Row]]]) -> list[Series]:
    """Rows of every update, (number, rows), by tensor."""
    found: dict[str, list[tuple]] = {}
    for number, made in rows:
        for row in made:
            found.setdefault(row.tensor, []).append((row.partner, number, row.error, row.bound))
    return [
        Series(tensor, entries[0][0], *(tuple(e[i] for e in entries) for i in (1, 2, 3)))
        for tensor, entries in found.items()
    ]


def judged(series: Series, floors: Sequence[float], dtype: str) -> Row | None:
    """The row of a tensor: its worst update up to the horizon; None where noise leaves nothing to judge.

    Args:
        floors: the gap of MXNet to itself after each of the updates; zeros where rounding explains the tensor.
    """
    margin, largest, worst = FLOOR_MARGIN[dtype], 0.0, None
    for number, error, bound, floor in zip(series.updates, series.errors, series.bounds, floors):
        largest = max(largest, floor)
        if not margin * largest <= LARGEST_ALLOWANCE:
            break
        limit = max(bound, margin * largest)
        if worst is None or not error / limit < worst[1] / worst[2]:
            worst = (number, error, limit, largest)
    if worst is None:
        return None
    number, error, limit, largest = worst
    grade = "equal" if error <= limit else "different"
    note = f"the noise floor is {largest:.1e}" if margin * largest == limit else ""
    return Row(STAGE, series.tensor, series.partner, dtype, f"after update {number}", error, limit, grade, note=note)


def horizon(series: Series, floors: Sequence[float], dtype: str) -> int:
    """The last update up to which a tensor can be judged; 0 where there is none."""
    grown = np.maximum.accumulate(np.asarray(floors, np.float64))
    fit = [n for n, floor in zip(series.updates, grown) if FLOOR_MARGIN[dtype] * floor <= LARGEST_ALLOWANCE]
    return max(fit, default=0)

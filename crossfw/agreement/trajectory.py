"""Do two implementations learn the same? Training curves, judged against noise.

Training is chaotic: a difference in the last place grows until two runs of the same program have nothing in common
but their statistics. So the reference is trained a second time, from weights one unit in the last place away and with
another rounding at every update (`crossfw.frameworks.rounding`); the gap between its two curves is the noise floor. At
every epoch two implementations may be apart by the bound of rounding or by a fixed multiple of the floor, whichever is
more, until the floor has grown so far that this would allow for anything: the horizon. Beyond it only final
perplexities over seeds can be compared (`equivalence.py`).
"""

from __future__ import annotations

import math
from typing import Callable

from crossfw.agreement.equivalence import FEWEST_SEEDS, MARGIN, equivalence
from crossfw.models import REFERENCE
from crossfw.results.schema import EquivalenceRow, Learning, TrajectoryRow

# The floor is one draw of rounding, and two implementations are one draw each; they add up bias gradients and losses in
# orders that the reference does not try; and in float32 their elementary functions differ by up to 32 units instead of
# 2 (`bounds.ELEMENTARY`). Against a floor from a moved start alone, true implementations on lm_rnn_time_machine were up
# to 59 floors apart in float64 (b_q after 104 updates) and 700 in float32 (MXNet's log_softmax).
FLOOR_MARGIN = {"float64": 100.0, "float32": 1600.0}
LARGEST_ALLOWANCE = 1e-2

Curve = dict  # (split, epoch) -> perplexity


def pairs_of(names: list[str]) -> list[tuple[str, str]]:
    """Which implementations are compared: each with the reference, and each torch one with each MXNet one."""
    with_reference = [(name, REFERENCE) for name in names if name != REFERENCE and REFERENCE in names]
    torch = [name for name in names if name.startswith("torch")]
    return with_reference + [(a, b) for a in torch for b in names if b.startswith("mxnet")]


def relative_gap(a: Curve, b: Curve, epoch: int) -> float:
    """The larger of |a - b| / b in training and validation at an epoch.

    inf for NaN and inf, and where one curve lacks a point of the other's: the shorter must not excuse the longer.
    """
    gaps = [0.0]
    for split in ("training", "validation"):
        ours, theirs = a.get((split, epoch)), b.get((split, epoch))
        if (ours is None) != (theirs is None) or (split == "training" and ours is None):
            return math.inf
        if ours is not None:
            gaps.append(abs(ours - theirs) / theirs)
    return max(gaps) if all(map(math.isfinite, gaps)) else math.inf


class Trajectories:
    """The curves of a task in one dtype.

    Args:
        curves: by implementation, from the same weights; the reference's among them.
        perturbed: by implementation, from weights one unit in the last place away; the reference's rounded otherwise
            at every update too.
        bound: the bound of rounding after so many epochs.
        dtype: of the curves.
    """

    def __init__(
        self, curves: dict[str, Curve], perturbed: dict[str, Curve], bound: Callable[[int], float], dtype: str
    ):
        self.curves, self.perturbed, self.bound, self.margin = curves, perturbed, bound, FLOOR_MARGIN[dtype]
        self.epochs = max((epoch for curve in curves.values() for _, epoch in curve), default=0)
        self.floors = self._floors()
        grown = [epoch for epoch, floor in self.floors.items() if self.margin * floor > LARGEST_ALLOWANCE]
        self.horizon = min(grown, default=self.epochs + 1) - 1

    def _floors(self) -> dict[int, float]:
        """By epoch, the largest gap of the reference to itself so far; inf without a reference."""
        if REFERENCE not in self.curves or REFERENCE not in self.perturbed:
            return dict.fromkeys(range(1, self.epochs + 1), math.inf)
        floors, largest = {}, 0.0
        for epoch in range(1, self.epochs + 1):
            largest = max(largest, relative_gap(self.perturbed[REFERENCE], self.curves[REFERENCE], epoch))
            floors[epoch] = largest
        return floors

    def allowance(self, epoch: int) -> float:
        """How far two curves may be apart at an epoch; up to the horizon never more than LARGEST_ALLOWANCE."""
        return max(min(self.bound(epoch), LARGEST_ALLOWANCE), self.margin * self.floors[epoch])

    def rows(self) -> list[TrajectoryRow]:
        """Every pair at every epoch."""
        return [row for a, b in pairs_of(list(self.curves)) for row in self._pair(a, b, self.curves[a], self.curves[b])]

    def faults(self) -> list[TrajectoryRow]:
        """Rows up to the horizon that are further apart than they may be, the earliest first.

        An implementation must not be further from itself, one unit in the last place away, than noise explains.
        """
        own = [
            row
            for name, curve in self.curves.items()
            if name in self.perturbed and name != REFERENCE
            for row in self._pair(name, name, self.perturbed[name], curve)
        ]
        wrong = [row for row in self.rows() + own if row["epoch"] <= self.horizon and not row["gap"] <= row["bound"]]
        return sorted(wrong, key=lambda row: row["epoch"])

    def _pair(self, a: str, b: str, ours: Curve, theirs: Curve) -> list[TrajectoryRow]:
        return [
            TrajectoryRow(
                implementation=a,
                against=b,
                epoch=epoch,
                gap=relative_gap(ours, theirs, epoch),
                floor=self.floors[epoch],
                bound=self.allowance(epoch),
            )
            for epoch in range(1, self.epochs + 1)
        ]


def describe_fault(row: TrajectoryRow, dtype: str) -> str:
    """Who leaves whom, when, and by how much."""
    who = f"{row['implementation']} leaves {row['against']}"
    if row["implementation"] == row["against"]:
        who = f"{row['implementation']}, started one unit in the last place away, leaves itself"
    return (
        f"{who} at epoch {row['epoch']} ({dtype}): the curves differ by {row['gap']:.1e}; the noise floor is "
        f"{row['floor']:.1e}, allowed are {row['bound']:.1e}"
    )


def judge(
    exact: Trajectories, reported: Trajectories, finals: dict[str, list[float]], epochs: int, updates: dict[int, int]
) -> Learning:
    """The verdict on learning.

    Args:
        exact: the float64 curves.
        reported: the curves in the dtype that is reported; may be the same.
        finals: final perplexities over seeds in that dtype, by implementation.
        epochs: of the curves that are reported.
        updates: made up to the end of each epoch.
    """
    tests, horizon = equivalence(finals), exact.horizon
    made = updates.get(horizon, 0)
    apart = [row for row in tests if row["low"] > 1 + row["margin"] or row["high"] < 1 / (1 + row["margin"])]
    judged = [row for row in exact.rows() if row["epoch"] <= horizon]
    if faults := exact.faults():
        verdict, text = "different", describe_fault(faults[0], "float64")
    elif reported is not exact and (faults := reported.faults()):
        verdict, text = "different", describe_fault(faults[0], "float32")
    elif apart:
        verdict, row = "different", apart[0]
        text = (
            f"final perplexity of {row['implementation']} is {row['ratio']:.3g} times that of {row['against']} "
            f"(90 % interval {row['low']:.3g} to {row['high']:.3g})"
        )
    elif judged:
        verdict, worst = "same", max(row["gap"] for row in judged)
        over = f"over {made} update{'' if made == 1 else 's'}, up to epoch {horizon}"
        text = f"float64 curves agree to {worst:.1e} {over}" + _beyond(tests, horizon, epochs)
    elif len(exact.curves) < 2:
        verdict, text = "not tested", "there were not two training curves to compare"
    else:
        verdict, text = "not tested", "the noise floor leaves nothing to compare from the first epoch on"
    return Learning(
        verdict=verdict,
        text=text,
        horizon=horizon,
        updates=made,
        epochs=epochs,
        trajectory=exact.rows(),
        equivalence=tests,
    )


def _beyond(tests: list[EquivalenceRow], horizon: int, epochs: int) -> str:
    """What can be said of the epochs that are not compared exactly."""
    if horizon >= epochs:
        return ", the last one"
    if not tests:
        return f"; epochs {horizon + 1} to {epochs} were not compared (that takes --seeds {FEWEST_SEEDS} or more)"
    shown = sum(row["equivalent"] for row in tests)
    return (
        f"; final perplexities over seeds are shown to be equivalent within {MARGIN:.0%} "
        f"in {shown} of {len(tests)} pairs"
    )

"""Do two implementations learn the same? Training curves, judged against noise.

Training is chaotic: a difference in the last place grows until two runs of the same program have nothing in common
but their statistics. So every float64 curve is drawn twice, the second time from weights one unit in the last
place away, and the gap between the two, the noise floor, says how long curves can be compared exactly. Up to the
horizon they must agree within the float64 bound; beyond it only final perplexities over seeds can be compared, by
two one-sided tests (Schuirmann, 1987) on the logarithms.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from scipy import stats

from crossfw.agreement.bounds import Size, bound
from crossfw.report.schema import EquivalenceRow, Learning, TrajectoryRow

# Two implementations round differently at every update, the perturbation of the floor happens once. Measured on
# lm_rnn_time_machine over 800 updates, no pair was ever further apart than 2.4 times the floor.
FLOOR_MARGIN = 10.0
EQUIVALENCE_MARGIN = 0.05
CONFIDENCE = 0.95
FEWEST_SEEDS = 3

Curve = dict  # epoch -> training perplexity


def pairs_of(names: list[str]) -> list[tuple[str, str]]:
    """Which implementations are compared: each with the reference, and each torch one with each MXNet one."""
    with_reference = [(name, "numpy") for name in names if name != "numpy" and "numpy" in names]
    torch = [name for name in names if name.startswith("torch")]
    return with_reference + [(a, b) for a in torch for b in names if b.startswith("mxnet")]


def relative_gap(a: Curve, b: Curve, epoch: int) -> float:
    """|a - b| / b at an epoch; inf where one curve has ended, because the shorter must not excuse the longer."""
    if epoch not in a or epoch not in b:
        return math.inf
    return abs(a[epoch] - b[epoch]) / b[epoch]


class Trajectories:
    """The float64 curves of a task.

    Args:
        curves: by implementation, from the same weights.
        perturbed: by implementation, from weights one unit in the last place away.
        updates: parameter updates in an epoch.
        size, condition: for the bound.
    """

    def __init__(
        self, curves: dict[str, Curve], perturbed: dict[str, Curve], updates: int, size: Size, condition: float
    ):
        self.curves, self.perturbed, self.updates = curves, perturbed, updates
        self.size, self.condition = size, condition
        self.epochs = max((max(curve, default=0) for curve in curves.values()), default=0)

    def bound(self, epoch: int) -> float:
        """The float64 bound after so many epochs."""
        return bound("trajectory", "float64", self.size, self.condition, self.updates * epoch)

    def floor(self, epoch: int) -> float:
        """The largest gap of an implementation to itself, so far."""
        gaps = [
            relative_gap(self.perturbed[name], curve, past)
            for name, curve in self.curves.items()
            if name in self.perturbed
            for past in range(1, epoch + 1)
        ]
        return max((gap for gap in gaps if math.isfinite(gap)), default=0.0)

    def horizon(self) -> int:
        """The last epoch at which the noise floor leaves room under the bound."""
        for epoch in range(1, self.epochs + 1):
            if FLOOR_MARGIN * self.floor(epoch) > self.bound(epoch):
                return epoch - 1
        return self.epochs

    def rows(self) -> list[TrajectoryRow]:
        """Every pair at every epoch."""
        return [
            TrajectoryRow(
                implementation=a,
                against=b,
                epoch=epoch,
                gap=relative_gap(self.curves[a], self.curves[b], epoch),
                floor=self.floor(epoch),
                bound=self.bound(epoch),
            )
            for a, b in pairs_of(list(self.curves))
            for epoch in range(1, self.epochs + 1)
        ]


def equivalence(finals: dict[str, list[float]]) -> list[EquivalenceRow]:
    """Two one-sided Welch tests on log final perplexities, for each pair with enough seeds."""
    rows = []
    margin, level = math.log1p(EQUIVALENCE_MARGIN), 2 * CONFIDENCE - 1
    for a, b in ((x, y) for x, y in combinations(finals, 2) if x.split("-")[0] != y.split("-")[0]):
        if min(len(finals[a]), len(finals[b])) < FEWEST_SEEDS:
            continue
        x, y = np.log(finals[a]), np.log(finals[b])
        difference = float(x.mean() - y.mean())
        vx, vy = x.var(ddof=1) / len(x), y.var(ddof=1) / len(y)
        se = max(math.sqrt(vx + vy), 1e-300)
        dof = max((vx + vy) ** 2 / max(vx**2 / (len(x) - 1) + vy**2 / (len(y) - 1), 1e-300), 1.0)
        p_value = max(stats.t.sf((difference + margin) / se, dof), stats.t.cdf((difference - margin) / se, dof))
        half = se * stats.t.ppf(0.5 + level / 2, dof)
        rows.append(
            EquivalenceRow(
                implementation=a,
                against=b,
                ratio=math.exp(difference),
                low=math.exp(difference - half),
                high=math.exp(difference + half),
                margin=EQUIVALENCE_MARGIN,
                p_value=float(p_value),
                equivalent=bool(p_value < 1 - CONFIDENCE),
            )
        )
    return rows


def judge(trajectories: Trajectories, finals: dict[str, list[float]], epochs: int) -> Learning:
    """The verdict on learning.

    Args:
        trajectories: float64 curves.
        finals: final perplexities over seeds, by implementation, in the dtype that is reported.
        epochs: of the curves in that dtype.
    """
    rows, horizon, tests = trajectories.rows(), trajectories.horizon(), equivalence(finals)
    judged = [row for row in rows if row["epoch"] <= horizon]
    faults = [row for row in judged if not row["gap"] <= row["bound"]]
    apart = [row for row in tests if row["low"] > 1 + row["margin"] or row["high"] < 1 / (1 + row["margin"])]
    verdict, text = "not tested", "nothing was compared: the noise floor left the bound in the first epoch"
    if faults:
        first = min(faults, key=lambda row: row["epoch"])
        verdict = "different"
        text = (
            f"{first['implementation']} leaves {first['against']} at epoch {first['epoch']}: the curves differ by "
            f"{first['gap']:.1e}, the noise floor is {first['floor']:.1e}, the bound {first['bound']:.1e}"
        )
    elif apart:
        verdict, row = "different", apart[0]
        text = (
            f"final perplexity of {row['implementation']} is {row['ratio']:.3g} times that of {row['against']} "
            f"(90 % interval {row['low']:.3g} to {row['high']:.3g})"
        )
    elif judged:
        verdict, worst = "same", max(row["gap"] for row in judged)
        text = f"float64 curves agree to {worst:.1e} up to epoch {horizon}" + _beyond(tests, horizon, epochs)
    return Learning(verdict=verdict, text=text, horizon=horizon, epochs=epochs, trajectory=rows, equivalence=tests)


def _beyond(tests: list[EquivalenceRow], horizon: int, epochs: int) -> str:
    """What can be said of the epochs that are not compared exactly."""
    if horizon >= epochs:
        return ", the last one"
    if not tests:
        return f"; epochs {horizon + 1} to {epochs} were not compared (that takes --seeds {FEWEST_SEEDS} or more)"
    shown = sum(row["equivalent"] for row in tests)
    return (
        f"; final perplexities over seeds are shown to be equivalent within {EQUIVALENCE_MARGIN:.0%} "
        f"in {shown} of {len(tests)} pairs"
    )

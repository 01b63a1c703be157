"""The statistics of speed: one U-test for each row, corrected for there being many, and what a whole contest shares."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from scipy import stats

from crossfw.models import framework_of

ALPHA = 0.05  # chance that a comparison of two equal reports shows any row as changed, by the test alone
FEWEST_SAMPLES = 9  # two times 9 that do not overlap have p = 4e-5: enough, after Holm, in a report of 1000 rows
EFFICIENCY = 0.4  # of Qn in contests of two to five rows: what is exceeded as often as ALPHA says, by simulation
EXACT_UP_TO = 60  # samples; beyond, the normal approximation is as good


def u_test(old: Sequence[float], new: Sequence[float]) -> float:
    """The two-sided p-value of Mann and Whitney's test that two sets of samples are of one distribution."""
    ties = len({*old, *new}) < len(old) + len(new)
    method = "asymptotic" if ties or max(len(old), len(new)) > EXACT_UP_TO else "exact"
    return float(stats.mannwhitneyu(old, new, alternative="two-sided", method=method).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values, each adjusted (Holm, 1979) so that all those below ALPHA hold together with 1 - ALPHA."""
    order, adjusted, largest = np.argsort(p_values, kind="stable"), [0.0] * len(p_values), 0.0
    for place, index in enumerate(order):
        largest = max(largest, min(1.0, p_values[index] * (len(p_values) - place)))
        adjusted[index] = largest
    return adjusted


def common_shift(changes: Sequence[float], machine: float) -> float:
    """How far all implementations of a contest moved together: their median, as a logarithm.

    The middle of an even number is an interval; in it the point nearest to what the machine did is taken. So where two
    of four became slower and the machine did not, it is those two that are slower and not the others that are faster.
    An implementation on its own is compared with the machine.

    Args:
        changes: log(new / old) of each implementation's speed.
        machine: the same of the machine's own large product; 0 where it is not known, or did not change.
    """
    ordered = sorted(changes)
    if len(ordered) < 2:
        return machine
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return min(max(machine, low), high)


def noise_of_processes(controls: Sequence[float], rows: int) -> float:
    """What two processes of the same code differ by, at most, in `rows` comparisons; 0 without a control.

    An old and a new process of unchanged code differ as the two of an A/A control do. The quantile is Student's, for
    ALPHA shared by all rows (Bonferroni).

    Args:
        controls: log(ratio) of the medians of A/A controls of both reports.
    """
    if not controls or not rows:
        return 0.0
    scale = float(np.sqrt(np.mean(np.square(controls))))
    return float(scale * stats.t.isf(ALPHA / 2 / rows, len(controls)))


def unevenness(contests: Sequence[Mapping[str, float]]) -> float:
    """What a change of the machine does to one row beside the others of its contest, at most, in all these rows.

    The scale is Qn of Rousseeuw and Croux (1993): the lower quarter of what two rows of a contest differ by, which a
    row that did change leaves as it is. Frameworks may be slowed unequally, so rows of two frameworks count on their
    own where they differ by more. The quantile is Student's, for ALPHA shared by all rows (Bonferroni).

    Args:
        contests: log(new / old) of each implementation; of contests that moved as a whole.

    Returns:
        A logarithm; infinite where no contest has two rows.
    """
    pairs = [pair for contest in contests for pair in combinations(contest.items(), 2)]
    if not pairs:
        return math.inf
    across = [((a, x), (b, y)) for (a, x), (b, y) in pairs if framework_of(a) != framework_of(b)]
    quarter = max(np.quantile([abs(x - y) for (_, x), (_, y) in some], 0.25) for some in (pairs, across) if some)
    free = sum(len(contest) - 1 for contest in contests if contest)  # the middle of each contest takes one
    rows = sum(map(len, contests))
    return float(quarter / stats.norm.isf(0.375) * stats.t.isf(ALPHA / 2 / rows, max(1.0, free * EFFICIENCY)))

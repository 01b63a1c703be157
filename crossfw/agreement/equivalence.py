"""Final perplexities over seeds: are two implementations equivalent within a margin?

Two one-sided Welch tests on the logarithms (Schuirmann, 1987): equivalence has to be shown, it is not what is left
when a difference is not.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from scipy import stats

from crossfw.models import framework_of
from crossfw.results.schema import EquivalenceRow

MARGIN = 0.05
CONFIDENCE = 0.95
FEWEST_SEEDS = 3


def equivalence(finals: dict[str, list[float]]) -> list[EquivalenceRow]:
    """A row for each pair from different frameworks, or for every pair where there is but one framework."""
    pairs = [(a, b) for a, b in combinations(finals, 2) if min(len(finals[a]), len(finals[b])) >= FEWEST_SEEDS]
    across = [(a, b) for a, b in pairs if framework_of(a) != framework_of(b)]
    return [_compare(a, b, np.log(finals[a]), np.log(finals[b])) for a, b in across or pairs]


def _compare(a: str, b: str, x: np.ndarray, y: np.ndarray) -> EquivalenceRow:
    margin, difference = math.log1p(MARGIN), float(x.mean() - y.mean())
    vx, vy = x.var(ddof=1) / len(x), y.var(ddof=1) / len(y)
    error = max(math.sqrt(vx + vy), 1e-300)
    freedom = max((vx + vy) ** 2 / max(vx**2 / (len(x) - 1) + vy**2 / (len(y) - 1), 1e-300), 1.0)
    p_value = max(
        stats.t.sf((difference + margin) / error, freedom), stats.t.cdf((difference - margin) / error, freedom)
    )
    half = error * stats.t.ppf(CONFIDENCE, freedom)  # the 90 % interval belongs to two tests at 5 %
    return EquivalenceRow(
        implementation=a,
        against=b,
        ratio=math.exp(difference),
        low=math.exp(difference - half),
        high=math.exp(difference + half),
        margin=MARGIN,
        p_value=float(p_value),
        equivalent=bool(p_value < 1 - CONFIDENCE),
    )

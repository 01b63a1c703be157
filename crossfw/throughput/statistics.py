"""From raw times to medians, ratios, their intervals, and what stands far out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
FAR_OUT = 3.5  # robust standard deviations beyond which a sample is flagged
FEWEST_TO_FLAG = 5  # samples: of fewer none is known to be the odd one


@dataclass(frozen=True)
class Interval:
    """A value with the ends of its 95 % confidence interval."""

    value: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """From end to end, as a part of the value."""
        return (self.high - self.low) / self.value

    def contains(self, number: float) -> bool:
        """Whether the interval reaches over a number."""
        return self.low <= number <= self.high

    def widened(self, noise: float) -> Interval:
        """The interval of a ratio with another source of error, as a logarithm: independent, so squares add up."""
        below = math.hypot(math.log(self.value / self.low), noise)
        above = math.hypot(math.log(self.high / self.value), noise)
        return Interval(self.value, self.value * math.exp(-below), self.value * math.exp(above))


def median_interval(samples: list[float]) -> Interval:
    """The median, with the interval between two order statistics that holds the true one (binomial, no model)."""
    ordered = np.sort(samples)
    n = len(ordered)
    lower = int(stats.binom.ppf((1 - CONFIDENCE) / 2, n, 0.5))
    return Interval(float(np.median(ordered)), float(ordered[max(lower - 1, 0)]), float(ordered[min(n - lower, n - 1)]))


def ratio_interval(ours: list[float], theirs: list[float]) -> Interval:
    """Ratio of two speeds measured in the same rounds: the geometric mean over rounds, with Student's interval.

    A round's two values saw the machine in the same minute, so the noise that both share divides out.
    """
    if len(ours) != len(theirs) or len(ours) < 2:
        raise ValueError(f"{len(ours)} and {len(theirs)} rounds: a ratio needs the same number, at least 2")
    logs = np.log(np.array(ours) / np.array(theirs))
    half = stats.t.ppf(0.5 + CONFIDENCE / 2, len(logs) - 1) * logs.std(ddof=1) / math.sqrt(len(logs))
    middle = logs.mean()
    return Interval(*(float(np.exp(x)) for x in (middle, middle - half, middle + half)))


def outliers(samples: list[float]) -> int:
    """How many samples lie beyond FAR_OUT robust standard deviations of the logarithm's median.

    The deviation is the median absolute one, scaled to the normal distribution's. They are flagged, never dropped.
    """
    if len(samples) < FEWEST_TO_FLAG:
        return 0
    logs = np.log(samples)
    away = np.abs(logs - np.median(logs))
    return int(np.sum(away > FAR_OUT * stats.median_abs_deviation(logs, scale="normal")))

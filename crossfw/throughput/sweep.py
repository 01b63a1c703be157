"""What speeds at several values of a setting amount to: exponents, and where one implementation overtakes another."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from scipy import stats

from crossfw.results.schema_sweep import (
    SweepExponent,
    SweepOvertaking,
    SweepPoint,
    SweepRatio,
)
from crossfw.throughput.measure import counterpart
from crossfw.throughput.statistics import CONFIDENCE, median_interval

LIBRARY = {"mxnet-scratch": "mxnet-gluon", "torch-scratch": "torch-nn"}


def pairs(names: list[str]) -> list[tuple[str, str]]:
    """Who is compared with whom: torch with MXNet's sibling, from scratch with the library of the same framework."""
    across = [(name, other) for name in names if (other := counterpart(name, names))]
    return across + [(name, LIBRARY[name]) for name in names if LIBRARY.get(name) in names]


def point(setting: str, value: int, implementation: str, samples: list[float], tokens: int) -> SweepPoint:
    """A point from the tokens per second of every round; without samples one that was not timed.

    Args:
        tokens: of one training step.
    """
    speed = median_interval(samples) if samples else None
    return SweepPoint(
        setting=setting,
        value=value,
        implementation=implementation,
        tokens_per_second=speed and speed.value,
        low=speed and speed.low,
        high=speed and speed.high,
        seconds_per_step=speed and tokens / speed.value,
        seconds_low=speed and tokens / speed.high,
        seconds_high=speed and tokens / speed.low,
        local_exponent=None,
        samples=samples,
        error=None,
        bound=None,
        reason="",
    )


def exponents(points: list[SweepPoint]) -> list[SweepExponent]:
    """Fit seconds per step ~ value^p for every implementation, by least squares of logarithms.

    The interval is Student's, of the slope: it says how far the points lie from one power, as well as their noise.
    The local exponents between neighbours are written into `points`.
    """
    return [fit for name in _names(points) if (fit := _exponent(_timed(points, name)))]


def _exponent(points: list[SweepPoint]) -> SweepExponent | None:
    if len(points) < 2:
        return None
    x = np.log([point["value"] for point in points])
    y = np.log([point["seconds_per_step"] for point in points])
    for after, slope in zip(points[1:], np.diff(y) / np.diff(x), strict=True):
        after["local_exponent"] = float(slope)
    fit, degrees = stats.linregress(x, y), len(points) - 2
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, degrees) * fit.stderr) if degrees else None
    slope = float(fit.slope)
    return SweepExponent(
        setting=points[0]["setting"],
        implementation=points[0]["implementation"],
        exponent=slope,
        low=None if half is None else slope - half,
        high=None if half is None else slope + half,
        points=len(points),
    )


def overtakings(ratios: list[SweepRatio]) -> list[SweepOvertaking]:
    """Where the ratio of each pair crosses 1, if it does so beyond doubt; else one row without a value.

    Two values show it whose intervals leave out 1 on opposite sides, with only undecided ones between them. The place
    is interpolated, straight in the logarithms.
    """
    found = []
    for implementation, against in dict.fromkeys((row["implementation"], row["against"]) for row in ratios):
        rows = [row for row in ratios if (row["implementation"], row["against"]) == (implementation, against)]
        rows.sort(key=lambda row: row["value"])
        decided = [index for index, row in enumerate(rows) if not row["low"] <= 1 <= row["high"]]
        crossed = [(a, b) for a, b in pairwise(decided) if (rows[a]["ratio"] < 1) != (rows[b]["ratio"] < 1)]
        none = SweepOvertaking(
            setting=rows[0]["setting"],
            implementation=implementation,
            against=against,
            value=None,
            after=None,
            before=None,
        )
        found += [_overtaking(rows[a : b + 1]) for a, b in crossed] or [none]
    return found


def _overtaking(rows: list[SweepRatio]) -> SweepOvertaking:
    """From the last value at which the one is faster to the first at which the other is."""
    first, last = rows[0], rows[-1]
    names = first["implementation"], first["against"]
    winner, loser = names if first["ratio"] < 1 else names[::-1]
    return SweepOvertaking(
        setting=first["setting"],
        implementation=winner,
        against=loser,
        value=_place(rows),
        after=first["value"],
        before=last["value"],
    )


def _place(rows: list[SweepRatio]) -> float:
    """The first value at which the ratio is 1; the first and the last ratio lie on different sides of it."""
    for left, right in pairwise(rows):
        y0, y1 = math.log(left["ratio"]), math.log(right["ratio"])
        if (y0 < 0) != (y1 < 0):
            x0, x1 = math.log(left["value"]), math.log(right["value"])
            return math.exp(x0 + (x1 - x0) * y0 / (y0 - y1))
    raise ValueError("no two neighbours on different sides of 1")


def _names(points: Iterable[SweepPoint]) -> list[str]:
    return list(dict.fromkeys(point["implementation"] for point in points))


def _timed(points: list[SweepPoint], name: str) -> list[SweepPoint]:
    mine = [point for point in points if point["implementation"] == name and point["seconds_per_step"] is not None]
    return sorted(mine, key=lambda point: point["value"])

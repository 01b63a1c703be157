"""The part of the contract of `schema.py` that is about sweeps: `sweeps` of a task in `results.json`."""

from __future__ import annotations

from typing import TypedDict


class SweepPoint(TypedDict):
    """(added) One implementation at one value of a swept setting, in training.

    Speeds are None where it was not timed, and `reason` says why. `error` and `bound` are those of the float64
    gradient (or loss) that came nearest to its bound, or went furthest beyond it, against the reference at this value.
    """

    setting: str  # hidden, batch, steps, layers or threads
    value: int
    implementation: str
    tokens_per_second: float | None  # the median over rounds
    low: float | None
    high: float | None
    seconds_per_step: float | None
    seconds_low: float | None
    seconds_high: float | None
    local_exponent: float | None  # of the seconds per step, from the next smaller value that was timed
    samples: list[float]  # tokens per second, one for each round
    error: float | None
    bound: float | None
    reason: str


class SweepExponent(TypedDict):
    """(added) The p of seconds per step ~ value^p, fitted over all values; no interval from fewer than three."""

    setting: str
    implementation: str
    exponent: float
    low: float | None
    high: float | None
    points: int


class SweepRatio(TypedDict):
    """(added) Speed of one implementation by that of another at one value, with its interval as in throughput."""

    setting: str
    value: int
    implementation: str
    against: str
    ratio: float
    low: float
    high: float


class SweepOvertaking(TypedDict):
    """(added) `implementation` is slower than `against` at `after` and faster at `before`, both beyond doubt.

    `value` lies between them, where the ratio is 1, interpolated. All three are None where a pair shows no overtaking.
    """

    setting: str
    implementation: str
    against: str
    value: float | None
    after: int | None
    before: int | None


class Sweep(TypedDict):
    """(added) One setting swept: `crossfw run --sweep`."""

    setting: str
    values: list[int]
    points: list[SweepPoint]
    exponents: list[SweepExponent]
    ratios: list[SweepRatio]
    overtakings: list[SweepOvertaking]

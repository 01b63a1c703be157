"""Throughput rows of a task: speeds, ratios, the A/A control, the machine's limit, memory."""

from __future__ import annotations

import math
from dataclasses import dataclass

from crossfw.models.cost import Cost
from crossfw.results.schema import ThroughputRow
from crossfw.throughput.rounds import ROUNDS_TO_STOP, VISIT_SECONDS, Samples, Speeds
from crossfw.throughput.statistics import Interval, median_interval, outliers, ratio_interval

MODES = ("train", "infer")
CONTROL = " (A/A)"
MATRIX_SIZE = {"cpu": 1024, "cuda": 4096}  # a card is not busy with less
COPIED_BYTES = {  # the least and the most that the copy takes, else half of what a step moves
    "cpu": (4 << 20, 64 << 20),
    "cuda": (256 << 20, 256 << 20),
}
RATE_SECONDS = 0.03  # of each
MEMORY_STEPS = 3
NOISY = 1.1
WIDTH = 0.05  # of a ratio's interval, from end to end, at which no more rounds are needed
SIBLINGS = {"torch-scratch": "mxnet-scratch", "torch-nn": "mxnet-gluon"}


@dataclass(frozen=True)
class Effort:
    """What a contest may take: so many rounds, and seconds after which no more begin; `visit`: the seconds of one."""

    rounds: int
    budget: float
    visit: float


GLANCE = Effort(30, 1.4, VISIT_SECONDS)  # at every task of the catalogue
FULL, NAMED = Effort(200, 5.0, 0.03), Effort(200, 10.0, 0.03)


@dataclass(frozen=True)
class Beside:
    """What is known of an implementation besides its rounds; all None where it was not measured.

    Attributes:
        build_seconds: of making the model.
        peak_memory_bytes: above the idle worker. memory_per_step_bytes: its growth with each further step.
        rates: `operations` and `bytes` per second of the machine in its framework.
    """

    build_seconds: float | None = None
    peak_memory_bytes: int | None = None
    memory_per_step_bytes: float | None = None
    rates: dict[str, float] | None = None


def counterpart(name: str, names: list[str]) -> str | None:
    """The MXNet sibling that a torch implementation is measured against; for others any MXNet one, or None."""
    if not name.startswith("torch"):
        return None
    mxnet = [other for other in names if other.startswith("mxnet")]
    return SIBLINGS[name] if SIBLINGS.get(name) in mxnet else (mxnet[0] if mxnet else None)


def ratios(speeds: Speeds, control: str) -> dict[str, tuple[str, Interval]]:
    """What each worker is measured against and the ratio, the control's own among them; others are widened by it."""
    names = [name for name in speeds if not name.endswith(CONTROL)]
    noise, found = control_noise(speeds, control), {}
    for name, ours in speeds.items():
        is_control = name.endswith(CONTROL)
        to = control if is_control else counterpart(name, names)
        if to:
            interval = ratio_interval(ours, speeds[to])
            found[name] = to, interval if is_control else interval.widened(noise)
    return found


def narrow_enough(speeds: Speeds, control: str) -> bool:
    """Whether the interval of every ratio of two implementations is narrower than WIDTH; without any, the control's."""
    found = ratios(speeds, control)
    printed = [interval for name, (_, interval) in found.items() if not name.endswith(CONTROL)]
    return all(interval.width < WIDTH for interval in printed or [interval for _, interval in found.values()])


def rows_of(samples: Samples, control: str, cost: Cost, tokens: int, beside: dict[str, Beside]) -> list[ThroughputRow]:
    """One row per implementation, and one for the control against itself.

    Args:
        samples: of one mode; the control's second process is named `control + CONTROL`.
        control: the implementation that runs twice.
        cost: of a step on the batch, in this mode; tokens: in the batch.
        beside: by implementation; those that are missing have nothing.
    """
    compared, rows = ratios(samples.by_name, control), []
    for name, speeds in samples.by_name.items():
        plain = name.removesuffix(CONTROL)
        known, middle = beside.get(plain, Beside()), median_interval(speeds)
        to, ratio = compared.get(name, (None, None))
        seconds, limit_by = cost.seconds(known.rates["operations"], known.rates["bytes"]) if known.rates else (0, None)
        rows.append(
            ThroughputRow(
                implementation=plain,
                mode=samples.mode,
                tokens_per_second=middle.value,
                low=middle.low,
                high=middle.high,
                samples=speeds,
                ratio_to=to,
                ratio=ratio and ratio.value,
                ratio_low=ratio and ratio.low,
                ratio_high=ratio and ratio.high,
                limit_fraction=seconds * middle.value / tokens if limit_by else None,
                peak_memory_bytes=known.peak_memory_bytes,
                limit_by=limit_by,
                outliers=outliers(speeds),
                first_step_seconds=samples.first_seconds.get(name),
                build_seconds=known.build_seconds,
                memory_per_step_bytes=known.memory_per_step_bytes,
            )
        )
    return rows


def control_noise(speeds: Speeds, control: str) -> float:
    """By how much, as a logarithm, two processes of the same code may seem to differ: the far end of the interval."""
    if control + CONTROL not in speeds:
        return 0.0
    seen = ratio_interval(speeds[control + CONTROL], speeds[control])
    return max(abs(math.log(seen.low)), abs(math.log(seen.high)))


def copied_bytes(cost: Cost, device: str) -> int:
    """Size of the array whose copy moves as much as a step, within COPIED_BYTES of the device ("cpu", "cuda:0").

    Both then find it in the same level of the caches; a smaller step may find its own in a faster one.
    """
    least, most = COPIED_BYTES[device.partition(":")[0]]
    return int(min(max(cost.bytes / 2, least), most))


def is_glance(budget: float) -> bool:
    """Whether so many seconds of a mode are fewer than can be had; visits are shorter then too."""
    return budget < FULL.budget


def control_warning(rows: list[ThroughputRow], budget: float) -> str | None:
    """What the A/A control says of a measurement of so many seconds, where it fakes a difference of more than NOISY."""
    worst = None
    for row in rows:
        if row["ratio_to"] == row["implementation"]:
            noise = max(abs(math.log(row["ratio_low"])), abs(math.log(row["ratio_high"])))
            if noise > math.log(NOISY) and (worst is None or noise > worst[0]):
                worst = noise, row
    if worst is None:
        return None
    noise, row = worst
    rounds = len(row["samples"])
    few = rounds < ROUNDS_TO_STOP
    reason = f"few rounds fitted into {budget:g} s" if few else "the machine was busy or is noisy"
    if is_glance(budget):
        remedy = ": name the task in `crossfw run`, and it gets more time"
    else:
        remedy = "" if few else ": run it again when nothing else runs"
    return (
        f"speed is measured coarsely: two processes of the same {row['implementation']} seem to differ by up to "
        f"{math.expm1(noise):.0%} ({row['mode']}, {rounds} rounds), and all ratios are widened by that; "
        + reason
        + remedy
    )

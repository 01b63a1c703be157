"""Throughput rows of a task: speeds, ratios, the A/A control, the machine's limit, memory."""

from __future__ import annotations

import math

from crossfw.schema import ThroughputRow
from crossfw.throughput.rounds import Samples
from crossfw.throughput.statistics import median_interval, ratio_interval

MODES = ("train", "infer")
CONTROL = " (A/A)"
MATRIX_SIZE = 1024
MATRIX_REPEATS = 5
MEMORY_STEPS = 3
NOISY = 1.1
SIBLINGS = {"torch-scratch": "mxnet-scratch", "torch-nn": "mxnet-gluon"}


def counterpart(name: str, names: list[str]) -> str | None:
    """The MXNet sibling that a torch implementation is measured against; for others any MXNet one, or None."""
    if not name.startswith("torch"):
        return None
    mxnet = [other for other in names if other.startswith("mxnet")]
    return SIBLINGS[name] if SIBLINGS.get(name) in mxnet else (mxnet[0] if mxnet else None)


def rows_of(
    samples: Samples, control: str, flops: dict[str, float], limits: dict[str, float], memory: dict[str, int]
) -> list[ThroughputRow]:
    """One row per implementation, and one for the control against itself.

    Args:
        samples: of one mode; the control's second process is named `control + CONTROL`.
        control: the implementation that runs twice.
        flops: floating-point operations per token, by mode.
        limits: operations per second of the machine's own matrix product, by implementation.
        memory: peak bytes above the idle worker, by implementation.
    """
    names, rows = [name for name in samples.by_name if not name.endswith(CONTROL)], []
    noise = control_noise(samples, control)
    for name, speeds in samples.by_name.items():
        plain = name[: -len(CONTROL)] if name.endswith(CONTROL) else name
        to = control if name.endswith(CONTROL) else counterpart(name, names)
        ratio = ratio_interval(speeds, samples.by_name[to]) if to else None
        if ratio and not name.endswith(CONTROL):
            ratio = ratio.widened(noise)
        middle = median_interval(speeds)
        fraction = middle.value * flops[samples.mode] / limits[plain] if plain in limits else None
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
                limit_fraction=fraction,
                peak_memory_bytes=memory.get(plain),
            )
        )
    return rows


def control_noise(samples: Samples, control: str) -> float:
    """By how much, as a logarithm, two processes of the same code may seem to differ: the far end of the interval."""
    if control + CONTROL not in samples.by_name:
        return 0.0
    seen = ratio_interval(samples.by_name[control + CONTROL], samples.by_name[control])
    return max(abs(math.log(seen.low)), abs(math.log(seen.high)))


def control_warning(rows: list[ThroughputRow]) -> str | None:
    """What the A/A control says of the machine, where it fakes a difference of more than NOISY."""
    worst = None
    for row in rows:
        if row["ratio_to"] == row["implementation"]:
            noise = max(abs(math.log(row["ratio_low"])), abs(math.log(row["ratio_high"])))
            if noise > math.log(NOISY) and (worst is None or noise > worst[0]):
                worst = noise, row
    if worst is None:
        return None
    noise, row = worst
    return (
        f"this machine was too busy to measure well: two processes of the same {row['implementation']} seem to differ "
        f"by up to {math.expm1(noise):.0%} ({row['mode']}); all ratios are widened by that"
    )

"""What the sentences, tables and figures of a report all need to know about a task, computed from its rows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

from crossfw.models import framework_of
from crossfw.results import formatting
from crossfw.results.schema import (
    AgreementRow,
    Learning,
    PerplexityRow,
    TaskResult,
    ThroughputRow,
    TrajectoryRow,
)

MODES = {"train": "training", "infer": "inference"}
SEES_THE_FUTURE = "sees the future: its perplexity is no measure of a language model"


@dataclass(frozen=True)
class Final:
    """The perplexities at the end of training of one implementation, one of each seed."""

    implementation: str
    split: str
    epoch: int
    values: list[float]

    @property
    def middle(self) -> float:
        """The median over seeds; NaN if one of them is."""
        return math.nan if any(math.isnan(value) for value in self.values) else median(self.values)


def unique(items: Iterable[Any]) -> list[Any]:
    """`items` without repetition, in order."""
    return list(dict.fromkeys(items))


def small_products(measurement: dict[str, Any], mode: str) -> dict[str, float]:
    """Small products per second of the machine by framework, the median over its workers; an older report has none."""
    seen: dict[str, list[float]] = {}
    for worker, per_second in measurement.get("modes", {}).get(mode, {}).get("small_products", {}).items():
        seen.setdefault(framework_of(worker), []).append(per_second)
    return {framework: median(rates) for framework, rates in seen.items()}


def failed(row: AgreementRow) -> bool:
    """Whether a row is a difference; an error that cannot be compared with its bound is one."""
    return row["grade"] == "different" or math.isnan(row["error"])


def severity(row: AgreementRow) -> float:
    """Error by bound, inf where there is no such number: what to sort by."""
    if math.isnan(row["error"]) or math.isinf(row["error"]):
        return math.inf
    if row["bound"] > 0:
        return row["error"] / row["bound"]
    return math.inf if row["error"] > 0 else 0.0


def differing(task: TaskResult) -> list[str]:
    """The implementations that differ from what they were compared with."""
    rows = task["first_divergence"] or [row for row in task["agreement"] if failed(row)]
    return unique(row["implementation"] for row in rows)


def skipped(task: TaskResult) -> bool:
    """Whether a task was not run because its data could not be had."""
    return [failure["stage"] for failure in task.get("failures", ())] == ["data"]


def seeing_the_future(task: TaskResult) -> list[str]:
    """The implementations that failed the causality check."""
    return unique(row["implementation"] for row in task["causality"] if not row["causal"])


def future_warning(task: TaskResult) -> str:
    """Who sees the future, as a sentence; empty where nobody does."""
    blind, asked = seeing_the_future(task), unique(row["implementation"] for row in task["causality"])
    if len(blind) < 2:
        return "".join(f"{name} {SEES_THE_FUTURE}" for name in blind)
    return f"{formatting.all_of(blind, len(asked))} see the future: their perplexity is no measure of a language model"


def drawn_dtype(task: TaskResult) -> str | None:
    """The dtype whose curves are shown: float32 where there is one, as that is what people train in."""
    dtypes = unique(row["dtype"] for row in task["perplexity"])
    return "float32" if "float32" in dtypes else "float64" if "float64" in dtypes else next(iter(dtypes), None)


def drawn_rows(task: TaskResult, perturbed: bool = False) -> list[PerplexityRow]:
    """The points of the curves that are shown."""
    dtype = drawn_dtype(task)
    return [row for row in task["perplexity"] if row["dtype"] == dtype and row["perturbed"] == perturbed]


def finals(task: TaskResult) -> list[Final]:
    """The last epoch of every implementation and split; seeds that stopped earlier than the others are left out."""
    rows, found = drawn_rows(task), []
    for implementation in unique(row["implementation"] for row in rows):
        for split in ("training", "validation"):
            mine = [row for row in rows if row["implementation"] == implementation and row["split"] == split]
            if mine:
                epoch = max(row["epoch"] for row in mine)
                values = [row["perplexity"] for row in mine if row["epoch"] == epoch]
                found.append(Final(implementation, split, epoch, values))
    return found


def seeds(task: TaskResult) -> list[int]:
    """The seeds of the curves that are shown."""
    return unique(row["seed"] for row in drawn_rows(task))


def is_control(row: ThroughputRow) -> bool:
    """Whether a row is the A/A control: the same code in a second process."""
    return row["ratio_to"] == row["implementation"]


def compared(row: ThroughputRow) -> bool:
    """Whether a row is the ratio of two implementations."""
    numbers = (row["ratio"], row["ratio_low"], row["ratio_high"])
    return row["ratio_to"] is not None and not is_control(row) and all(map(_finite, numbers))


def shows_no_difference(row: ThroughputRow) -> bool:
    """Whether the interval of a row's ratio contains 1."""
    return row["ratio_low"] <= 1 <= row["ratio_high"]


def trajectory_pairs(learning: Learning) -> dict[tuple[str, str], list[TrajectoryRow]]:
    """The rows of each pair of implementations, by epoch."""
    pairs: dict[tuple[str, str], list[TrajectoryRow]] = {}
    for row in sorted(learning["trajectory"], key=lambda row: row["epoch"]):
        pairs.setdefault((row["implementation"], row["against"]), []).append(row)
    return pairs


def _finite(number: float | None) -> bool:
    return number is not None and math.isfinite(number)

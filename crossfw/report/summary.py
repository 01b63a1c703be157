"""The words of a report: three answers for every task. Markdown, HTML and the terminal print these same sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from crossfw.report import facts, sweeps
from crossfw.results import formatting
from crossfw.results.schema import AgreementRow, TaskResult, ThroughputRow

Status = Literal["yes", "no", "unknown", "plain"]
QUESTIONS = {"model": "Same model?", "learning": "Learns the same?", "speed": "How fast?"}
NO_DIFFERENCE = "no difference shown"


@dataclass(frozen=True)
class Answer:
    """One answer about one task: a word, what supports it, and the warnings that belong right beside it."""

    question: str
    status: Status
    lead: str
    parts: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The answer as one sentence."""
        return ": ".join(filter(None, (self.lead, "; ".join(self.parts))))


def answers(task: TaskResult) -> list[Answer]:
    """The three answers about one task."""
    return [same_model(task), learns_the_same(task), how_fast(task)]


def same_model(task: TaskResult) -> Answer:
    """Do the implementations compute the same, and by what evidence?"""
    question = QUESTIONS["model"]
    if task["verdict"] == "agree":
        return Answer(question, "yes", "yes", _evidence(task))
    if task["verdict"] == "disagree":
        return Answer(question, "no", "no", _first_difference(task))
    if not task["agreement"]:
        return Answer(question, "unknown", "could not be compared", (task["reason"],))
    different = sum(map(facts.failed, task["agreement"]))
    so_far = (f"{formatting.count(different, 'comparison')} failed",) if different else _evidence(task)
    parts = (task["reason"], f"so far, {so_far[0]}", *so_far[1:])
    return Answer(question, "unknown", "could not be compared in full", parts)


def learns_the_same(task: TaskResult) -> Answer:
    """Do they come to the same perplexity by the same way?"""
    question, learning = QUESTIONS["learning"], task["learning"]
    warnings = tuple(filter(None, (facts.future_warning(task),)))
    if learning is None:
        return Answer(question, "unknown", "", ("nothing was trained",), warnings)
    status, lead = {"same": ("yes", "yes"), "different": ("no", "no")}.get(
        learning["verdict"], ("unknown", "not tested")
    )
    return Answer(question, status, lead, (learning["text"], *_endings(task)), warnings)


def how_fast(task: TaskResult) -> Answer:
    """Ratios of speed, training and inference; preceded by whether they compare like with like."""
    question = QUESTIONS["speed"]
    if not task["throughput"]:
        return Answer(question, "unknown", "", ("not measured",))
    parts = []
    for mode, name in facts.MODES.items():
        rows = [row for row in task["throughput"] if row["mode"] == mode and not facts.is_control(row)]
        ratios = [ratio_sentence(row) for row in rows if facts.compared(row)]
        speeds = [f"{row['implementation']} {formatting.rate(row['tokens_per_second'])} tokens/s" for row in rows]
        if rows:
            parts.append(f"{name}: {', '.join(ratios or speeds)}")
    stepping = (task["measurement"] or {}).get("steps_cells", ())  # which older reports lack
    if stepping:
        verb = "steps" if len(stepping) == 1 else "step"
        parts.append(f"{formatting.listing(stepping)} {verb} cells one by one instead of whole layers")
    parts += [sweeps.sentence(sweep) for sweep in task["sweeps"]]
    status = "plain" if task["verdict"] == "agree" else "no" if task["verdict"] == "disagree" else "unknown"
    return Answer(question, status, not_the_same_model(task), tuple(parts))


def not_the_same_model(task: TaskResult) -> str:
    """What stands before every line about speed unless the implementations agree."""
    if task["verdict"] == "agree":
        return ""
    return "not the same model" if task["verdict"] == "disagree" else "not shown to be the same model"


def ratio_sentence(row: ThroughputRow) -> str:
    """`torch-nn 1.9x mxnet-gluon (1.8 to 2.1)`, or that no difference is shown."""
    number, interval = formatting.ratio(row["ratio"], row["ratio_low"], row["ratio_high"]).split(" ", 1)
    if facts.shows_no_difference(row):
        return f"{row['implementation']} and {row['ratio_to']} {NO_DIFFERENCE} {interval}"
    return f"{row['implementation']} {number} {row['ratio_to']} {interval}"


def difference_sentence(row: AgreementRow) -> str:
    """`torch-nn differs from numpy first at stage forward, tensor hidden: error 0.93, bound 1e-12`."""
    place = (
        f"{row['implementation']} differs from {row['against']} first at stage {row['stage']}, tensor {row['tensor']}"
    )
    size = f"error {formatting.error(row['error'])}, bound {formatting.error(row['bound'])}"
    return f"{place}: {size}" + ("" if row["dtype"] == "float64" else f" ({row['dtype']})")


def _first_difference(task: TaskResult) -> tuple[str, ...]:
    if not task["first_divergence"]:
        return (task["reason"],)
    first, *others = task["first_divergence"]
    more = f"{formatting.count(len(others), 'other pair')} {'differs' if len(others) == 1 else 'differ'} too"
    return (difference_sentence(first), more) if others else (difference_sentence(first),)


def _evidence(task: TaskResult) -> tuple[str, ...]:
    dtypes = facts.unique(row["dtype"] for row in task["agreement"])
    dtype = "float64" if "float64" in dtypes or not dtypes else dtypes[0]
    rows = [row for row in task["agreement"] if row["dtype"] == dtype]
    if not rows:
        return (task["reason"],)
    tensors = formatting.count(len({(row["stage"], row["tensor"]) for row in rows}), "tensor")
    stages = formatting.count(len({row["stage"] for row in rows}), "stage")
    worst = max(rows, key=lambda row: (math.isnan(row["error"]), row["error"]))
    used = max((row["error"] / row["bound"] for row in rows if row["bound"] and math.isfinite(row["error"])), default=0)
    size = f"largest error {formatting.error(worst['error'])}, none above {formatting.percent(used)} of its bound"
    verb = "agrees" if tensors == "1 tensor" else "agree"
    return (f"{tensors} in {stages} {verb} in {dtype}, {size}", *_rounding(task))


def _rounding(task: TaskResult) -> tuple[str, ...]:
    factors: dict[str, float] = {}
    for row in task["agreement"]:
        if row["grade"] == "less accurate":
            factors[row["implementation"]] = max(factors.get(row["implementation"], 0.0), row["factor"] or 0.0)
    words = [
        f"{name} is less accurate" + (f" (up to {formatting.times(factor)})" if factor else "")
        for name, factor in factors.items()
    ]
    return (f"in float32 {formatting.listing(words)}",) if words else ()


def _endings(task: TaskResult) -> tuple[str, ...]:
    finals = facts.finals(task)
    last = max((final.epoch for final in finals), default=0)
    ranges = []
    for split in ("training", "validation"):
        values = [final.middle for final in finals if final.split == split and final.epoch == last]
        if values:
            ranges.append(f"{split} {formatting.perplexity_range(values)}")
    floor = "" if task["floor"] is None else f" (best possible {formatting.perplexity(task['floor'])})"
    return (f"perplexity at epoch {last}: {', '.join(ranges)}{floor}",) if ranges else ()

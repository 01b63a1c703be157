"""Published numbers beside those measured here."""

from __future__ import annotations

import math

import numpy as np

from crossfw.agreement import examples
from crossfw.harness.conclude import Conclusion
from crossfw.harness.work import Work
from crossfw.models import framework_of
from crossfw.results.schema import PublishedRow
from crossfw.task import QUANTITIES, Published

REPRODUCED = "reproduced"
FEWEST_SEEDS = 5  # that have a spread worth the name
STYLES = (("mxnet-scratch", "torch-scratch"), ("mxnet-gluon", "torch-nn"))


def example_rows(conclusion: Conclusion) -> list[PublishedRow]:
    """Worked examples, from every implementation."""
    rows = []
    for name, side in conclusion.sides("float64").items():
        for example in conclusion.work.task.example if "examples" in side.trace.facts else ():
            if example.framework in ("by hand", "NumPy", framework_of(name)):
                rows += examples.published_rows(name, example, side.trace.facts["examples"])
    return rows


def trained_rows(conclusion: Conclusion, speeds: dict[str, float]) -> list[PublishedRow]:
    """Figures of trained models; `speeds` in tokens per second, of training."""
    return [_trained(conclusion, item, speeds) for item in conclusion.work.task.published]


def _trained(conclusion: Conclusion, item: Published, speeds: dict[str, float]) -> PublishedRow:
    speed = item.quantity == "tokens per second"

    def measured(name: str) -> float | None:
        if speed:
            return speeds.get(name)
        values = _values(conclusion, item, name)
        return float(np.median(values)) if values else None

    mine = measured(item.implementation)
    verdict = (
        "another machine" if speed else _judge(_values(conclusion, item, item.implementation), item, conclusion.work)
    )
    style = next(pair for pair in STYLES if item.implementation in pair)
    return PublishedRow(
        quantity=item.quantity + (f" at epoch {item.epoch}" if item.epoch else ""),
        framework=item.framework,
        published=item.value,
        measured=mine,
        source=item.source,
        implementation=item.implementation,
        verdict=verdict if mine is not None else "not measured",
        mxnet_measured=measured(style[0]),
        torch_measured=measured(style[1]),
    )


def _values(conclusion: Conclusion, item: Published, name: str) -> list[float]:
    """What was measured of an implementation, from every seed."""
    mine = [curve for curve in conclusion.curves.evaluated() if curve.implementation == name]
    epoch = item.epoch or conclusion.work.epochs
    if item.quantity in QUANTITIES:
        points = [p for c in mine for p in c.trace.facts["points"] if (p["epoch"], p["split"]) == (epoch, "training")]
        steps = len(conclusion.work.batch["inputs"])
        return [
            {
                "training perplexity": point["perplexity"],
                "training loss": point["loss"],
                "D2L's seq2seq loss": math.log(point["perplexity"]) / steps,
            }[item.quantity]
            for point in points
        ]
    return [m["value"] for c in mine for m in c.trace.facts["measures"] if m["measure"] == item.quantity]


def _judge(values: list[float], item: Published, work: Work) -> str:
    """Whether the median is the published figure; where it is not, a published run within many seeds' spread counts."""
    needed = item.epoch or work.task.recipe.epochs
    if work.epochs < needed or (item.epoch is None and work.epochs != needed):
        return f"not comparable: {work.epochs} of {needed} epochs"
    if not values:
        return "not measured"
    place = _place(values, item.value)
    if _is_close(float(np.median(values)), item):
        return REPRODUCED + place
    if len(values) < work.task.recipe.seeds:
        return f"not shown: {len(values)} of {work.task.recipe.seeds} seeds"
    if len(values) >= FEWEST_SEEDS and min(values) <= item.value <= max(values):
        return f"{REPRODUCED}, within the spread over seeds{place}"
    return examples.NOT_REPRODUCED + place


def _is_close(middle: float, item: Published) -> bool:
    """Between low and high where they are given; exactly, for a measure such as an accuracy; else within the margin."""
    if item.low is not None:
        return item.low <= middle <= item.high
    if item.quantity not in QUANTITIES:
        return middle == item.value
    return middle > 0 and abs(math.log(middle / item.value)) <= item.margin


def _place(values: list[float], published: float) -> str:
    """Where the published run lies among the seeds; a single seed has no spread."""
    if len(values) < 2:
        return ""
    below = sum(value < published for value in values)
    return f"; {len(values)} seeds from {min(values):.4g} to {max(values):.4g}, {below} of them below the published run"

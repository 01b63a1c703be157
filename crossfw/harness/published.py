"""Published numbers beside those measured here."""

from __future__ import annotations

import math

import numpy as np

from crossfw.agreement import examples
from crossfw.harness.conclude import Conclusion
from crossfw.schema import PublishedRow
from crossfw.task import Published

MARGIN = 0.1  # on the ratio of perplexities: published ones are printed with one decimal


def published_rows(conclusion: Conclusion, speeds: dict[str, float]) -> list[PublishedRow]:
    """Worked examples from every implementation, then trained figures; `speeds` in tokens per second, of training."""
    task, rows = conclusion.work.task, []
    for name, side in conclusion.sides("float64").items():
        for example in task.example if "examples" in side.trace.facts else ():
            if example.framework in ("by hand", "NumPy", name.partition("-")[0]):
                rows += examples.published_rows(name, example, side.trace.facts["examples"])
    return rows + [_trained(conclusion, item, speeds) for item in task.published]


def _trained(conclusion: Conclusion, item: Published, speeds: dict[str, float]) -> PublishedRow:
    measured, verdict = speeds.get(item.implementation), "another machine"
    if item.quantity == "training perplexity":
        values = conclusion.finals().get(item.implementation)
        measured = float(np.median(values)) if values else None
        verdict = _judge(measured, item.value, conclusion.work.epochs, conclusion.work.task.recipe.epochs)
    return PublishedRow(
        quantity=item.quantity,
        framework=item.framework,
        published=item.value,
        measured=measured,
        source=item.source,
        implementation=item.implementation,
        verdict=verdict if measured is not None else "not measured",
    )


def _judge(measured: float | None, published: float, epochs: int, needed: int) -> str:
    if epochs != needed:
        return f"not comparable: {epochs} of {needed} epochs"
    if measured is None:
        return "not measured"
    return "reproduced" if abs(math.log(measured / published)) <= MARGIN else examples.NOT_REPRODUCED

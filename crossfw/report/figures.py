"""All figures of a task, drawn without pyplot: perplexity, gaps of trajectories, errors by tensor, throughput."""

from __future__ import annotations

import matplotlib

from crossfw.report import curves, heatmap, speed
from crossfw.report.canvas import STYLE, Drawing, Style
from crossfw.schema import TaskResult

KINDS = {
    "errors": heatmap.errors,
    "perplexity": curves.perplexity,
    "trajectory": curves.gaps,
    "throughput": speed.throughput,
}


def draw(task: TaskResult, styles: dict[str, Style], prefix: str) -> dict[str, Drawing]:
    """The figures that a task's results allow, by kind; their names begin with `prefix`."""
    with matplotlib.rc_context(STYLE):
        drawings = {kind: function(task, styles, f"{prefix}-{kind}") for kind, function in KINDS.items()}
    return {kind: drawing for kind, drawing in drawings.items() if drawing}

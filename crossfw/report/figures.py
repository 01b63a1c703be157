"""All figures of a task, drawn without pyplot: errors, perplexity, gaps of trajectories, throughput, sweeps."""

from __future__ import annotations

import hashlib
import pickle

import matplotlib

from crossfw.report import curves, heatmap, scaling, speed
from crossfw.report.canvas import STYLE, Drawing, Style
from crossfw.results.schema import TaskResult

KINDS = {
    "errors": heatmap.errors,
    "perplexity": curves.perplexity,
    "trajectory": curves.gaps,
    "throughput": speed.throughput,
}
KEPT = 100  # tasks

_drawn: dict[bytes, dict[str, Drawing]] = {}  # a run writes its report after every task, and drawing takes the longest


def draw(task: TaskResult, styles: dict[str, Style], prefix: str) -> dict[str, Drawing]:
    """The figures that a task's results allow, by kind; their names begin with `prefix`."""
    key = hashlib.sha256(pickle.dumps((task, styles, prefix))).digest()
    if key not in _drawn:
        if len(_drawn) >= KEPT:
            _drawn.pop(next(iter(_drawn)))
        with matplotlib.rc_context(STYLE):
            drawings = {kind: function(task, styles, f"{prefix}-{kind}") for kind, function in KINDS.items()}
            for sweep in task["sweeps"]:
                kind = f"sweep-{sweep['setting']}"
                drawings[kind] = scaling.scaling(task, sweep, styles, f"{prefix}-{kind}")
        _drawn[key] = {kind: drawing for kind, drawing in drawings.items() if drawing}
    return dict(_drawn[key])

"""The place of the first divergence: both trees run call by call, and each torch layer also on MXNet's own input."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from crossfw.errors import CrossfwError
from crossfw.verification.comparing import error_of, same_shape
from crossfw.verification.stages import Stages


@dataclass(frozen=True)
class Step:
    """A pair of calls.

    Attributes:
        mxnet, torch: what the sides told of the calls.
        inputs: error of the inputs; output: of the outputs; own: of torch's output on MXNet's input.
    """

    mxnet: dict
    torch: dict
    inputs: float
    output: float
    own: float | None


@dataclass(frozen=True)
class Place:
    """Where a pair begins to differ.

    Attributes:
        where: one sentence. lines: the tree of calls, the place marked. steps: every pair of calls.
        first: the first that differs.
    """

    where: str = ""
    lines: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    first: Step | None = None
    gap: tuple[Step | None, Step] | None = field(default=None)


FORWARD = {"forward": False, "forward in training": True}


def locate(stages: Stages, stage: str) -> Place:
    """The place, for a stage that the layers' outputs can tell."""
    if stage == "parameters" or stage not in FORWARD and not failing_gradients(stages, stage):
        return Place()
    training = FORWARD.get(stage, stages.training)
    stages.reset()
    draw = stages.draws[0]
    listings = stages.pair.both("record", **draw.arguments, training=training)
    pairs = pair_calls(stages, listings)
    steps = [measure(stages, a, b, training, draw.seed) for a, b in pairs]
    return judged(stages, steps, listings["torch"])


def failing_gradients(stages: Stages, stage: str) -> bool:
    return False


def pair_calls(stages: Stages, listings: dict[str, list[dict]]) -> list[tuple[dict, dict]]:
    """Calls that correspond: those of mapped layers, occurrence by occurrence; then containers and layers without
    parameters between them, by kind and order."""
    partner = {p.torch.layer: p.mxnet.layer for p in stages.mapping.pairs}
    occurrences: dict[str, list[dict]] = {}
    for call in listings["mxnet"]:
        occurrences.setdefault(call["path"], []).append(call)
    counts: dict[str, int] = {}
    pairs = []
    for call in listings["torch"]:
        path = partner.get(call["path"])
        if path is None:
            continue
        index = counts.get(call["path"], 0)
        counts[call["path"]] = index + 1
        if index < len(occurrences.get(path, ())):
            pairs.append((occurrences[path][index], call))
    return pairs


def measure(stages: Stages, mxnet: dict, torch: dict, training: bool, seed: int) -> Step:
    """Errors of one pair of calls."""
    theirs = stages.pair.mxnet.call("call_arrays", number=mxnet["number"])
    ours = stages.pair.torch.call("call_arrays", number=torch["number"])
    own = None
    floats = lambda arrays: [a for a in arrays]  # noqa: E731
    if [np.size(a) for a in theirs["inputs"]] == [np.size(a) for a in ours["inputs"]]:
        try:
            again = stages.pair.torch.call(
                "run_call", number=torch["number"], inputs=floats(theirs["inputs"]), training=training, seed=seed
            )
            own = apart(list(again.values()), theirs["outputs"])
        except CrossfwError:
            own = None
    return Step(mxnet, torch, apart(ours["inputs"], theirs["inputs"]), apart(ours["outputs"], theirs["outputs"]), own)


def apart(ours: list, theirs: list) -> float:
    """The largest error of two lists of arrays; inf where they do not correspond."""
    if len(ours) != len(theirs):
        return float("inf")
    return max((error_of(*same_shape(np.asarray(a), np.asarray(b))) for a, b in zip(ours, theirs)), default=0.0)


def judged(stages: Stages, steps: list[Step], calls: list[dict]) -> Place:
    """The first step that differs, in words and in the tree."""
    limit = stages.limit()
    first = next((s for s in steps if s.own is not None and s.own > limit or s.inputs > limit or s.output > limit), None)
    where = ""
    if first is not None:
        path = first.torch["path"] or "the model"
        if first.own is not None and first.own > limit:
            where = f"{path} ({first.torch['kind']}) gives another output for MXNet's own input: it differs itself"
        elif first.inputs > limit:
            where = f"what goes into {path} ({first.torch['kind']}) differs already: look at the code before it"
        else:
            where = f"{path} ({first.torch['kind']}) differs in the whole run, not on its own"
    elif steps:
        where = "all layers with parameters agree; the difference is in the code after the last of them"
    lines = [line(step, step is first, limit) for step in steps]
    return Place(where, tuple(lines), tuple(steps), first)


def line(step: Step, marked: bool, limit: float) -> str:
    """One line of the tree."""
    sign = "ok" if max(step.output, step.own or 0.0) <= limit else "differs"
    mark = "  <-- first divergence" if marked else ""
    path = step.torch["path"] or "(model)"
    indent = "  " * step.torch["depth"]
    return f"{indent}{path} ({step.torch['kind']}) ~ {step.mxnet['path'] or '(model)'}: {sign}, {step.output:.1e}{mark}"


def text_of(place: Any) -> str:
    """The place in lines."""
    return "\n".join(place.lines)

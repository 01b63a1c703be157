"""The place of a fault that no layer's output shows: gradients, running statistics, loss, clipping, optimizer."""

from __future__ import annotations

from typing import Any

import numpy as np

from crossfw.errors import CrossfwError
from crossfw.verification.comparing import by_slots, error_of, label
from crossfw.verification.location import Place
from crossfw.verification.stages import Stages
from crossfw.verification.tree import listed

FUNCTIONS = {
    "loss": "torch_loss",
    "clipping": "torch_clip",
    "update": "torch_optimizer",
    "several updates": "torch_optimizer",
}


def other_place(stages: Stages, stage: str, traced: Any = None) -> Place:
    """The place, told by the tensors that differ."""
    rows = [row for row in stages.rows if row.stage == stage and row.grade == "different"]
    tensors = tuple(dict.fromkeys(row.tensor for row in rows))
    told = listed(list(tensors))
    if stage == "forward in training":
        lines = traced.lines if traced else ()
        steps = traced.steps if traced else ()
        return Place(f"all outputs agree; what differs after the run: {told}", lines, steps, tensors=tensors)
    if stage == "gradients":
        return gradient_place(stages, tensors)
    if stage in FUNCTIONS and tensors:
        return Place(f"{FUNCTIONS[stage]} of the port: {told} differ", tensors=tensors)
    return Place(tensors=tensors)


def gradient_place(stages: Stages, tensors: tuple[str, ...]) -> Place:
    """The layer at which gradients, followed from the loss backwards, are first wrong."""
    layers = in_order(stages)
    wrong = [path for path, names in layers if set(names) & set(tensors)]
    if not wrong:
        return Place("the gradients of the parameters agree, those of the inputs do not", tensors=tensors)
    signs = {path: ("differs" if path in wrong else "ok") for path, _ in layers}
    last = wrong[-1]
    after = [path for path, _ in layers[[p for p, _ in layers].index(last) + 1 :]]
    missing = unreached(stages, [n for path, names in layers if path == last for n in names])
    what = (
        "no gradient reaches it (detach, no_grad, or a parameter that is not used)"
        if missing
        else "its gradient differs"
    )
    come = (
        f"gradients are right from the loss back to {after[0] or '(model)'}"
        if after
        else "from the loss on gradients are wrong"
    )
    lines = tuple(
        f"{path or '(model)'}: {sign}{'  <-- first divergence, backwards' if path == last else ''}"
        for path, sign in signs.items()
    )
    where = f"{come}; at {last or '(model)'}: {what}, while forward agrees"
    return Place(where, lines, tensors=tensors)


def in_order(stages: Stages) -> list[tuple[str, list[str]]]:
    """(path, names of parameters) of torch's mapped layers in the order of execution."""
    found: dict[str, list[str]] = {}
    for pair in sorted(stages.mapping.pairs, key=lambda p: (p.torch.order is None, p.torch.order or 0)):
        found.setdefault(pair.torch.layer, []).extend(label(slots.torch) for slots in pair.slots if slots.torch.learns)
    return [(path, names) for path, names in found.items() if names]


def unreached(stages: Stages, names: list[str]) -> bool:
    """Whether torch's gradient of one of the arrays is zero where MXNet's is not."""
    stages.reset()
    arguments = {**stages.draws[0].arguments, "training": stages.training}
    try:
        found = stages.pair.both("gradients", **arguments)
    except CrossfwError:
        return False
    matched = by_slots(stages.mapping, found["mxnet"]["parameters"], found["torch"]["parameters"])
    return any(ours in names and not np.any(a) and error_of(a, b) > 0 for ours, _, a, b in matched)

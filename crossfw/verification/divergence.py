"""The place of the first divergence: both trees run call by call, and each torch layer also on MXNet's own input."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from crossfw.errors import CrossfwError
from crossfw.verification.comparing import error_of, same_shape
from crossfw.verification.drawn_inputs import Draw
from crossfw.verification.location import Place, Step
from crossfw.verification.pairing import family, inner_activation, pair_calls
from crossfw.verification.places import other_place
from crossfw.verification.stages import Stages
from crossfw.verification.tree import DIFFERS, listed, tree, words

SMALL_PART, LARGEST = 1e-4, 1e-6  # of the error that is looked for


def locate(stages: Stages, stage: str) -> Place:
    """The place of a stage's fault."""
    if stage not in ("forward", "forward in training"):
        return other_place(stages, stage)
    try:
        place = traced(stages, training=stage != "forward")
    except CrossfwError:
        return Place("the layers could not be run one by one")
    return place if place.first or stage == "forward" else other_place(stages, stage, place)


def traced(stages: Stages, training: bool) -> Place:
    """The place, from a recorded run of both models."""
    draws = (*stages.draws, *stages.further_draws)
    draw = next((draw for draw in draws if fails(stages, str(draw))), stages.draws[0])
    with stages.under(draw):
        return traced_draw(stages, draw, training)


def traced_draw(stages: Stages, draw: Draw, training: bool) -> Place:
    """The same, under the weights of a draw."""
    calls = stages.pair.both("record", **draw.arguments, training=training)
    pairs = pair_calls(stages.mapping, calls["mxnet"], calls["torch"])
    bench = Bench(stages, calls, training, draw.seed, threshold(stages))
    steps = [bench.step(a, b) for a, b in pairs]
    told = [step for step in steps if not cut_otherwise(step, steps)]
    return judged(told, calls["torch"], alone(calls["mxnet"], steps))


def cut_otherwise(step: Step, steps: list[Step]) -> bool:
    """Whether two calls only cut the model at different points: sizes differ, and what comes next has right inputs."""
    if np.isfinite(step.output):
        return False
    start, number = step.torch["start"], step.torch["number"]
    after = [s for s in steps if s.torch["start"] > start and s.torch["number"] > number and np.isfinite(s.inputs)]
    following = min(after, key=lambda s: s.torch["start"], default=None)
    return following is not None and following.inputs <= following.limit


def threshold(stages: Stages) -> float:
    """The error at which a call counts as different: the bound, or a small part of what is looked for.

    Some of MXNet's operators hold constants as C floats, which no output shows that is otherwise right.
    """
    worst = max((row.error for row in stages.rows if row.grade == "different"), default=0.0)
    return max(stages.limit(), min(SMALL_PART * worst, LARGEST))


def fails(stages: Stages, run: str) -> bool:
    """Whether anything differs in a draw."""
    return any(row.grade == "different" and row.run == run for row in stages.rows)


def arrays_of(side: Any, call: dict) -> dict:
    """Inputs and outputs of a recorded call."""
    (found,) = side.call("call_arrays", numbers=[call["number"]])
    return found


@dataclass
class Bench:
    """Measures pairs of calls of one recorded run; the arrays stay with the sides but for those of one pair."""

    stages: Stages
    calls: dict[str, list[dict]]
    training: bool
    seed: int
    limit: float

    def step(self, mxnet: dict, torch: dict) -> Step:
        """The errors of one pair. A Gluon layer that ends with an activation is also compared before it."""
        limit = self.limit
        pair = self.stages.pair
        theirs, ours = arrays_of(pair.mxnet, mxnet), arrays_of(pair.torch, torch)
        outputs = [theirs["outputs"]]
        inner = inner_activation(self.calls["mxnet"], mxnet)
        if inner is not None and family(torch["kind"]) != "activation":
            outputs.append(arrays_of(pair.mxnet, inner)["inputs"])
        inputs, given = matched(ours["inputs"], theirs["inputs"], limit)
        output = min(matched(ours["outputs"], one, limit)[0] for one in outputs)
        own = None
        if given is not None and output > limit:
            own = self.own(torch, given, outputs, limit)
            straight, as_given = matched(ours["inputs"], theirs["inputs"], limit, reorder=False)
            if straight > inputs and as_given is not None and (own is None or own > limit):
                inputs, own = straight, self.own(torch, as_given, outputs, limit)
        return Step(mxnet, torch, inputs, output, own, limit)

    def own(self, torch: dict, given: list[np.ndarray], outputs: list, limit: float) -> float | None:
        """Error of torch's call on MXNet's own input."""
        arguments = {"number": torch["number"], "inputs": given, "training": self.training, "seed": self.seed}
        try:
            again = self.stages.pair.torch.call("run_call", **arguments)
        except CrossfwError:
            return None
        return min(matched(again, one, limit)[0] for one in outputs)


def matched(ours: list, theirs: list, limit: float, reorder: bool = True) -> tuple[float, list | None]:
    """The largest error of torch's arrays, each against that of MXNet's of its size that is nearest; and those arrays,
    their axes in torch's order. The arrays are None, and the error inf, where one has no counterpart of its size.

    States that only one side hands out are left out, as long as the first arrays correspond. Without `reorder` arrays
    of equal shape keep their axes.
    """
    worst, found, rest = 0.0, [], list(theirs)
    for number, array in enumerate(ours):
        array = np.asarray(array)
        tried = [
            (*nearest(array, np.asarray(other), limit, reorder), i)
            for i, other in enumerate(rest)
            if np.size(other) == array.size
        ]
        if not tried:
            if number == 0:
                return float("inf"), None
            found.append(array)
            continue
        error, value, index = min(tried, key=lambda t: t[0])
        worst = max(worst, error)
        found.append(value)
        if len(rest) > 1 and len(ours) <= len(theirs):
            rest.pop(index)
    return worst, found


def nearest(ours: np.ndarray, theirs: np.ndarray, limit: float, reorder: bool) -> tuple[float, np.ndarray]:
    """The error, and MXNet's array with its axes in the order that makes it least; other orders only if they agree."""
    a, b = same_shape(ours, theirs)
    error = error_of(a, b)
    if error <= limit or (not reorder and a.shape == b.shape):
        return error, b
    value = b.reshape(a.shape)
    for other in reordered(b, a.shape):
        if error_of(a, other) <= limit:
            return error_of(a, other), other
    return error_of(a, value) if a.shape != b.shape else error, value


def reordered(array: np.ndarray, shape: tuple) -> list[np.ndarray]:
    """The array with its axes in every order that gives a shape; reshaped where it has another number of axes."""
    found = []
    if sorted(array.shape) == sorted(shape) and 2 <= array.ndim <= 5:
        orders = permutations(range(array.ndim))
        found = [array.transpose(o) for o in orders if tuple(array.shape[i] for i in o) == shape]
    elif array.ndim != len(shape):
        found = [array.reshape(shape)]
    return found


def alone(calls: list[dict], steps: list[Step]) -> list[dict]:
    """MXNet's calls of layers without parameters that no call of torch corresponds to."""
    paired = {step.mxnet["number"] for step in steps}
    return [call for call in calls if call["number"] not in paired and family(call["kind"])]


def judged(steps: list[Step], calls: list[dict], unpaired: list[dict]) -> Place:
    """The first step that starts the error, in words and in the tree; MXNet's layers without a partner below it."""
    first = next((step for step in steps if step.sign == DIFFERS), None)
    gap = None if first is None else gap_in(first, steps, calls)
    lines = tree(steps, calls, first)
    if unpaired and first is not None:
        names = dict.fromkeys(f"{call['path'] or '(model)'} ({call['kind']})" for call in unpaired)
        lines.append(f"MXNet's layers without a partner (torch may have a function instead): {listed(list(names))}")
    return Place(words(first, gap, steps), tuple(lines), tuple(steps), first, gap)


def gap_in(first: Step, steps: list[Step], calls: list[dict]) -> tuple[Step | None, Step | None] | None:
    """The calls in a container between which the error starts: the last right one, the first with a wrong input.

    An input of another size is not wrong where the output is right.
    """
    low, high, depth = first.torch["start"], first.torch["number"], first.torch["depth"]
    inside = [s for s in steps if s.torch["start"] > low and s.torch["number"] < high and s.torch["depth"] == depth + 1]
    if not inside:
        inside = [s for s in steps if s.torch["start"] > low and s.torch["number"] < high]
    if not inside:
        return None
    inside.sort(key=lambda step: step.torch["start"])
    wrong = next((s for s in inside if s.inputs > s.limit and (np.isfinite(s.inputs) or s.output > s.limit)), None)
    right = [s for s in inside if s.output <= s.limit and (wrong is None or s.torch["start"] < wrong.torch["start"])]
    return (right[-1] if right else None), wrong

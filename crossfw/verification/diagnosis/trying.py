"""Trying a supposed difference: the failing stage is run again with torch's side changed; MXNet's answers are kept."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from crossfw.verification.comparing import slot_pairs
from crossfw.verification.diagnosis.case import Case
from crossfw.verification.drawn_inputs import SCALES
from crossfw.verification.row import Cause, Row
from crossfw.verification.stages import Stages

MOST_LEFT = 10_000  # that are counted
METHODS = {
    "parameters": "parameters",
    "forward": "forward",
    "forward in training": "forward_in_training",
    "loss": "loss",
    "gradients": "gradient",
    "clipping": "clipping",
    "update": "update",
    "several updates": "several_updates",
}


@dataclass(frozen=True)
class Hypothesis:
    """A difference that is supposed.

    Attributes:
        causes: what is reported if it restores agreement.
        changes: of torch's side, as `crossfw.ports.torch.changes` takes them.
        arrays: torch's arrays that hold other numbers.
    """

    causes: tuple[Cause, ...]
    changes: tuple[dict, ...] = ()
    arrays: tuple[tuple[str, np.ndarray], ...] = ()

    def __add__(self, other: Hypothesis) -> Hypothesis:
        return Hypothesis(self.causes + other.causes, self.changes + other.changes, self.arrays + other.arrays)


def suppose(
    name: str, place: str, found: str, remedy: str, *changes: dict, trap: int | None = None, arrays: dict | None = None
) -> Hypothesis:
    """A hypothesis with one cause."""
    return Hypothesis((Cause(name, place or "(model)", found, remedy, trap),), changes, tuple((arrays or {}).items()))


def edit(
    cause: str, case: Case, site: dict, found: str, remedy: str, change: dict, trap: int | None = None
) -> Hypothesis:
    """An edit of one call."""
    where = case.where(site)
    return suppose(
        cause, where, found, f"{where}: {remedy}", {"change": "site", "site": site["site"], **change}, trap=trap
    )


class Remembered:
    """MXNet's side, whose answers are kept by its weights, the scale of its inputs, and the arguments."""

    def __init__(self, side: Any):
        self.side, self.framework = side, side.framework
        self.answers: dict[tuple, Any] = {}
        self.loaded, self.values, self.pending = b"", None, None
        self.scaled: dict[str, Any] = {}

    def call(self, method: str, **arguments: Any) -> Any:
        """The answer, asked for once."""
        if method == "load":
            if arguments["values"] is not self.values:
                self.loaded, self.values = digest(arguments), arguments["values"]
            self.pending = arguments
            return None
        if method == "scale":
            self.scaled = arguments
            return self.side.call(method, **arguments)
        key = (self.loaded, digest(self.scaled), method, digest(arguments))
        if key not in self.answers:
            if self.pending is not None:
                self.side.call("load", **self.pending)
                self.pending = None
            self.answers[key] = self.side.call(method, **arguments)
        return self.answers[key]


def digest(value: Any) -> bytes:
    """A short name for a nest of plain values and arrays."""
    made = hashlib.blake2b(digest_size=16)

    def take(part: Any) -> None:
        if isinstance(part, np.ndarray):
            made.update(repr((part.dtype.str, part.shape)).encode())
            made.update(np.ascontiguousarray(part).tobytes())
        elif isinstance(part, dict):
            for key in part:
                made.update(repr(key).encode())
                take(part[key])
        elif isinstance(part, (list, tuple)):
            for item in part:
                take(item)
        else:
            made.update(repr(part).encode())

    take(value)
    return made.digest()


class Bench:
    """Tries hypotheses on a failing stage.

    Args:
        stages: after their run. stage: the one that fails. seconds: that all trials may take.
    """

    def __init__(self, stages: Stages, stage: str, seconds: float):
        self.stages, self.stage = stages, stage
        self.deadline = time.monotonic() + seconds
        self.pair = replace(stages.pair, mxnet=Remembered(stages.pair.mxnet), at_once=False)
        self.tried = self.left = 0

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self.deadline

    def agrees(self, hypothesis: Hypothesis) -> bool:
        """Whether the whole stage agrees under it: one draw first, then all."""
        first = self.rows(hypothesis, self.stages.draws[:1], further=False)
        return self.holds(first) and self.holds(self.rows(hypothesis, self.stages.draws))

    def holds(self, rows: list[Row]) -> bool:
        """Whether there are rows of the stage, and all are equal."""
        return any(row.stage == self.stage for row in rows) and all(row.grade != "different" for row in rows)

    def rows(self, hypothesis: Hypothesis, draws: list, further: bool = True) -> list[Row]:
        """The rows of the stage under a hypothesis; none where torch's side cannot be run so.

        A change may break a user's code in any way: whatever is raised means that it restores nothing.

        Args:
            further: whether also under inputs and biases that reach further than the user's.
        """
        fresh = self.fresh(hypothesis, draws)
        fresh.scales, fresh.wide = SCALES if further else (), further and not hypothesis.arrays
        try:
            self.pair.torch.call("change", changes=list(hypothesis.changes))
            fresh.reset()
            getattr(fresh, METHODS[self.stage])()
        except Exception:
            return []
        finally:
            self.pair.torch.call("change", changes=[])
        return fresh.rows

    def fresh(self, hypothesis: Hypothesis, draws: list) -> Stages:
        """Stages that have run nothing yet, with the hypothesis's arrays."""
        weights = {**self.stages.weights, "torch": {**self.stages.weights["torch"], **dict(hypothesis.arrays)}}
        fresh = Stages(self.pair, self.stages.mapping, weights, self.stages.even)
        fresh.draws, fresh.gradients, fresh.training = list(draws), self.stages.gradients, self.stages.training
        fresh.dtype = self.stages.dtype
        return fresh

    def first_that_agrees(self, hypotheses: Iterable[Hypothesis]) -> Hypothesis | None:
        """The first hypothesis that restores agreement, as far as time allows."""
        waiting = iter(hypotheses)
        for hypothesis in waiting:
            if self.over:
                self.left = 1 + sum(1 for _ in islice(waiting, MOST_LEFT))
                return None
            self.tried += 1
            if self.agrees(hypothesis):
                return hypothesis
        return None


def own_slots(stages: Stages, path: str) -> list:
    """Pairs of slots of the torch layer at a path."""
    return [slots for pair in stages.mapping.pairs if pair.torch.layer == path for slots in pair.slots]


def all_slots(stages: Stages) -> list:
    """Pairs of all slots."""
    return list(slot_pairs(stages.mapping))

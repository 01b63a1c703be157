"""What two reports hold of the same contest: a task in one mode, in which all implementations take turns."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from crossfw.comparison.tests import FEWEST_SAMPLES, common_shift
from crossfw.report.facts import is_control, small_products, unique
from crossfw.results.schema import ThroughputRow
from crossfw.throughput.measure import is_glance

EFFECT = math.log(1.1)
SENSITIVITY = 2.0  # of a row to a change of the machine, at most, against what moved most; 1.4 was seen
FEWEST_PROCESSES = 4  # in a round, whose middle says what they share


@dataclass(frozen=True)
class Contest:
    """The rows of a task in one mode that are in both reports, by implementation: (old, new).

    Attributes:
        samples: by implementation, (old, new), without what each round shared.
        large: log(new / old) of the machine's own large product, the median over frameworks; None where none was kept.
        small: the same of its small one, in the framework that saw most: calling it may hide the rest in others.
        controls: log(ratio) of its A/A controls in both reports, where their rounds were quiet.
        noise: the far ends of the A/A controls' intervals, as a logarithm.
        glance: whether more time can be had.
        needed: the smallest effect that noise cannot fake, as a logarithm.
    """

    task: str
    mode: str
    rows: dict[str, tuple[ThroughputRow, ThroughputRow]]
    samples: dict[str, tuple[list[float], list[float]]]
    large: float | None
    small: float | None
    controls: list[float]
    noise: float
    glance: bool
    needed: float = EFFECT

    @property
    def enough(self) -> list[str]:
        """The implementations with samples enough for a test."""
        return [name for name, pair in self.samples.items() if min(map(len, pair)) >= FEWEST_SAMPLES]

    def change(self, name: str) -> float:
        """log(new / old) of an implementation's speed."""
        old, new = self.samples[name]
        return math.log(median(new) / median(old))

    @property
    def shift(self) -> float:
        """What all moved together; a machine that seems to have changed by less than EFFECT is the same."""
        machine = self.large if self.large is not None and abs(self.large) > EFFECT else 0.0
        return common_shift([self.change(name) for name in self.enough], machine)

    @property
    def movement(self) -> float:
        """What moved most of the whole: all implementations, or one of the machine's own products."""
        return max((self.shift, self.large or 0.0, self.small or 0.0), key=abs)

    @property
    def as_a_whole(self) -> bool:
        """Whether the whole moved by more than noise."""
        return abs(self.movement) > self.needed

    def may_be_the_machine(self, name: str, uneven: float) -> bool:
        """Whether a machine that changed can have done to a row what was seen: a change its way, and not too large.

        Args:
            uneven: what such a machine does to one row beside the others, at most.
        """
        change = self.change(name) * math.copysign(1.0, self.movement)
        its_way = -self.needed < change < SENSITIVITY * abs(self.movement) + self.needed
        return self.as_a_whole and its_way and abs(self.change(name) - self.shift) < uneven


def contests(
    task: str, old: dict[str, Any], new: dict[str, Any], updated: Collection[str] = frozenset()
) -> list[Contest]:
    """The contests that both reports hold of a task.

    Args:
        updated: frameworks of other versions than before; their products tell of them and not of the machine.
    """
    found = []
    for mode in unique(row["mode"] for row in new.get("throughput", ())):
        sides = [[row for row in side.get("throughput", ()) if row["mode"] == mode] for side in (old, new)]
        ours, theirs = ({row["implementation"]: row for row in rows if not is_control(row)} for rows in sides)
        rows = {name: (ours[name], theirs[name]) for name in ours if name in theirs}
        if not rows:
            continue
        steady = _steady(*sides)
        large, small = (_changes(*both, updated) for both in _gauges(old, new, mode=mode))
        pairs = [_control(*both) for both in zip(sides, steady)]
        found.append(
            Contest(
                task=task,
                mode=mode,
                rows=rows,
                samples={name: tuple(side[name, False] for side in steady) for name in rows},
                large=median(large) if large else None,
                small=max(small, key=abs, default=None),
                controls=[change for change in pairs if change is not None],
                noise=_noise([row for side in sides for row in side if is_control(row)]),
                glance=_glances(old) and _glances(new),
            )
        )
    return found


def _steady(*sides: list[ThroughputRow]) -> list[dict[tuple[str, bool], list[float]]]:
    """The samples of each side by (implementation, is it the control?), without what its rounds had in common.

    What is common is told by the processes that both sides have; where those are few, or have not the same rounds, the
    samples are left as they are.
    """
    raw = [{(row["implementation"], is_control(row)): row["samples"] for row in rows} for rows in sides]
    both = [key for key in raw[0] if all(key in side for side in raw)]
    return [_without_common(side, both) for side in raw]


def _without_common(raw: dict[tuple[str, bool], list[float]], witnesses: list) -> dict[tuple[str, bool], list[float]]:
    counts = {len(samples) for samples in raw.values()}
    if len(counts) > 1 or len(witnesses) < FEWEST_PROCESSES or not all(counts):
        return raw
    table = np.array([raw[key] for key in witnesses])  # (processes, rounds)
    common = np.median(table / np.median(table, axis=1, keepdims=True), axis=0)
    return {key: (np.array(samples) / common).tolist() for key, samples in raw.items()}


def _control(rows: list[ThroughputRow], samples: dict[tuple[str, bool], list[float]]) -> float | None:
    """log(ratio) of an A/A control whose interval is narrower than EFFECT; others tell of their own contest only."""
    for row in filter(is_control, rows):
        name, wide = row["implementation"], math.log(row["ratio_high"] / row["ratio_low"]) / 2 > EFFECT
        if (name, False) in samples and row["samples"] and not wide:
            return math.log(median(samples[name, True]) / median(samples[name, False]))
    return None


def _glances(task: dict[str, Any]) -> bool:
    """Whether it was measured in less time than can be had; False where that was not kept."""
    return bool(task.get("measurement")) and is_glance(task["measurement"]["budget_seconds"])


def _gauges(*sides: dict[str, Any], mode: str) -> list[list[dict[str, float]]]:
    """The speed of the machine's large and small product by framework, on both sides; empty where it was not kept."""
    known = [side.get("measurement") or {} for side in sides]
    large = [{name: rates["operations"] for name, rates in each.get("rates", {}).items()} for each in known]
    return [large, [small_products(each, mode) for each in known]]


def _changes(before: dict[str, float], after: dict[str, float], updated: Collection[str]) -> list[float]:
    """log(new / old) for every framework that both have, in the same version."""
    return [math.log(after[name] / speed) for name, speed in before.items() if name in after and name not in updated]


def _noise(controls: list[ThroughputRow]) -> float:
    """The far ends of the A/A controls' intervals, as a logarithm: their root mean square; 0 without one."""
    ends = [max(abs(math.log(row[end])) for end in ("ratio_low", "ratio_high")) for row in controls]
    return math.sqrt(sum(end**2 for end in ends) / len(ends)) if ends else 0.0

"""What two reports hold of the same contest: a task in one mode, in which all implementations take turns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from crossfw.comparison.tests import FEWEST_SAMPLES, common_shift
from crossfw.report.facts import is_control, small_products, unique
from crossfw.schema import ThroughputRow
from crossfw.throughput.measure import is_glance

EFFECT = math.log(1.1)
LARGE, SMALL = GAUGES = ("its own matrix product is", "its small ones are")
FEWEST_PROCESSES = 4  # in a round, whose middle says what they share


@dataclass(frozen=True)
class Contest:
    """The rows of a task in one mode that are in both reports, by implementation: (old, new).

    Attributes:
        samples: by implementation, (old, new), without what each round shared.
        machine: log(new / old) of the machine's own products, by product (one of GAUGES); what was not kept is
            missing.
        controls: log(ratio) of its A/A controls in both reports, where their rounds were quiet.
        noise: the far ends of the A/A controls' intervals, as a logarithm.
        glance: whether more time can be had.
        needed: the smallest effect that noise cannot fake, as a logarithm.
    """

    task: str
    mode: str
    rows: dict[str, tuple[ThroughputRow, ThroughputRow]]
    samples: dict[str, tuple[list[float], list[float]]]
    machine: dict[str, float]
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
        """What all moved together."""
        return common_shift([self.change(name) for name in self.enough], self._changed)

    @property
    def moved(self) -> float:
        """How far the whole moved, the implementations or the machine's own products, as a logarithm without sign."""
        return max(abs(self.shift), abs(self._changed))

    @property
    def _changed(self) -> float:
        """What the machine did; one that seems to have changed by less than EFFECT is the same."""
        most = max(self.machine.values(), key=abs, default=0.0)
        return most if abs(most) > EFFECT else 0.0


def contests(task: str, old: dict[str, Any], new: dict[str, Any]) -> list[Contest]:
    """The contests that both reports hold of a task."""
    found = []
    for mode in unique(row["mode"] for row in new.get("throughput", ())):
        sides = [[row for row in side.get("throughput", ()) if row["mode"] == mode] for side in (old, new)]
        ours, theirs = ({row["implementation"]: row for row in rows if not is_control(row)} for rows in sides)
        rows = {name: (ours[name], theirs[name]) for name in ours if name in theirs}
        if not rows:
            continue
        steady = _steady(*sides)
        pairs = [_control(*both) for both in zip(sides, steady)]
        found.append(
            Contest(
                task=task,
                mode=mode,
                rows=rows,
                samples={name: tuple(side[name, False] for side in steady) for name in rows},
                machine=_machine(old, new, mode),
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


def _machine(old: dict[str, Any], new: dict[str, Any], mode: str) -> dict[str, float]:
    """See `Contest.machine`: of the small product that of the framework that saw most, as calling may hide the rest."""
    before, after = (_gauges(side.get("measurement") or {}, mode) for side in (old, new))
    changes = {
        gauge: [math.log(after[gauge][name] / seen[name]) for name in seen if name in after[gauge]]
        for gauge, seen in before.items()
    }
    of_all = {LARGE: median, SMALL: partial(max, key=abs)}
    return {gauge: of_all[gauge](logs) for gauge, logs in changes.items() if logs}


def _gauges(measurement: dict[str, Any], mode: str) -> dict[str, dict[str, float]]:
    """The speed of both products in one mode, by framework; an older report lacks the small one."""
    large = {name: rates["operations"] for name, rates in measurement.get("rates", {}).items()}
    return {LARGE: large, SMALL: small_products(measurement, mode)}


def _noise(controls: list[ThroughputRow]) -> float:
    """The far ends of the A/A controls' intervals, as a logarithm: their root mean square; 0 without one."""
    ends = [max(abs(math.log(row[end])) for end in ("ratio_low", "ratio_high")) for row in controls]
    return math.sqrt(sum(end**2 for end in ends) / len(ends)) if ends else 0.0

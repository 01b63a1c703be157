"""Is an implementation slower than it was?

In a contest (a task in one mode) all implementations take turns, so what they share is the machine, or what crossfw
does for all of them: `common_shift`. A row is judged beyond it. It is slower if it takes more than 1.1 times as long,
or more as the A/A controls show noise, and if the U-test over its samples, without what all processes of a round share,
says so. A contest that moved as a whole is told as such: two reports cannot tell a slower machine from code that slows
all alike. Nor need a machine that changes slow all implementations alike (one that slowed MXNet by 20 % slowed PyTorch
by 32 %): beside such a change a row must stand out of the others, or exceed all that such a machine did.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from crossfw.comparison.findings import Finding
from crossfw.comparison.tests import ALPHA, FEWEST_SAMPLES, common_shift, holm, noise_of_processes, u_test, unevenness
from crossfw.report import formatting
from crossfw.report.facts import MODES, is_control, small_products, unique
from crossfw.schema import ThroughputRow
from crossfw.throughput.measure import is_glance

EFFECT = math.log(1.1)
LARGE, SMALL = GAUGES = ("its own matrix product is", "its small ones are")
SENSITIVITY = 2.0  # of one row to a change of the machine, at most, against what moved most; 1.3 was seen
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


def otherwise_measured(task: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Finding]:
    """A finding where only one side had a glance: its visits are shorter, and further from training."""
    told = [side["measurement"]["budget_seconds"] for side in (old, new) if side.get("measurement")]
    if len(told) == 2 and is_glance(told[0]) != is_glance(told[1]):
        seconds = " -> ".join(f"{budget:g} s" for budget in told)
        text = f"time for each mode {seconds}: speed is not compared; name the task in both runs, or in neither"
        yield Finding("different", "settings", task, "", text)


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


def compare_speed(found: list[Contest]) -> Iterator[Finding]:
    """What all contests of two reports tell together."""
    noise = noise_of_processes([log for each in found for log in each.controls], sum(len(each.rows) for each in found))
    found = [replace(contest, needed=max(math.hypot(EFFECT, noise), contest.noise)) for contest in found]
    tested = [(contest, name) for contest in found for name in contest.enough]
    p_values = holm([_p_value(contest, name) for contest, name in tested])
    together = [contest for contest in found if contest.moved > contest.needed]
    uneven = unevenness([[each.change(name) for name in each.enough] for each in together], len(tested))
    for (contest, name), p_value in zip(tested, p_values):
        beyond = contest.change(name) - contest.shift
        if abs(beyond) > contest.needed and p_value < ALPHA:
            kind, text = "regression" if beyond < 0 else "improvement", _told(contest, name, p_value)
            if contest.moved > contest.needed and abs(beyond) < min(uneven, SENSITIVITY * contest.moved):
                kind = "unclear"
                text += "; a machine that changed need not slow all alike: measure again, both in one state"
            yield Finding(kind, "speed", contest.task, f"{name}, {MODES[contest.mode]}", text)
    yield from _together([contest for contest in found if contest.enough])
    yield from _untold(found)


def unmatched(task: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Finding]:
    """Rows that only one of the reports holds."""
    ours, theirs = (
        {(row["implementation"], row["mode"]): None for row in side.get("throughput", ()) if not is_control(row)}
        for side in (old, new)
    )
    for kind, one, other in (("vanished", ours, theirs), ("new", theirs, ours)):
        for name in unique(name for name, mode in one if (name, mode) not in other):
            modes = [MODES[mode] for each, mode in one if each == name and (each, mode) not in other]
            yield Finding(kind, "speed", task, name, formatting.listing(modes))


def moved(change: float, slower: str = "slower", faster: str = "faster") -> str:
    """`15 % slower`: the change of the speed, from its logarithm."""
    return f"{formatting.percent(abs(math.expm1(change)))} {slower if change < 0 else faster}"


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


def _glances(task: dict[str, Any]) -> bool:
    """Whether it was measured in less time than can be had; False where that was not kept."""
    return bool(task.get("measurement")) and is_glance(task["measurement"]["budget_seconds"])


def _noise(controls: list[ThroughputRow]) -> float:
    """The far ends of the A/A controls' intervals, as a logarithm: their root mean square; 0 without one."""
    ends = [max(abs(math.log(row[end])) for end in ("ratio_low", "ratio_high")) for row in controls]
    return math.sqrt(sum(end**2 for end in ends) / len(ends)) if ends else 0.0


def _p_value(contest: Contest, name: str) -> float:
    old, new = contest.samples[name]
    return u_test(old, [sample / math.exp(contest.shift) for sample in new])


def _told(contest: Contest, name: str, p_value: float) -> str:
    old, new = contest.rows[name]
    change, shift = contest.change(name), contest.shift
    speeds = f"{formatting.rate(old['tokens_per_second'])} -> {formatting.rate(new['tokens_per_second'])} tokens/s"
    besides = f" ({moved(change - shift)} beside the others' {moved(shift)})" if abs(shift) >= 0.01 else ""
    return f"{speeds}, {moved(change)}{besides}, p = {formatting.error(p_value)}"


def _together(found: list[Contest]) -> Iterator[Finding]:
    """Contests that moved as a whole: the same way in all, or here and there."""
    shifted = [contest for contest in found if abs(contest.shift) > contest.needed]
    for slower in (True, False):
        same = [contest for contest in shifted if (contest.shift < 0) == slower]
        if not same:
            continue
        middle = median(contest.shift for contest in same)
        changes = {gauge: [each.machine[gauge] for each in same if gauge in each.machine] for gauge in GAUGES}
        told = [f"{gauge} {moved(median(logs))}" for gauge, logs in changes.items() if logs]
        product = f" ({', '.join(told)})" if told else ""
        where = "everything is" if len(same) == len(found) else "all implementations alike are"
        text = f"{where} {moved(middle)}: the machine{product}, or all implementations; nothing here tells which"
        if len(same) < len(found):
            text += f". In {formatting.listing(f'{contest.task} ({MODES[contest.mode]})' for contest in same)}"
        yield Finding("unclear", "speed", "", f"{len(same)} of {len(found)} contests", text)


def _untold(found: list[Contest]) -> Iterator[Finding]:
    """Rows with too few samples, and contests in which noise hides more than EFFECT."""
    counts = [(min(map(len, pair)), contest.glance) for contest in found for pair in contest.samples.values()]
    few = [count for count, _ in counts if count < FEWEST_SAMPLES]
    if few:
        seen = " to ".join(map(str, unique((min(few), max(few)))))
        text = f"too few samples to tell: {seen} of a row, and the U-test needs {FEWEST_SAMPLES}"
        glances = any(glance for count, glance in counts if count < FEWEST_SAMPLES)
        text += "; tasks named in `crossfw run` get more" if glances else ""
        yield Finding("unclear", "speed", "", f"{len(few)} of {len(counts)} rows", text)
    noisy = [contest for contest in found if contest.enough and contest.needed > 2 * EFFECT]
    if noisy:
        worst = max(noisy, key=lambda contest: contest.needed)
        hidden, where = formatting.percent(math.expm1(worst.needed)), f"{worst.task}, {MODES[worst.mode]}"
        text = f"the noise that the A/A controls show hides changes of up to {hidden} (in {where})"
        yield Finding("unclear", "speed", "", f"{len(noisy)} of {len(found)} contests", text)

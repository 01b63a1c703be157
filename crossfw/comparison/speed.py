"""Is an implementation slower than it was?

In a contest (a task in one mode) all implementations take turns, so what they share is the machine, or what crossfw
does for all of them: `common_shift`. A row is judged beyond it. It is slower if it takes more than 1.1 times as long,
or more where the A/A controls of the two reports show more noise, and if the U-test over its samples says so. A contest
that moved as a whole is told as such: two reports cannot tell a slower machine from code that slows all alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from crossfw.comparison.findings import Finding
from crossfw.comparison.tests import ALPHA, FEWEST_SAMPLES, common_shift, holm, needed_effect, u_test
from crossfw.report import formatting
from crossfw.report.facts import MODES, is_control, unique
from crossfw.schema import ThroughputRow

EFFECT = math.log(1.1)


@dataclass(frozen=True)
class Contest:
    """The rows of a task in one mode that are in both reports, by implementation: (old, new).

    Attributes:
        machine: log(new / old) of the machine's own matrix product, the median over implementations; None where it
            was not kept.
        needed: the smallest effect that noise cannot fake, as a logarithm.
    """

    task: str
    mode: str
    rows: dict[str, tuple[ThroughputRow, ThroughputRow]]
    machine: float | None
    needed: float

    @property
    def enough(self) -> list[str]:
        """The implementations with samples enough for a test."""
        return [name for name, pair in self.rows.items() if min(len(row["samples"]) for row in pair) >= FEWEST_SAMPLES]

    @property
    def shift(self) -> float:
        """What all moved together; a machine that seems to have changed by less than EFFECT is the same."""
        machine = self.machine if self.machine is not None and abs(self.machine) > EFFECT else 0.0
        return common_shift([_change(*self.rows[name]) for name in self.enough], machine)


def contests(task: str, old: dict[str, Any], new: dict[str, Any]) -> list[Contest]:
    """The contests that both reports hold of a task."""
    found = []
    for mode in unique(row["mode"] for row in new.get("throughput", ())):
        sides = [[row for row in side.get("throughput", ()) if row["mode"] == mode] for side in (old, new)]
        ours, theirs = ({row["implementation"]: row for row in rows if not is_control(row)} for rows in sides)
        rows = {name: (ours[name], theirs[name]) for name in ours if name in theirs}
        if rows:
            limits = [math.log(b / a) for a, b in (map(_limit, pair) for pair in rows.values()) if a and b]
            needed = needed_effect(EFFECT, *map(_noise, sides))
            found.append(Contest(task, mode, rows, median(limits) if limits else None, needed))
    return found


def compare_speed(found: list[Contest]) -> Iterator[Finding]:
    """What all contests of two reports tell together."""
    tested = [(contest, name) for contest in found if contest.enough for name in contest.enough]
    p_values = holm([_p_value(contest, name) for contest, name in tested])
    for (contest, name), p_value in zip(tested, p_values):
        beyond = _change(*contest.rows[name]) - contest.shift
        if abs(beyond) > contest.needed and p_value < ALPHA:
            kind = "regression" if beyond < 0 else "improvement"
            yield Finding(kind, "speed", contest.task, f"{name}, {MODES[contest.mode]}", _told(contest, name, p_value))
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


def _change(old: ThroughputRow, new: ThroughputRow) -> float:
    return math.log(new["tokens_per_second"] / old["tokens_per_second"])


def _limit(row: ThroughputRow) -> float | None:
    """What the machine's own matrix product would give, up to a constant of the task."""
    return row["tokens_per_second"] / row["limit_fraction"] if row["limit_fraction"] else None


def _noise(rows: list[ThroughputRow]) -> float:
    """The far end of the A/A control's interval, as a logarithm; 0 without one."""
    ends = [row[end] for row in rows if is_control(row) for end in ("ratio_low", "ratio_high")]
    return max((abs(math.log(end)) for end in ends if end), default=0.0)


def _p_value(contest: Contest, name: str) -> float:
    old, new = contest.rows[name]
    return u_test(old["samples"], [sample / math.exp(contest.shift) for sample in new["samples"]])


def _told(contest: Contest, name: str, p_value: float) -> str:
    old, new = contest.rows[name]
    change, shift = _change(old, new), contest.shift
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
        limits = [contest.machine for contest in same if contest.machine is not None]
        product = f" (its own matrix product is {moved(median(limits))})" if limits else ""
        where = "everything is" if len(same) == len(found) else "all implementations alike are"
        text = f"{where} {moved(middle)}: the machine{product}, or all implementations; nothing here tells which"
        if len(same) < len(found):
            text += f". In {formatting.listing(f'{contest.task} ({MODES[contest.mode]})' for contest in same)}"
        yield Finding("unclear", "speed", "", f"{len(same)} of {len(found)} contests", text)


def _untold(found: list[Contest]) -> Iterator[Finding]:
    """Rows with too few samples, and contests in which noise hides more than EFFECT."""
    counts = [min(len(row["samples"]) for row in pair) for contest in found for pair in contest.rows.values()]
    few = [count for count in counts if count < FEWEST_SAMPLES]
    if few:
        text = f"too few samples to tell: {min(few)} to {max(few)} of a row, and the U-test needs {FEWEST_SAMPLES}"
        yield Finding("unclear", "speed", "", f"{len(few)} of {len(counts)} rows", text)
    noisy = [contest for contest in found if contest.enough and contest.needed > 2 * EFFECT]
    if noisy:
        worst = max(noisy, key=lambda contest: contest.needed)
        hidden, where = formatting.percent(math.expm1(worst.needed)), f"{worst.task}, {MODES[worst.mode]}"
        text = f"the noise that the A/A controls show hides changes of up to {hidden} (in {where})"
        yield Finding("unclear", "speed", "", f"{len(noisy)} of {len(found)} contests", text)

"""Is an implementation slower than it was?

In a contest (a task in one mode) all implementations take turns, so what they share is the machine, or what crossfw
does for all of them: `common_shift`. A row is judged beyond it. It is slower if it takes more than 1.1 times as long,
or more as the A/A controls show noise, and if the U-test over its samples, without what all processes of a round share,
says so. A contest that moved as a whole is told as such: two reports cannot tell a slower machine from code that slows
all alike, unless its own products do. A machine in another state need not slow all implementations alike either (one
slowed MXNet by 20 % and PyTorch by 32 %), so a row that moved with it must stand out of what the others scatter by.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from typing import Any

from crossfw.comparison.contests import EFFECT, Contest
from crossfw.comparison.findings import Finding
from crossfw.comparison.tests import ALPHA, FEWEST_SAMPLES, holm, noise_of_processes, u_test, unevenness
from crossfw.report.facts import MODES, is_control, unique
from crossfw.results import formatting
from crossfw.throughput.measure import is_glance


def otherwise_measured(task: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Finding]:
    """A finding where only one side had a glance: its visits are shorter, and further from training."""
    told = [side["measurement"]["budget_seconds"] for side in (old, new) if side.get("measurement")]
    if len(told) == 2 and is_glance(told[0]) != is_glance(told[1]):
        seconds = " -> ".join(f"{budget:g} s" for budget in told)
        text = f"time for each mode {seconds}: speed is not compared; name the task in both runs, or in neither"
        yield Finding("different", "settings", task, "", text)


def compare_speed(found: list[Contest]) -> Iterator[Finding]:
    """What all contests of two reports tell together."""
    noise = noise_of_processes([log for each in found for log in each.controls], sum(len(each.rows) for each in found))
    found = [replace(contest, needed=max(math.hypot(EFFECT, noise), contest.noise)) for contest in found]
    tested = [(contest, name) for contest in found for name in contest.enough]
    p_values = holm([_p_value(contest, name) for contest, name in tested])
    uneven = [_unevenness([each for each in found if _rows_moved(each) == moved]) for moved in (False, True)]
    for (contest, name), p_value in zip(tested, p_values):
        beyond = contest.change(name) - contest.shift
        if abs(beyond) > contest.needed and p_value < ALPHA:
            kind, text = "regression" if beyond < 0 else "improvement", _told(contest, name, p_value)
            if contest.may_be_the_machine(name, uneven[_rows_moved(contest)]):
                kind, text = "unclear", f"{text}; {_why_unclear(contest)}"
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


def _p_value(contest: Contest, name: str) -> float:
    old, new = contest.samples[name]
    return u_test(old, [sample / math.exp(contest.shift) for sample in new])


def _told(contest: Contest, name: str, p_value: float) -> str:
    old, new = contest.rows[name]
    change, shift = contest.change(name), contest.shift
    speeds = f"{formatting.rate(old['tokens_per_second'])} -> {formatting.rate(new['tokens_per_second'])} tokens/s"
    others = "the others, which are" if len(contest.enough) > 1 else "the machine, which is"
    besides = f" ({moved(change - shift)} beside {others} {moved(shift)})" if abs(shift) >= 0.01 else ""
    return f"{speeds}, {moved(change)}{besides}, p = {formatting.error(p_value)}"


def _rows_moved(contest: Contest) -> bool:
    return abs(contest.shift) > contest.needed


def _unevenness(alike: list[Contest]) -> float:
    """See `tests.unevenness`; of the contests in which something moved as a whole."""
    return unevenness([{name: each.change(name) for name in each.enough} for each in alike if each.as_a_whole])


def _why_unclear(contest: Contest) -> str:
    products = _products([contest])
    seen = f"the machine changed ({products})" if _saw_it([contest], contest.movement < 0) else "all moved together"
    return f"{seen}, and a changed machine can slow one more than another: measure both again"


def _products(found: list[Contest]) -> str:
    """What the machine's own products did."""
    both = {"its large products": [each.large for each in found], "its small ones": [each.small for each in found]}
    known = {name: [log for log in logs if log is not None] for name, logs in both.items()}
    return ", ".join(f"{name} {moved(median(logs))}" for name, logs in known.items() if logs)


def _saw_it(found: list[Contest], slower: bool) -> bool:
    """Whether the machine's own products moved that way in most of these contests."""
    most = median(max((each.large or 0.0, each.small or 0.0), key=abs) for each in found)
    return abs(most) > EFFECT and (most < 0) == slower


def _together(found: list[Contest]) -> Iterator[Finding]:
    """Contests that moved as a whole: the same way in all, or here and there."""
    shifted = [contest for contest in found if abs(contest.shift) > contest.needed]
    for slower in (True, False):
        same = [contest for contest in shifted if (contest.shift < 0) == slower]
        changes = [each.change(name) for each in same for name in each.enough]
        followed = [log for log in changes if (log < 0) == slower]
        if not followed:  # one on its own need not do what the machine did
            continue
        where = "everything is" if len(same) == len(found) else "all implementations are"
        text = f"{where} {_range(followed)}: {_cause(same, slower)}"
        if len(same) < len(found):
            text += f". In {formatting.listing(f'{contest.task} ({MODES[contest.mode]})' for contest in same)}"
        yield Finding("unclear", "speed", "", f"{len(same)} of {len(found)} contests", text)


def _range(changes: list[float]) -> str:
    """`20 % to 30 % slower`, of changes that go the same way."""
    least, most = (moved(change) for change in (min(changes, key=abs), max(changes, key=abs)))
    return most if least == most else f"{least.rpartition(' ')[0]} to {most}"


def _cause(same: list[Contest], slower: bool) -> str:
    """Who may have moved all implementations of these contests, as far as the machine's own products tell."""
    products = _products(same)
    told = f" ({products})" if products else ""
    if _saw_it(same, slower):
        return f"the machine, at least in part{told}; measure both again"
    if all(each.small is not None for each in same):
        return f"the code of all, or what the machine's own products do not show{told}; measure both again"
    return f"the machine{told}, or the code of all; nothing here tells which"


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

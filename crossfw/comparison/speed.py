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
from dataclasses import replace
from statistics import median
from typing import Any

from crossfw.comparison.contests import EFFECT, GAUGES, Contest
from crossfw.comparison.findings import Finding
from crossfw.comparison.tests import ALPHA, FEWEST_SAMPLES, holm, noise_of_processes, u_test, unevenness
from crossfw.report import formatting
from crossfw.report.facts import MODES, is_control, unique
from crossfw.throughput.measure import is_glance

SENSITIVITY = 2.0  # of one row to a change of the machine, at most, against what moved most; 1.3 was seen


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
        products = {gauge: median(logs) for gauge, logs in changes.items() if logs}
        told = ", ".join(f"{gauge} {moved(change)}" for gauge, change in products.items())
        machine = f"the machine ({told})" if told else "the machine"
        is_seen = any(abs(change) > EFFECT and (change < 0) == slower for change in products.values())
        cause = (
            f"{machine}, at least in part"
            if is_seen
            else f"{machine}, or all implementations; nothing here tells which"
        )
        where = "everything is" if len(same) == len(found) else "all implementations alike are"
        text = f"{where} {moved(middle)}: {cause}"
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

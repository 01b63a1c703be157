"""Does a task still learn as well: the verdict on learning, final perplexities, measures, published figures.

Chaos parts two trainings of the same code, so a final value is worse only where the medians over seeds are further
apart than the seeds of either report are, and than a margin: that of the equivalence test for perplexities, a point in
a hundred for measures. Fewer than FEWEST_SEEDS have no spread to speak of; then it is said, and not judged, unless the
noise floor lets both reports compare exactly up to the last epoch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from statistics import median
from typing import Any

from crossfw.agreement.equivalence import FEWEST_SEEDS, MARGIN
from crossfw.comparison.agreement import change
from crossfw.comparison.findings import Finding
from crossfw.report.facts import finals, unique
from crossfw.results import formatting

POINT = 0.01
HIGHER_IS_BETTER = re.compile(r"\b(accuracy|F1|exact match|BLEU)\b")
LEARNED = ("same", "not tested", "different")
PUBLISHED = ("reproduced", "not reproduced")


def compare_learning(task: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Finding]:
    """What was learned; tables that a side lacks are passed over."""
    both = old.keys() & new.keys()
    exact = "learning" in both and all(_is_exact(side["learning"]) for side in (old, new))
    if "learning" in both and old["learning"] and new["learning"]:
        yield from _verdict(task, old["learning"], new["learning"])
    if "perplexity" in both:
        yield from _perplexities(task, old, new, exact)
    if "measures" in both:
        yield from _measures(task, old["measures"], new["measures"], exact)
    if "published" in both:
        yield from _published(task, old["published"], new["published"])


def _is_exact(learning: dict[str, Any] | None) -> bool:
    """Whether no noise explains a difference of curves, up to the last epoch."""
    return bool(learning) and learning["horizon"] is not None and learning["horizon"] >= learning["epochs"]


def _verdict(task: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Finding]:
    before, after = old["verdict"], new["verdict"]
    if before == after:
        return
    kind = change(LEARNED.index(before), LEARNED.index(after))
    if "not tested" in (before, after):
        kind = "unclear"
    yield Finding(kind, "learning", task, "verdict", f"{before} -> {after}: {new['text']}")


def _perplexities(task: str, old: dict[str, Any], new: dict[str, Any], exact: bool) -> Iterator[Finding]:
    ours, theirs = ({(each.implementation, each.split): each for each in finals(side)} for side in (old, new))
    yield from _unmatched(task, "perplexity", ours, theirs)
    for (name, split), before in ours.items():
        after = theirs.get((name, split))
        if after is None:
            continue
        logs = [[math.log(value) if value > 0 else math.nan for value in each.values] for each in (before, after)]
        told = (formatting.perplexity_range(each.values) for each in (before, after))
        what = f"{name}, {split}"
        yield from _judged(task, "perplexity", what, logs, -1, math.log1p(MARGIN), exact, " -> ".join(told))


def _measures(task: str, old: list[dict], new: list[dict], exact: bool) -> Iterator[Finding]:
    ours, theirs = (_by_seed(rows) for rows in (old, new))
    yield from _unmatched(task, "measures", ours, theirs)
    for (name, measure), before in ours.items():
        after = theirs.get((name, measure))
        if after is None or not HIGHER_IS_BETTER.search(measure):
            continue  # of a distance nobody can say which way is worse
        margin = 100 * POINT if "BLEU" in measure else POINT
        told = f"{formatting.measure(measure, before)} -> {formatting.measure(measure, after)}"
        yield from _judged(task, "measures", f"{name}, {measure}", [before, after], 1, margin, exact, told)


def _by_seed(rows: list[dict]) -> dict[tuple[str, str], list[float]]:
    found: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        found.setdefault((row["implementation"], row["measure"]), []).append(row["value"])
    return found


def _judged(
    task: str, about: str, what: str, values: list[list[float]], sign: int, margin: float, exact: bool, told: str
) -> Iterator[Finding]:
    """A finding where `values` (old, new; one for each seed) moved; `sign` is 1 where higher is better."""
    lost = [any(value is None or math.isnan(value) for value in side) for side in values]
    if any(lost):
        if lost[0] != lost[1]:
            yield Finding(change(*lost), about, task, what, told)
        return
    moved = sign * (median(values[1]) - median(values[0]))
    spread = max(max(side) - min(side) for side in values)
    if abs(moved) <= max(margin, spread):
        return
    seeds = min(map(len, values))
    if seeds < FEWEST_SEEDS and not exact:
        text = f"{told}: {formatting.count(seeds, 'seed')}, too few to tell from chaos (that takes {FEWEST_SEEDS})"
        yield Finding("unclear", about, task, what, text)
        return
    how = "the curves can be compared exactly" if exact else f"beyond the spread over {seeds} seeds"
    yield Finding(change(0, -1 if moved > 0 else 1), about, task, what, f"{told}, {how}")


def _published(task: str, old: list[dict], new: list[dict]) -> Iterator[Finding]:
    ours, theirs = (
        {(row["implementation"], row["quantity"], row["framework"], row["source"]): row for row in rows}
        for rows in (old, new)
    )
    yield from _unmatched(task, "published", ours, theirs)
    for key, row in theirs.items():
        before, after = _word(ours[key]) if key in ours else _word(row), _word(row)
        if before != after:
            judged = before in PUBLISHED and after in PUBLISHED
            kind = change(PUBLISHED.index(before), PUBLISHED.index(after)) if judged else "unclear"
            value = f"{formatting.published(ours[key]['measured'])} -> {formatting.published(row['measured'])}"
            text = f"{before} -> {after}; measured {value}, published {formatting.published(row['published'])}"
            yield Finding(kind, "published", task, f"{key[0]}, {key[1]} ({key[2]})", text)


def _word(row: dict[str, Any]) -> str:
    """The verdict without what may follow it."""
    return re.split("[;,]", row["verdict"])[0]


def _unmatched(task: str, about: str, ours: dict[tuple, Any], theirs: dict[tuple, Any]) -> Iterator[Finding]:
    for kind, lost in (("vanished", ours.keys() - theirs.keys()), ("new", theirs.keys() - ours.keys())):
        for name in unique(key[0] for key in (*ours, *theirs) if key in lost):
            rest = [" ".join(key[1:3]) for key in (*ours, *theirs) if key in lost and key[0] == name]
            yield Finding(kind, about, task, name, formatting.listing(unique(rest)))

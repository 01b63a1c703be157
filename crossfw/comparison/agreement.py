"""Does a task still agree: verdicts, grades, errors beyond their bounds, causality, failures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crossfw.comparison.findings import Finding, Kind
from crossfw.report.facts import severity, unique
from crossfw.results import formatting
from crossfw.results.schema import AgreementRow

GRADES = ("equal", "less accurate", "different")
WORDS = ("agree", "incomplete", "disagree")
PLACE = ("implementation", "against", "stage", "dtype")


def compare_agreement(task: str, old: dict[str, Any], new: dict[str, Any], as_long: bool) -> Iterator[Finding]:
    """Everything but what was learned, how fast and in how much memory; tables that a side lacks are passed over.

    Stages that training has a part in are compared only if both were trained `as_long`.
    """
    both = old.keys() & new.keys()
    if "verdict" in both:
        yield from _verdict(task, old, new)
    if "failures" in both:
        yield from _failures(task, old["failures"], new["failures"])
    if "agreement" in both:
        rows = ([row for row in side["agreement"] if as_long or row["stage"] != "trajectory"] for side in (old, new))
        yield from _rows(task, *rows)
    if "causality" in both:
        yield from _causality(task, old["causality"], new["causality"])


def change(before: int, after: int) -> Kind:
    """The kind of a change of rank, where a higher one is worse."""
    return "regression" if after > before else "improvement"


def _verdict(task: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Finding]:
    before, after = old["verdict"], new["verdict"]
    if before != after:
        kind = change(WORDS.index(before), WORDS.index(after))
        yield Finding(kind, "agreement", task, "verdict", f"{before} -> {after}: {new['reason']}")


def _failures(task: str, old: list[dict], new: list[dict]) -> Iterator[Finding]:
    ours = {(row["implementation"], row["stage"]): row["reason"] for row in old}
    theirs = {(row["implementation"], row["stage"]): row["reason"] for row in new}
    for key in theirs.keys() - ours.keys():
        yield Finding("regression", "failure", task, ", ".join(key), theirs[key])
    for key in ours.keys() - theirs.keys():
        yield Finding("improvement", "failure", task, ", ".join(key), f"no longer: {ours[key]}")


def _causality(task: str, old: list[dict], new: list[dict]) -> Iterator[Finding]:
    ours, theirs = ({row["implementation"]: row["causal"] for row in rows} for rows in (old, new))
    words = {True: "causal", False: "sees the future"}
    for name in [name for name in ours if name in theirs and ours[name] != theirs[name]]:
        kind = change(ours[name] is False, theirs[name] is False)
        yield Finding(kind, "causality", task, name, f"{words[ours[name]]} -> {words[theirs[name]]}")


def _rows(task: str, old: list[AgreementRow], new: list[AgreementRow]) -> Iterator[Finding]:
    """A finding for every pair of implementations, stage and dtype in which tensors got worse, or better."""
    ours, theirs = ({(*(row[name] for name in PLACE), row["tensor"]): row for row in rows} for rows in (old, new))
    moved: dict[tuple, list[tuple[AgreementRow, AgreementRow]]] = {}
    for key, row in theirs.items():
        if key in ours and _rank(ours[key]) != _rank(row):
            kind = change(_rank(ours[key]), _rank(row))
            moved.setdefault((kind, *key[:-1]), []).append((ours[key], row))
    for (kind, *place), pairs in moved.items():
        worst = max(pairs, key=lambda pair: severity(pair[kind == "regression"]))
        more = f", and {formatting.count(len(pairs) - 1, 'more tensor')}" if len(pairs) > 1 else ""
        text = f"{worst[1]['tensor']}: {_told(worst[0])} -> {_told(worst[1])}{more}"
        yield Finding(kind, "agreement", task, _place(place), text)
    for kind, lost in (("vanished", ours.keys() - theirs.keys()), ("new", theirs.keys() - ours.keys())):
        stages: dict[str, list[str]] = {}
        for key in [key for key in (*ours, *theirs) if key in lost]:
            stages.setdefault(key[0], []).append(key[2])
        for name, found in stages.items():
            yield Finding(kind, "agreement", task, name, f"rows of {formatting.listing(unique(found))}")


def _rank(row: AgreementRow) -> int:
    """The grade; an error beyond its bound, or one that is no number, is "different" whatever the grade says."""
    return max(GRADES.index(row["grade"]), 0 if row["error"] <= row["bound"] else len(GRADES) - 1)


def _told(row: AgreementRow) -> str:
    factor = f", {formatting.times(row['factor'])}" if row["grade"] == "less accurate" and row["factor"] else ""
    return f"{row['grade']} ({formatting.error(row['error'])} of {formatting.error(row['bound'])}{factor})"


def _place(place: list[str]) -> str:
    implementation, against, stage, dtype = place
    return f"{implementation} against {against}, {stage}, {dtype}"

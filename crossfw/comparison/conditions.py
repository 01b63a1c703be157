"""What has to be the same, so that the rest can be compared: a task's settings; the machine and its threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from crossfw.comparison.evidence import Evidence
from crossfw.comparison.findings import Finding
from crossfw.models import framework_of
from crossfw.results.formatting import listing

# How long it was trained: no matter to stages 0 to 7 nor to speed.
LENGTH = ("epochs run", "updates per epoch", "not trained to the end")
MACHINE = ("cpu", "cores")
RUN = ("device", "dtype", "threads_while_speed_is_measured")


def changes(old: dict[str, Any], new: dict[str, Any], names: Any = None) -> list[str]:
    """`name: old -> new` of everything that differs, or of the named; what one side lacks is None."""
    names = {**old, **new} if names is None else names
    return [f"{name} {old.get(name)} -> {new.get(name)}" for name in names if old.get(name) != new.get(name)]


def settings(task: str, old: dict[str, Any], new: dict[str, Any]) -> tuple[bool, bool, list[Finding]]:
    """Whether a task is the same in both, whether it was trained as long, and what is to be said of it.

    Settings that were not kept count as the same.
    """
    ours, theirs = old.get("setup", {}), new.get("setup", {})
    if not ours or not theirs:
        return True, "setup" in old and "setup" in new, []
    other = changes(ours, theirs, [name for name in {**ours, **theirs} if name not in LENGTH])
    length = changes(ours, theirs, LENGTH)
    if other:
        words = "" if old["verdict"] == new["verdict"] else f" (its verdict: {old['verdict']} -> {new['verdict']})"
        text = f"{listing(other)}: another task, not compared{words}"
        return False, False, [Finding("different", "settings", task, "", text)]
    if length:
        text = f"{listing(length)}: what was learned is not compared"
        return True, False, [Finding("different", "settings", task, "", text)]
    return True, True, []


def machine(old: Evidence, new: Evidence) -> tuple[bool, list[Finding]]:
    """Whether speeds and memory can be compared, and what differs in the machine or the frameworks.

    A machine that was not kept counts as the same.
    """
    if not (old.whole and new.whole):
        return True, []
    a, b = old.environment, new.environment
    found = [*_versions(old, new)]
    other = changes(a.get("machine", {}), b.get("machine", {}), MACHINE) + changes(a, b, RUN)
    if other:
        text = f"{listing(other)}: speed and memory are not comparable, and not compared"
        found.insert(0, Finding("different", "machine", "", "", text))
    return not other, found


def updated(old: Evidence, new: Evidence) -> set[str]:
    """The frameworks that ran in other versions than before; versions that were not kept count as the same."""
    known = _updates(old, new) if old.whole and new.whole else {}
    return {framework_of(name) for name, said in known.items() if said}


def kept(old: Evidence, new: Evidence) -> Iterator[Finding]:
    """What could not be compared because a report lost it."""
    for folder, names in {evidence.folder: names_of(evidence) for evidence in (old, new) if not evidence.whole}.items():
        text = (
            f"{folder} has no results.json: only {listing(names)} can be compared, and whether settings and machine "
            "are the same is unknown"
        )
        yield Finding("unclear", "report", "", "", text)


def names_of(evidence: Evidence) -> list[str]:
    """The tables that it has."""
    return sorted({name for task in evidence.tasks.values() for name in task})


def in_doubt(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The same findings, of reports whose settings and machine are not known: a change may be due to those."""
    for finding in findings:
        judged = finding.kind in ("regression", "improvement")
        yield replace(finding, kind="unclear", text=f"{finding.text} (settings unknown)") if judged else finding


def _versions(old: Evidence, new: Evidence) -> Iterator[Finding]:
    """Other versions are often why two reports are compared: they are told, and change nothing else."""
    for name in ("crossfw", "suite"):
        if old.about[name] != new.about[name]:
            yield Finding("different", name, "", "", f"{old.about[name]} -> {new.about[name]}")
    told: dict[str, list[str]] = {}
    for name, said in _updates(old, new).items():
        for change in said:
            told.setdefault(change, []).append(name)
    for change, names in sorted(told.items()):
        yield Finding("different", "versions", "", ", ".join(sorted(names)), change)


def _updates(old: Evidence, new: Evidence) -> dict[str, list[str]]:
    """By implementation in both reports, in what versions it ran otherwise."""
    ours, theirs = (side.environment.get("implementations", {}) for side in (old, new))
    versions = ("python", "numpy", "mxnet", "torch")
    return {name: changes(ours[name], theirs[name], versions) for name in ours if name in theirs}

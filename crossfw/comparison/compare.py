"""Two report folders, compared part by part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crossfw.comparison import conditions
from crossfw.comparison.agreement import compare_agreement
from crossfw.comparison.contests import Contest, contests
from crossfw.comparison.evidence import Evidence, read_evidence
from crossfw.comparison.findings import Comparison, Finding
from crossfw.comparison.learning import compare_learning
from crossfw.comparison.memory import compare_memory
from crossfw.comparison.speed import compare_speed, otherwise_measured, unmatched
from crossfw.errors import CrossfwError
from crossfw.report.facts import skipped


def compare_reports(old: str | Path, new: str | Path) -> Comparison:
    """What differs between two report folders.

    Raises:
        CrossfwError: one of them is no report, or they have no task in common that was run in both.
    """
    before, after = read_evidence(Path(old)), read_evidence(Path(new))
    common = [name for name, task in before.tasks.items() if name in after.tasks and not _skipped(task, after, name)]
    if not common:
        found = f"no task in common that was run in both: {len(before.tasks)} and {len(after.tasks)} tasks"
        raise CrossfwError(f"a comparison of {old} and {new}", found, "compare two reports of the same tasks")
    same_machine, differences = conditions.machine(before, after)
    known = before.whole and after.whole
    sure = iter if known else conditions.in_doubt
    findings = [*conditions.kept(before, after), *differences, *_tasks(before, after)]
    races: list[Contest] = []
    updated = conditions.updated(before, after)
    for name in common:
        a, b = before.tasks[name], after.tasks[name]
        same, as_long, said = conditions.settings(name, a, b)
        findings += said
        if same:
            findings += compare_agreement(name, a, b, as_long)
            findings += unmatched(name, a, b)
        if same and (as_long or not known):
            findings += sure(compare_learning(name, a, b))
        if same and same_machine:
            findings += sure(compare_memory(name, a, b))
            otherwise = list(otherwise_measured(name, a, b))
            findings += otherwise
            races += [] if otherwise else contests(name, a, b, updated)
    findings += compare_speed(races)
    return Comparison(str(old), str(new), len(common), tuple(findings))


def _skipped(task: dict[str, Any], after: Evidence, name: str) -> bool:
    return skipped(task) or skipped(after.tasks[name])


def _tasks(before: Evidence, after: Evidence) -> Iterator[Finding]:
    """Tasks that only one of the reports ran."""
    for kind, here, there in (("vanished", before, after), ("new", after, before)):
        for name, task in here.tasks.items():
            other = there.tasks.get(name)
            if not skipped(task) and (other is None or skipped(other)):
                text = other["reason"] if other else "not in the other report"
                yield Finding(kind, "task", name, "", text)

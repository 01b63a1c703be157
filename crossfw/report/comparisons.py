"""The tables of comparisons: where implementations first differ, and every stage."""

from __future__ import annotations

from crossfw.report import facts
from crossfw.report.grids import BAD, GOOD, Table, grouped, table
from crossfw.results import formatting
from crossfw.results.schema import AgreementRow, TaskResult

REFERENCE = "numpy"


def divergence(task: TaskResult) -> Table:
    """The first failing row of every pair that disagrees."""
    columns = "implementation|against|stage|tensor|dtype|>error|>bound|>error / bound"
    return table("Where they first differ", columns, [_divergence_row(row) for row in task["first_divergence"]])


def agreement(task: TaskResult) -> Table:
    """All comparisons by stage, the worst tensor for the others; pairs that differ have a line each, others share one.

    Those share a line that were compared with the reference, with themselves, or with one another.
    """
    stages: dict[str, dict[tuple[str, ...], list[AgreementRow]]] = {}
    named = len({row["implementation"] for row in task["agreement"]} - {REFERENCE})
    broken = {_pair(row) for row in task["agreement"] if facts.failed(row)}
    for row in task["agreement"]:
        own = _pair(row)[1:] if _pair(row) in broken else (_kind(row),)
        key = (row["dtype"], *own, "" if _pair(row) in broken else row["grade"])
        stages.setdefault(row["stage"], {}).setdefault(key, []).append(row)
    groups = [(stage, [_agreement_row(rows, named) for rows in _joined(lines)]) for stage, lines in stages.items()]
    columns = "implementations|against|dtype|>tensors|>worst error|>bound|worst tensor|grade"
    caption = "Every comparison, by stage; the worst error is also the smallest bound that would have passed"
    return grouped(caption, columns, groups)


def _pair(row: AgreementRow) -> tuple[str, str, str, str]:
    return row["stage"], row["dtype"], row["implementation"], row["against"]


def _kind(row: AgreementRow) -> str:
    if row["implementation"] == row["against"]:
        return "itself"
    return REFERENCE if row["against"] == REFERENCE else "another"


def _joined(lines: dict[tuple[str, ...], list[AgreementRow]]) -> list[list[AgreementRow]]:
    """A pair with a less accurate tensor stands in that line with all of its tensors."""
    found = {}
    for key, rows in lines.items():
        if key[-1] == "equal":
            worse = {_pair(row) for row in lines.get((*key[:-1], "less accurate"), ())}
            found[key] = [row for row in rows if _pair(row) not in worse]
        elif key[-1] == "less accurate":
            pairs = {_pair(row) for row in rows}
            found[key] = rows + [row for row in lines.get((*key[:-1], "equal"), ()) if _pair(row) in pairs]
        else:
            found[key] = rows
    return [rows for rows in found.values() if rows]


def _divergence_row(row: AgreementRow) -> list[str]:
    numbers = (formatting.error(number) for number in (row["error"], row["bound"], facts.severity(row)))
    return [row["implementation"], row["against"], row["stage"], row["tensor"], row["dtype"], *numbers]


def _agreement_row(rows: list[AgreementRow], named: int) -> list[str]:
    worst = max(rows, key=lambda row: (facts.failed(row), facts.severity(row)))
    bad = sum(map(facts.failed, rows))
    grade = f"{BAD} {bad} different" if bad else f"{GOOD} {_mildest(rows)}"
    tensors = str(len({row["tensor"] for row in rows}))
    numbers = [tensors, formatting.error(worst["error"]), formatting.error(worst["bound"])]
    name = worst["tensor"] if worst["error"] else formatting.NONE
    return [*_who(rows, named), worst["dtype"], *numbers, name, grade]


def _who(rows: list[AgreementRow], named: int) -> tuple[str, str]:
    """The implementations, out of `named` beside the reference, and what they were compared with."""
    pairs = facts.unique((row["implementation"], row["against"]) for row in rows)
    names, others = (facts.unique(pair[side] for pair in pairs) for side in (0, 1))
    if all(name == other for name, other in pairs):
        return formatting.all_of(names, named + (REFERENCE in names)), "itself"
    if len(pairs) == len(names) * len(others):
        return formatting.all_of(names, named), formatting.listing(others)
    return ", ".join(f"{name} / {other}" for name, other in pairs), "each other"


def _mildest(rows: list[AgreementRow]) -> str:
    if all(row["grade"] == "equal" for row in rows):
        return "equal"
    factor = max((row["factor"] or 0.0 for row in rows if row["grade"] == "less accurate"), default=0.0)
    return "less accurate" + (f", up to {formatting.times(factor)}" if factor else "")

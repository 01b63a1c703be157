"""A comparison for a terminal."""

from __future__ import annotations

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crossfw.comparison.findings import Comparison, Finding
from crossfw.results.formatting import count, listing

HEADINGS = {
    "new": ("New", "cyan"),
    "vanished": ("Vanished", "yellow"),
    "different": ("Different, without being better or worse", "cyan"),
    "unclear": ("Cannot be told", "yellow"),
    "improvement": ("Better", "green"),
    "regression": ("Worse", "red"),
}
NAMED = 3  # tasks in one line


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print what differs, kind by kind, what got worse last, and then the conclusion."""
    console.print(
        f"old: {comparison.old}\nnew: {comparison.new}", markup=False, highlight=False, soft_wrap=True, end="\n\n"
    )
    for kind, (heading, color) in HEADINGS.items():
        findings = comparison.of(kind)
        if not findings:
            continue
        table = Table(
            *("task", "what", "change"),
            title=f"{heading} ({len(findings)})",
            title_justify="left",
            title_style=f"bold {color}",
            box=SIMPLE,
        )
        for tasks, finding in _merged(findings):
            what = f"{finding.about}: {finding.what}" if finding.what else finding.about
            table.add_row(*map(Text, (tasks, what, finding.text)))
        console.print(table)
    color = "green" if comparison else "red"
    console.print(Text(conclusion(comparison), style=f"bold {color}"), soft_wrap=True)


def conclusion(comparison: Comparison) -> str:
    """One sentence: what got worse, what got better, and what cannot be told."""
    worse, better, unclear = (len(comparison.of(kind)) for kind in ("regression", "improvement", "unclear"))
    first = "nothing is shown to be worse" if comparison else count(worse, "regression")
    more = f", {count(better, 'improvement')}" if better else ""
    untold = f"; {count(unclear, 'thing')} cannot be told" if unclear else ""
    return f"{count(comparison.tasks, 'task')} compared: {first}{more}{untold}"


def _merged(findings: list[Finding]) -> list[tuple[str, Finding]]:
    """Findings that say the same of several tasks are one line: the tasks' names, and one of them."""
    same: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        same.setdefault((finding.about, finding.what, finding.text), []).append(finding)
    return [(_names([finding.task or "all" for finding in group]), group[0]) for group in same.values()]


def _names(tasks: list[str]) -> str:
    return listing(tasks) if len(tasks) <= NAMED else f"{', '.join(tasks[:NAMED])} and {len(tasks) - NAMED} more"

"""`crossfw run --suite d2l`: progress, the table in the terminal, the folder, and the exit code."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console
from rich.table import Table

from crossfw.audit.rows import AuditRow
from crossfw.audit.run import run_audit
from crossfw.audit.write import ORDER, summary


def audit_command(
    names: tuple[str, ...], out: Path, pythons: dict[str, str], threads: int | None, console: Console
) -> int:
    """Run the audit and print its table; 0 where all is as known, 1 where something else differs, 2 where one failed.

    Raises:
        CrossfwError: d2l is missing, or there is no case of a name.
    """
    with console.status("reading d2l") as status:
        rows, code = run_audit(names, out, pythons, threads or os.cpu_count() or 1, status.update)
    console.print(printed(rows))
    console.print(f"{summary(rows)}\nreport: {out / 'index.html'}", markup=False, highlight=False, soft_wrap=True)
    return code


def printed(rows: list[AuditRow]) -> Table:
    """What was compared, the verdicts that matter most first; what cannot be compared stands in the report."""
    table = Table("name", "verdict", "stage", "cause or finding")
    for row in sorted(rows, key=lambda row: ORDER.index(row.verdict)):
        if row.verdict != ORDER[-1]:
            table.add_row(row.name, row.verdict, row.stage, row.cause or row.found)
    return table

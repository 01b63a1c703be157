"""`python -m audits.d2l`: progress, the table in the terminal, the folder, and the exit code."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from audits.d2l.rows import AuditRow
from audits.d2l.run import run_audit
from audits.d2l.write import ORDER, summary
from crossfw.errors import CrossfwError


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME ...]")
@click.option("--out", type=click.Path(path_type=Path), default="reports/d2l", show_default=True, help="The folder.")
@click.option("--mxnet-python", metavar="PYTHON", help="Interpreter of MXNet's side.")
@click.option("--torch-python", metavar="PYTHON", help="Interpreter of PyTorch's side.")
@click.option("--threads", type=int, default=os.cpu_count() or 1, help="Of each framework. [default: all cores]")
def main(names: tuple[str, ...], out: Path, mxnet_python: str | None, torch_python: str | None, threads: int) -> None:
    """Verify d2l's models as ports; 0 where all is as known, 1 where something else differs, 2 where one failed."""
    console, pythons = Console(), {"mxnet": mxnet_python, "torch": torch_python}
    pythons = {framework: python for framework, python in pythons.items() if python}
    try:
        with console.status("reading d2l") as status:
            rows, code = run_audit(names, out, pythons, threads, status.update)
    except CrossfwError as error:
        click.echo(f"audits.d2l: error\n{error}", err=True)
        sys.exit(2)
    console.print(printed(rows))
    console.print(f"{summary(rows)}\nreport: {out / 'index.html'}", markup=False, highlight=False, soft_wrap=True)
    sys.exit(code)


def printed(rows: list[AuditRow]) -> Table:
    """What was compared, the verdicts that matter most first; what cannot be compared stands in the report."""
    table = Table("name", "verdict", "stage", "cause or finding")
    for row in sorted(rows, key=lambda row: ORDER.index(row.verdict)):
        if row.verdict != ORDER[-1]:
            table.add_row(row.name, row.verdict, row.stage, row.cause or row.found)
    return table


if __name__ == "__main__":
    main()

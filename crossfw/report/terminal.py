"""The three answers for every task, for the end of a run in a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from crossfw.report.headlines import headlines
from crossfw.report.summary import answers
from crossfw.results.schema import Results

COLORS = {"agree": "green", "disagree": "red", "incomplete": "yellow"}
COLORS |= {"yes": "green", "no": "red", "unknown": "yellow", "plain": "default"}


def print_summary(results: Results, console: Console) -> None:
    """Print verdict and answers of every task, then those of all; words carry the meaning, colour repeats it."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for task in results["tasks"]:
        grid.add_row(
            Text(task["task"], style="bold"), Text(task["verdict"].upper(), style=f"bold {COLORS[task['verdict']]}")
        )
        for answer in answers(task):
            grid.add_row(f"  {answer.question}", Text(answer.text))
            for warning in answer.warnings:
                grid.add_row("", Text(f"warning: {warning}", style="yellow"))
        for warning in task["warnings"]:
            grid.add_row("  Warning", Text(warning, style="yellow"))
        grid.add_row("", "")
    grid.add_row(Text("All tasks", style="bold"), "")
    for line in headlines(results):
        grid.add_row(f"  {line.question}", Text.assemble((line.word, f"bold {COLORS[line.status]}"), f": {line.text}"))
    console.print(grid)

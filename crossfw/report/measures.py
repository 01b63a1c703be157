"""The table of what trained models can do."""

from __future__ import annotations

from crossfw.report import facts
from crossfw.report.grids import Table, table
from crossfw.results import formatting
from crossfw.results.schema import MeasureRow, TaskResult


def measures(task: TaskResult) -> Table:
    """A line for each measure, a column for each implementation: the median over seeds, and their range."""
    dtypes = facts.unique(row["dtype"] for row in task["measures"])
    dtype = "float32" if "float32" in dtypes else next(iter(dtypes), "")
    shown = [row for row in task["measures"] if row["dtype"] == dtype]
    names = facts.unique(row["implementation"] for row in shown)
    rows = [
        [measure, *(_cell(measure, shown, name) for name in names)]
        for measure in facts.unique(row["measure"] for row in shown)
    ]
    seeds = len(facts.unique(row["seed"] for row in shown))
    over = f", median and range over {seeds} seeds" if seeds > 1 else ""
    columns = "|".join(["measure", *(f">{name}" for name in names)])
    return table(f"What the trained models can do, {dtype}{over}", columns, rows)


def _cell(measure: str, rows: list[MeasureRow], name: str) -> str:
    values = [row["value"] for row in rows if (row["measure"], row["implementation"]) == (measure, name)]
    return formatting.measure(measure, values).replace(" (", "\n(")

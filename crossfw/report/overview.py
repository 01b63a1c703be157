"""One line for every task: is it the same model, does it learn the same, and how fast is it?"""

from __future__ import annotations

from dataclasses import dataclass

from crossfw.report import facts
from crossfw.report.grids import BAD, GOOD, WARNING, Table, table
from crossfw.report.summary import NO_DIFFERENCE, Status, not_the_same_model
from crossfw.results import formatting
from crossfw.results.schema import TaskResult, ThroughputRow

MARKS = {"yes": f"{GOOD} ", "no": f"{BAD} ", "unknown": "", "plain": ""}
COLUMNS = ("Same model?", "Learns the same?", "Training speed")


@dataclass(frozen=True)
class Cell:
    """A few words, line by line, and what must be told beside them."""

    status: Status
    parts: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Everything, a line to a line."""
        first, *others = self.parts
        return "\n".join([MARKS[self.status] + first, *others, *(f"{WARNING} {words}" for words in self.warnings)])


def line(task: TaskResult) -> tuple[Cell, Cell, Cell]:
    """The cells of a task under `COLUMNS`."""
    return _model(task), _learning(task), _speed(task)


def overview(tasks: list[TaskResult]) -> Table:
    """The lines of all tasks."""
    rows = [[task["task"], task["verdict"], *(cell.text for cell in line(task))] for task in tasks]
    return table("All tasks", "|".join(("task", "verdict", *COLUMNS)), rows)


def _model(task: TaskResult) -> Cell:
    rows = task["agreement"]
    tensors = formatting.count(len({(row["stage"], row["tensor"]) for row in rows}), "tensor")
    if task["verdict"] == "agree":
        return Cell("yes", (tensors if rows else "yes",))
    if task["verdict"] == "incomplete":
        different = sum(map(facts.failed, rows))
        in_part = f"in part: {formatting.count(different, 'comparison')} failed" if different else f"in part: {tensors}"
        return Cell("unknown", (in_part if rows else "not compared",))
    if not task["first_divergence"]:
        return Cell("no", ("no",))
    first, *others = task["first_divergence"]
    more = (f"and {formatting.count(len(others), 'other pair')}",) if others else ()
    return Cell("no", (f"{first['implementation']}: {first['stage']}, {first['tensor']}", *more))


def _learning(task: TaskResult) -> Cell:
    warnings = tuple(filter(None, (facts.future_warning(task).split(":")[0],)))
    if task["learning"] is None:
        return Cell("unknown", ("nothing trained",), warnings)
    verdict = task["learning"]["verdict"]
    status: Status = {"same": "yes", "different": "no"}.get(verdict, "unknown")
    return Cell(status, (verdict,), warnings)


def _speed(task: TaskResult) -> Cell:
    rows = [row for row in task["throughput"] if row["mode"] == "train" and not facts.is_control(row)]
    ratios = tuple(_ratio(row) for row in rows if facts.compared(row))
    speeds = tuple(f"{row['implementation']} {formatting.rate(row['tokens_per_second'])} tokens/s" for row in rows)
    if not rows:
        return Cell("unknown", ("not measured",))
    unlike = not_the_same_model(task)
    status: Status = "no" if task["verdict"] == "disagree" else "plain"
    return Cell(status, (*((unlike,) if unlike else ()), *(ratios or speeds)))


def _ratio(row: ThroughputRow) -> str:
    if facts.shows_no_difference(row):
        return f"{row['implementation']} and {row['ratio_to']} {NO_DIFFERENCE}"
    number = formatting.ratio(row["ratio"], row["ratio_low"], row["ratio_high"]).split(" ")[0]
    return f"{row['implementation']} {number} {row['ratio_to']}"

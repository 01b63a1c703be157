"""Published results beside those measured here: of one task, and of all."""

from __future__ import annotations

import re

from crossfw.report import facts
from crossfw.report.grids import BAD, GOOD, Table, grouped, table
from crossfw.results import formatting
from crossfw.results.schema import PublishedRow, Results, TaskResult

FRAMEWORKS = {"mxnet": "MXNet", "torch": "PyTorch"}
SHORT = 40  # characters of a source that the overview shows
_MARKS = {"reproduced": GOOD, "not reproduced": BAD}


def published(task: TaskResult) -> Table:
    """Published figures beside those measured here."""
    rows = []
    for row in task["published"]:
        numbers = (_number(row, key) for key in ("published", "measured"))
        rows.append([row["quantity"], _by(row), *numbers, _verdict(row["verdict"]), row["source"]])
    columns = "quantity|framework|>published|>measured here|verdict|source"
    return table("Published figures beside those measured here", columns, rows)


def overview(results: Results) -> Table:
    """All tasks: each figure of a trained model has a line, the worked examples of a task share one."""
    groups = [(task["task"], rows) for task in results["tasks"] if (rows := _overview_rows(task["published"]))]
    columns = "quantity|published by|>published|>MXNet here|>PyTorch here|verdict|source"
    return grouped("Published results and the same quantities measured here", columns, groups)


def _overview_rows(published_rows: list[PublishedRow]) -> list[list[str]]:
    worked = [row for row in published_rows if _is_worked_example(row)]
    rows = [_figure_row(row) for row in published_rows if not _is_worked_example(row)]
    return rows + ([_worked_row(worked)] if worked else [])


def _is_worked_example(row: PublishedRow) -> bool:
    return row["mxnet_measured"] is None and row["torch_measured"] is None and row["measured"] is not None


def _figure_row(row: PublishedRow) -> list[str]:
    numbers = (_number(row, key) for key in ("published", "mxnet_measured", "torch_measured"))
    return [row["quantity"], _by(row), *numbers, _verdict(row["verdict"].split("; ")[0]), _short(row["source"])]


def _worked_row(rows: list[PublishedRow]) -> list[str]:
    right = sum(row["verdict"].split("; ")[0] == "reproduced" for row in rows)
    mark = GOOD if right == len(rows) else BAD
    by = formatting.listing(facts.unique(_framework(row) for row in rows))
    sources = formatting.listing(facts.unique(_short(row["source"]) for row in rows))
    verdict = f"{mark} {right} of {len(rows)} values reproduced"
    return ["worked examples", by, *([formatting.NONE] * 3), verdict, sources]


def _number(row: PublishedRow, key: str) -> str:
    """Measures of trained models in their own units, other quantities as they are."""
    if row[key] is not None and formatting.is_measure(row["quantity"]):
        return formatting.measure(row["quantity"], [row[key]])
    return formatting.published(row[key])


def _by(row: PublishedRow) -> str:
    return _framework(row) + (f", {row['implementation']}" if row["implementation"] else "")


def _framework(row: PublishedRow) -> str:
    return FRAMEWORKS.get(row["framework"], row["framework"])


def _verdict(words: str) -> str:
    mark = _MARKS.get(re.split("[;,] ", words)[0])
    return f"{mark} {words}" if mark else words


def _short(source: str) -> str:
    """Who and where: an address without its scheme, else up to the colon and the second comma."""
    if re.match(r"https?://", source):
        text = re.sub(r"^https?://(www\.)?", "", source).rstrip("/")
    else:
        text = ", ".join(source.split(": ")[0].split(", ")[:2])
    return text if len(text) <= SHORT else text[: SHORT - 1].rstrip(" ,") + "…"

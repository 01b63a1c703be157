"""The rows of `agreement`, some thousands for each task, in columns and compressed, beside `results.json`.

In `results.json` a pointer stands in their place: {"file": "agreement.json.gz", "rows": 2860}. A column of words is
{"values": [...], "codes": [...]}, each word once and then its place for every row; a column of numbers is a list. That
takes a hundredth of the rows as JSON. Numbers have four significant digits, which keeps every order: an error that was
within its bound is so after rounding, too.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
from typing import Any

from crossfw.results.encoding import NON_FINITE, numeric_fields
from crossfw.results.schema import AgreementRow, Results

FILE = "agreement.json.gz"
FIELDS = tuple(AgreementRow.__annotations__)
_NUMERIC = frozenset(numeric_fields(AgreementRow))


def as_csv(results: Results) -> bytes:
    """The rows of all tasks, with the column "task" first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("task", *FIELDS))
    for task in results["tasks"]:
        for row in task["agreement"]:
            cells = (_digits(row[field]) if field in _NUMERIC else row[field] for field in FIELDS)
            writer.writerow((task["task"], *cells))
    return text.getvalue().encode()


def pack(results: Results) -> bytes:
    """What `FILE` holds; the same bytes whenever it is written."""
    rows = [row for task in results["tasks"] for row in task["agreement"]]
    columns: dict[str, Any] = {"task": _coded([task["task"] for task in results["tasks"] for _ in task["agreement"]])}
    for field in FIELDS:
        values = [row[field] for row in rows]
        columns[field] = [_number(value) for value in values] if field in _NUMERIC else _coded(values)
    text = json.dumps({"columns": columns}, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return gzip.compress(text.encode(), 9, mtime=0)


def without_rows(results: Results) -> dict[str, Any]:
    """`results` with a pointer to `FILE` in place of the rows."""
    tasks = [{**task, "agreement": {"file": FILE, "rows": len(task["agreement"])}} for task in results["tasks"]]
    return {**results, "tasks": tasks}


def points_elsewhere(results: dict[str, Any]) -> bool:
    """Whether rows are missing that `restore` would put back."""
    return any(isinstance(task["agreement"], dict) for task in results["tasks"])


def unpack(packed: bytes) -> dict[str, list[dict[str, Any]]]:
    """The rows in what `pack` wrote, by task.

    Raises:
        ValueError, KeyError, TypeError, IndexError, OSError, EOFError, zlib.error: `packed` is broken.
    """
    columns = json.loads(gzip.decompress(packed))["columns"]
    lists = [
        [NON_FINITE.get(value, value) for value in columns[field]] if field in _NUMERIC else _decoded(columns[field])
        for field in FIELDS
    ]
    found: dict[str, list[dict[str, Any]]] = {}
    for name, *values in zip(_decoded(columns["task"]), *lists):
        found.setdefault(name, []).append(dict(zip(FIELDS, values)))
    return found


def restore(results: dict[str, Any], packed: bytes) -> None:
    """Put the rows back where pointers to them stand.

    Raises:
        ValueError, KeyError, TypeError, IndexError: they are not the rows of these results.
        OSError, EOFError, zlib.error: `packed` is broken.
    """
    found = unpack(packed)
    for task in results["tasks"]:
        if isinstance(task["agreement"], dict):
            count, rows = task["agreement"]["rows"], found.get(task["task"], [])
            task["agreement"], found[task["task"]] = rows[:count], rows[count:]
            if len(rows) < count:
                raise ValueError(f"{len(rows)} of the {count} rows of task {task['task']}")


def _coded(words: list[str]) -> dict[str, list]:
    places = {word: place for place, word in enumerate(dict.fromkeys(words))}
    return {"values": list(places), "codes": [places[word] for word in words]}


def _decoded(column: dict[str, list]) -> list[str]:
    return [column["values"][code] for code in column["codes"]]


def _digits(number: float | None) -> str:
    return "" if number is None else f"{number:.4g}"


def _number(number: float | None) -> float | str | None:
    if number is None or math.isfinite(number):
        return None if number is None else float(f"{number:.4g}")
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"

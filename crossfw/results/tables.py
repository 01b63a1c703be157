"""Results as pandas tables, and a report folder read back."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from crossfw.errors import CrossfwError
from crossfw.results import archive
from crossfw.results.encoding import (
    LEARNING_TABLES,
    SWEEP_TABLES,
    TABLES,
    loads,
)
from crossfw.results.schema import SCHEMA, Results, TaskResult

_OF_SWEEPS = {
    "sweep": "points",
    "sweep_exponents": "exponents",
    "sweep_ratios": "ratios",
    "sweep_overtakings": "overtakings",
}


@dataclass(frozen=True)
class Report:
    """A report folder: each table of all tasks as a DataFrame, with the column "task" first."""

    folder: Path
    results: Results
    agreement: pd.DataFrame
    perplexity: pd.DataFrame
    throughput: pd.DataFrame
    published: pd.DataFrame
    failures: pd.DataFrame
    causality: pd.DataFrame
    measures: pd.DataFrame
    trajectory: pd.DataFrame
    equivalence: pd.DataFrame
    sweep: pd.DataFrame
    sweep_exponents: pd.DataFrame
    sweep_ratios: pd.DataFrame
    sweep_overtakings: pd.DataFrame


def frames(results: Results) -> dict[str, pd.DataFrame]:
    """The tables of all tasks by name; columns and their order are the schema's, also where a table is empty.

    Of the `samples` of speed only their number is kept, as `sample_count`.
    """
    tables = {}
    sweep_tables = {name: SWEEP_TABLES[key] for name, key in _OF_SWEEPS.items()}
    for name, row_type in {**TABLES, **LEARNING_TABLES, **sweep_tables}.items():
        columns = ["task", *("sample_count" if field == "samples" else field for field in row_type.__annotations__)]
        records = [_record(task["task"], row) for task in results["tasks"] for row in _rows(task, name)]
        tables[name] = pd.DataFrame.from_records(records, columns=columns)
    return tables


def read_results(folder: str | Path) -> Results:
    """The results of the report in `folder`; CrossfwError where there is none that this version reads."""
    folder = Path(folder)
    asked = f"the report in {folder}"
    if not folder.is_dir():
        raise CrossfwError(asked, "no such folder", "give the folder that `crossfw run --out` wrote")
    path = folder / "results.json"
    if not path.is_file():
        raise CrossfwError(asked, "a folder without results.json", "give the folder that `crossfw run --out` wrote")
    try:
        results = loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as fault:
        raise CrossfwError(
            asked, f"a broken results.json ({fault})", "write the report again with `crossfw run`"
        ) from None
    except (KeyError, TypeError, AttributeError) as fault:
        found = f"a results.json that lacks a part of its schema ({type(fault).__name__}: {fault})"
        raise CrossfwError(asked, found, "write the report again with `crossfw run`") from None
    number = results.get("schema") if isinstance(results, dict) else None
    if number != SCHEMA:
        found = f"schema {number!r}, where this crossfw reads schema {SCHEMA}"
        raise CrossfwError(asked, found, "read it with the crossfw that wrote it, or write the report again")
    _restore_agreement(folder, results)
    return results


def load(folder: str | Path) -> Report:
    """The report in `folder`; CrossfwError where there is none that this version reads."""
    results = read_results(folder)
    return Report(folder=Path(folder), results=results, **frames(results))


def _restore_agreement(folder: Path, results: Results) -> None:
    if not archive.points_elsewhere(results):
        return
    asked, remedy = f"the report in {folder}", "write the report again with `crossfw run`"
    path = folder / archive.FILE
    if not path.is_file():
        raise CrossfwError(asked, f"a folder without {archive.FILE}, to which its results.json points", remedy)
    try:
        archive.restore(results, path.read_bytes())
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError, IndexError) as fault:
        found = f"an {archive.FILE} that does not belong to its results.json ({fault})"
        raise CrossfwError(asked, found, remedy) from None


def _rows(task: TaskResult, name: str) -> Iterator[dict[str, Any]]:
    if name in LEARNING_TABLES:
        yield from task["learning"][name] if task["learning"] else ()
    elif name in _OF_SWEEPS:
        yield from (row for sweep in task["sweeps"] for row in sweep[_OF_SWEEPS[name]])
    else:
        yield from task[name]


def _record(task: str, row: dict[str, Any]) -> dict[str, Any]:
    record = {"task": task, **row}
    if "samples" in record:
        record["sample_count"] = len(record.pop("samples"))
    return record

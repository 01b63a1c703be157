"""What a report folder still tells: all of `results.json`, or else the tables that were kept without it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossfw.errors import CrossfwError
from crossfw.results import archive
from crossfw.results.encoding import TABLES
from crossfw.results.tables import read_results

PARTS = ("agreement", "perplexity", "throughput", "measures")  # that are kept outside `results.json`


@dataclass(frozen=True)
class Evidence:
    """A report.

    Attributes:
        tasks: by name, with the keys of `TaskResult`; a table that was not kept is not there. Rows of throughput from
            a CSV file have no samples.
        environment: None where it was not kept.
        about: `created`, `crossfw` and `suite`, where they were kept.
    """

    folder: Path
    tasks: dict[str, dict[str, Any]]
    environment: dict[str, Any] | None
    about: dict[str, str]

    @property
    def whole(self) -> bool:
        """Whether its `results.json` was there."""
        return self.environment is not None


def read_evidence(folder: Path) -> Evidence:
    """The report in `folder`.

    Raises:
        CrossfwError: there is none, or a part of it is broken.
    """
    kept = [name for name in PARTS if _file(folder, name) is not None]
    if (folder / "results.json").is_file() or not kept:
        results = read_results(folder)
        about = {name: str(results.get(name)) for name in ("created", "crossfw", "suite")}
        return Evidence(folder, {task["task"]: task for task in results["tasks"]}, results["environment"], about)
    tasks: dict[str, dict[str, Any]] = {}
    for name in kept:
        for task, rows in _table(folder, name).items():
            tasks.setdefault(task, {})[name] = rows
    return Evidence(folder, tasks, None, {})


def _file(folder: Path, name: str) -> Path | None:
    names = (archive.FILE, "agreement.csv") if name == "agreement" else (f"{name}.csv",)
    return next((folder / file for file in names if (folder / file).is_file()), None)


def _table(folder: Path, name: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of a table, by task."""
    path = _file(folder, name)
    try:
        return archive.unpack(path.read_bytes()) if path.name == archive.FILE else _csv(path, name)
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError, IndexError) as fault:
        found = f"a broken {path.name} ({type(fault).__name__}: {fault})"
        raise CrossfwError(f"the report in {folder}", found, "write the report again with `crossfw run`") from None


def _csv(path: Path, name: str) -> dict[str, list[dict[str, Any]]]:
    import pandas as pd

    frame = pd.read_csv(path, float_precision="round_trip")
    lacking = {"task", *TABLES[name].__annotations__} - {"samples"} - set(frame.columns)
    if lacking:
        raise ValueError(f"without the column {sorted(lacking)[0]}")
    empty = {"samples": []} if name == "throughput" else {}
    tasks: dict[str, list[dict[str, Any]]] = {}
    for row in frame.astype(object).where(frame.notna(), None).to_dict("records"):
        tasks.setdefault(row.pop("task"), []).append({**row, **empty})
    return tasks

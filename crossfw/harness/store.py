"""Finished cells on disk, so that a run can be resumed.

cells/TASK/CELL.safetensors and .json    what a cell recorded; the JSON is written last and says "finished"
cells/TASK.json                          what all cells of a task amount to
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from pathlib import Path
from typing import Any

from crossfw.agreement.trace import Trace
from crossfw.errors import CrossfwError
from crossfw.files import write_aside
from crossfw.results.tables import read_results


def fingerprint(*parts: Any) -> str:
    """SHA-256 (hex) of anything JSON can hold."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


class Store:
    """The folder of a run.

    Raises:
        CrossfwError: the folder cannot be written, or holds a report already and `resume` is not set, or holds
            none and it is.
    """

    def __init__(self, folder: Path, resume: bool):
        self.folder, self.cells = folder, folder / "cells"
        asked = f"--out {folder}"
        if resume and not self.cells.is_dir():
            raise CrossfwError(f"--resume with {asked}", "no cells of an earlier run", "leave --resume out")
        try:
            if folder.is_dir() and any(path != self.cells for path in folder.iterdir()) and not resume:
                raise CrossfwError(asked, "the folder is not empty", "add --resume to go on in it, or name another")
            self.cells.mkdir(parents=True, exist_ok=True)
            probe = self.cells / f".{uuid.uuid4().hex}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise CrossfwError(asked, f"it cannot be written: {error.strerror}", "name another folder") from error

    def load(self, task: str, cell: str, key: str) -> Trace | None:
        """A finished cell with this fingerprint, or None."""
        path = self.cells / task / cell
        try:
            trace = Trace.load(path)
        except (OSError, ValueError):
            return None
        return trace if trace.facts.get("fingerprint") == key else None

    def save(self, task: str, cell: str, key: str, trace: Trace) -> None:
        """Keep a finished cell."""
        Trace(trace.arrays, {**trace.facts, "fingerprint": key}).save(self.cells / task / cell)

    def earlier_results(self, without: set[str]) -> list[dict]:
        """Results of other tasks in the folder's report, which a new report keeps."""
        try:
            tasks = read_results(self.folder)["tasks"]
        except CrossfwError:
            return []
        return [task for task in tasks if task["task"] not in without]

    def load_conclusion(self, task: str, key: str) -> dict | None:
        """The result of a task that was finished with this fingerprint, or None."""
        try:
            document = json.loads((self.cells / f"{task}.json").read_bytes())
        except (OSError, ValueError):
            return None
        return document["result"] if document.get("fingerprint") == key else None

    def conclude(self, task: str, key: str, result: dict, keep_traces: bool) -> None:
        """Keep the result of a finished task; its traces move to `traces/` or go."""
        write_aside(self.cells / f"{task}.json", json.dumps({"fingerprint": key, "result": result}).encode())
        cells = self.cells / task
        if keep_traces:
            (self.folder / "traces").mkdir(exist_ok=True)
            shutil.rmtree(self.folder / "traces" / task, ignore_errors=True)
            os.replace(cells, self.folder / "traces" / task)
        else:
            shutil.rmtree(cells, ignore_errors=True)

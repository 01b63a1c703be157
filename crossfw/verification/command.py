"""`crossfw verify`: progress, the verdict in the terminal, files, and the exit code."""

from __future__ import annotations

import json
import os
from pathlib import Path

from rich.console import Console

from crossfw.files import write_aside
from crossfw.verification import verify_file
from crossfw.verification.diagnosis import SECONDS
from crossfw.verification.show import console_text


def verify_command(
    port: Path,
    pythons: dict[str, str],
    threads: int | None,
    files: dict[str, Path | None],
    console: Console,
    seconds: float = SECONDS,
) -> int:
    """Verify a port file and print the verdict: 0 where it agrees, 1 where it does not, 2 where nothing can be said.

    Raises:
        CrossfwError: nothing can be compared.
    """
    with console.status("starting both frameworks") as status:
        count = threads or max(1, (os.cpu_count() or 1) // 2)  # both sides compute at once
        verdict = verify_file(port, pythons, count, lambda words: status.update(words), seconds)
    console.print(console_text(verdict), soft_wrap=True)
    if files["html"]:
        write_aside(files["html"], verdict.html().encode())
    if files["json"]:
        write_aside(files["json"], json.dumps(verdict.to_json(), indent=1, default=str).encode())
    for path in filter(None, files.values()):
        console.print(f"written: {path}", markup=False, highlight=False, soft_wrap=True)
    return {"agrees": 0, "differs": 1, "not compared": 2}[verdict.word]

"""`crossfw compare`: two folders, what differs in the terminal and in a file, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from crossfw.comparison.compare import compare_reports
from crossfw.comparison.show import print_comparison
from crossfw.files import write_aside


def compare_command(old: Path, new: Path, file: Path | None, console: Console) -> int:
    """Compare two report folders and print what differs: 1 where anything got worse, else 0.

    Raises:
        CrossfwError: one of them is no report, or nothing can be compared.
    """
    comparison = compare_reports(old, new)
    print_comparison(comparison, console)
    if file:
        write_aside(file, json.dumps(comparison.to_json(), indent=1).encode())
        console.print(f"written: {file}", markup=False, highlight=False, soft_wrap=True)
    return 0 if comparison else 1

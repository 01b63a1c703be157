"""Does an implementation need more memory than it did?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crossfw.comparison.findings import Finding
from crossfw.results import formatting

EFFECT = 0.10
GRAIN = 4 * 2**20  # bytes: pages and allocators of a process; 15 runs of the same code lay up to 2.6 MB apart


def compare_memory(task: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Finding]:
    """Peaks above the idle worker that changed by more than EFFECT and more than GRAIN."""
    ours, theirs = (_peaks(side.get("throughput", ())) for side in (old, new))
    for name in [name for name in ours if name in theirs]:
        before, after = ours[name], theirs[name]
        if abs(after - before) > max(EFFECT * before, GRAIN):
            share = f"{formatting.percent(abs(after / before - 1))} " if before else ""
            text = f"{formatting.megabytes(before)} -> {formatting.megabytes(after)} MB, {share}"
            kind, word = ("regression", "more") if after > before else ("improvement", "less")
            yield Finding(kind, "memory", task, name, text + word)


def _peaks(rows: list[dict[str, Any]]) -> dict[str, float]:
    return {row["implementation"]: row["peak_memory_bytes"] for row in rows if row.get("peak_memory_bytes") is not None}

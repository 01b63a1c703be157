"""Two reports: what got worse, what got better, what vanished and what is new: `crossfw compare`.

- `evidence`: a report folder read, also one that lost its `results.json`.
- `findings`: one thing that differs, and all of them.
- `conditions`: what has to be the same, so that the rest can be compared: settings, machine, threads.
- `agreement`, `learning`, `speed`, `memory`: what each part of a report says of it; `tests`: the statistics of speed.
- `compare`: all of them in order; `show`: for a terminal; `command`: files and the exit code.
"""

from __future__ import annotations

from crossfw.comparison.compare import compare_reports
from crossfw.comparison.findings import Comparison, Finding

__all__ = ["Comparison", "Finding", "compare_reports"]

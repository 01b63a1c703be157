"""Results as a report: JSON and CSV to compute with, Markdown, HTML and the terminal to read.

What `results.json` holds, and how it is kept and read back, stands in `crossfw/results/`. In the order in which results
flow through them:

- `facts`: what all the others need to know about a task.
- `summary`, `headlines`: the words: three answers for every task, and three for the whole report.
- `grids`: tables as text in cells; `sections`, `comparisons`, `measures`, `published`, `samples`, `sweeps`: those that
  a reader sees of a task; `overview`: one line for every task.
- `canvas`, `curves`, `heatmap`, `speed`, `scaling`, `figures`: the figures; `compact`: their SVG, made small.
- `pages`: all of these together, made ready for `markdown` and `html` and their templates; `sharing`: what the figures
  of one page have in common.
- `write`: the folder; `terminal`: the end of a run.
"""

from __future__ import annotations

from crossfw.report.terminal import print_summary
from crossfw.report.write import write_report
from crossfw.results.schema import SCHEMA, Results, TaskResult
from crossfw.results.tables import Report, frames, load, read_results

__all__ = [
    "SCHEMA",
    "Report",
    "Results",
    "TaskResult",
    "frames",
    "load",
    "print_summary",
    "read_results",
    "write_report",
]

"""A report made ready for its templates: sentences, tables and figures of every task, formatted."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime

from crossfw.report import (
    comparisons,
    figures,
    measured,
    measures,
    overview,
    published,
    samples,
    sections,
    summary,
    sweeps,
)
from crossfw.report.canvas import Drawing, styles
from crossfw.report.grids import BAD, GOOD, Table
from crossfw.report.headlines import Headline, headlines
from crossfw.results import archive, formatting
from crossfw.results.schema import Results, TaskResult

BADGES = {"agree": GOOD, "disagree": BAD, "incomplete": "\N{CIRCLE WITH LEFT HALF BLACK}"}
SWEEP = "sweep.csv"  # in a report with a sweep alone
FILES = {
    "report.md": "this report as Markdown",
    "results.json": "everything, with the raw timings",
    "agreement.csv": "every comparison of every tensor",
    archive.FILE: "the same in columns, compressed; `crossfw.load` reads it",
    "perplexity.csv": "every point of every curve",
    "throughput.csv": "speeds, ratios, intervals, memory",
    "measures.csv": "what the trained models can do, of every seed",
    SWEEP: "speeds at every value of a swept setting",
}
FEW = 6  # tasks whose figures and tables stand open
_TABLES = {
    "setup": sections.setup,
    "divergence": comparisons.divergence,
    "agreement": comparisons.agreement,
    "final_perplexities": sections.final_perplexities,
    "trajectory": sections.trajectory,
    "equivalence": sections.equivalence,
    "causality": sections.causality,
    "measures": measures.measures,
    "examples": samples.examples,
    "published": published.published,
    "throughput": sections.throughput,
    "beside": measured.beside,
    "machine": measured.machine,
    "overtakings": sweeps.overtakings,
    "exponents": sweeps.exponents,
    "sweep_speeds": sweeps.speeds,
    "failures": sections.failures,
}


@dataclass(frozen=True)
class TaskPage:
    """One task: `slug` names its files and anchors; `tables` and `figures` hold what there is to show."""

    task: TaskResult
    slug: str
    badge: str
    answers: list[summary.Answer]
    line: tuple[overview.Cell, ...]
    tables: dict[str, Table]
    figures: dict[str, Drawing]
    samples: list[tuple[str, list[samples.Group]]]
    measured: list[str]

    @property
    def sweeps(self) -> list[str]:
        """The kinds of figures that show a sweep."""
        return [kind for kind in self.figures if kind.startswith("sweep-")]


@dataclass(frozen=True)
class Page:
    """The whole report."""

    results: Results
    created: str
    command: str
    headlines: list[Headline]
    tasks: list[TaskPage]
    overview: Table
    published: Table
    environment: list[Table]
    files: dict[str, str]

    @property
    def few(self) -> bool:
        """Whether all can be shown at once."""
        return len(self.tasks) <= FEW

    @property
    def drawings(self) -> list[Drawing]:
        """All figures."""
        return [drawing for page in self.tasks for drawing in page.figures.values()]


def lay_out(results: Results) -> Page:
    """Everything that the templates show; this draws the figures."""
    known, pages, taken = styles(results), [], set()
    for task in results["tasks"]:
        slug = _free(formatting.slug(task["task"]), taken)
        tables = {name: make(task) for name, make in _TABLES.items()}
        pages.append(
            TaskPage(
                task=task,
                slug=slug,
                badge=BADGES[task["verdict"]],
                answers=summary.answers(task),
                line=overview.line(task),
                tables={name: table for name, table in tables.items() if table},
                figures=figures.draw(task, known, slug),
                samples=samples.by_prefix(task),
                measured=measured.how(task),
            )
        )
    environment = [table for table in sections.environment(results) if table]
    moment = datetime.fromisoformat(results["created"].replace("Z", "+00:00"))  # Python 3.10 reads no Z
    created = f"{moment:%Y-%m-%d %H:%M %Z}".strip()
    return Page(
        results=results,
        created=created,
        command=shlex.join(results["command"]),
        headlines=headlines(results),
        tasks=pages,
        overview=overview.overview(results["tasks"]),
        published=published.overview(results),
        environment=environment,
        files={
            name: text for name, text in FILES.items() if name != SWEEP or any(t["sweeps"] for t in results["tasks"])
        },
    )


def _free(slug: str, taken: set[str]) -> str:
    """`slug`, or `slug-2` and so on where another task has it."""
    name, number = slug, 1
    while name in taken:
        number += 1
        name = f"{slug}-{number}"
    taken.add(name)
    return name

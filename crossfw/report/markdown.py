"""A report as Markdown (GitHub's), with its figures as files beside it."""

from __future__ import annotations

import re

from jinja2 import Environment, PackageLoader, StrictUndefined

from crossfw.report.grids import WARNING, Table
from crossfw.report.pages import Page

SHOWN = (
    "measures",
    "final_perplexities",
    "trajectory",
    "equivalence",
    "causality",
    "examples",
    "published",
    "throughput",
    "beside",
    "machine",
    "overtakings",
    "exponents",
    "sweep_speeds",
)
FOLDED = {"setup": "What was run", "agreement": "Every comparison, by stage"}


def render(page: Page) -> str:
    """The text of `report.md`."""
    environment = Environment(
        loader=PackageLoader("crossfw.report"),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(text=text, grid=grid, fenced=fenced)
    template = environment.get_template("page.md.j2")
    source = template.render(page=page, warning=WARNING, shown=SHOWN, folded=FOLDED)
    return re.sub(r"\n{3,}", "\n\n", source)


def text(words: str) -> str:
    """`words` so that Markdown shows them as they are, on one line."""
    return re.sub(r"([\\`*|\[\]])", r"\\\1", " ".join(str(words).split())).replace("<", "&lt;")


def grid(table: Table) -> str:
    """A table with its caption above; groups become a first column."""
    headings = any(heading for heading, _ in table.groups)
    columns = [*(["group"] if headings else []), *table.columns]
    rules = [*(["---"] if headings else []), *("---:" if numeric else "---" for numeric in table.numeric)]
    rows = [[*([heading] if headings else []), *row] for heading, rows in table.groups for row in rows]
    lines = ["| " + " | ".join(map(_cell, row)) + " |" for row in (columns, *rows)]
    return "\n".join([f"**{text(table.caption)}**", "", lines[0], f"| {' | '.join(rules)} |", *lines[1:]])


def _cell(words: str) -> str:
    return "<br>".join(map(text, words.split("\n")))


def fenced(code: str) -> str:
    """`code` in a fence that is longer than any within it."""
    longest = max((len(ticks) for ticks in re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{code}\n{fence}"

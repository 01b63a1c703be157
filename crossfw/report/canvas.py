"""How figures look, one colour for each implementation, and how they leave matplotlib, as SVG and PNG."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crossfw.report.compact import compact
from crossfw.results.schema import Results

WIDTH = 3.75  # inches: 360 CSS pixels, a phone; text of 9 pt is then 12 px
STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # finding a place above the ticks takes a third of the time of a drawing
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#6b7280",
    "axes.facecolor": "none",  # the figure's white shows through
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e5e7eb",
    "grid.linewidth": 0.7,
    "xtick.bottom": False,  # the grid shows where the numbers belong
    "ytick.left": False,
    "xtick.color": "#6b7280",
    "ytick.color": "#6b7280",
    "xtick.labelcolor": "#1f2937",
    "ytick.labelcolor": "#1f2937",
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "text.color": "#1f2937",
    "axes.labelcolor": "#1f2937",
    "svg.fonttype": "none",
    "svg.hashsalt": "crossfw",
}
NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


class Style(NamedTuple):
    """How an implementation is drawn, in every figure of a report."""

    color: str
    marker: str


KNOWN = {
    "numpy": Style("#6b7280", "X"),
    "mxnet-scratch": Style("#e69f00", "s"),
    "mxnet-gluon": Style("#d55e00", "D"),
    "torch-scratch": Style("#56b4e9", "^"),
    "torch-nn": Style("#0072b2", "o"),
}
OTHERS = (
    Style("#009e73", "P"),
    Style("#cc79a7", "v"),
    Style("#8a6d00", "p"),
    Style("#111111", "*"),
    Style("#7b3294", "h"),
)


@dataclass(frozen=True)
class Drawing:
    """A figure of the report: `alt` says in words what it shows; `wide` ones scroll sideways in their box."""

    name: str
    caption: str
    alt: str
    svg: str
    png: bytes
    wide: bool


def styles(results: Results) -> dict[str, Style]:
    """A style for every implementation that the report names."""
    tables = ("agreement", "perplexity", "throughput", "causality", "samples", "measures")
    rows = [row for task in results["tasks"] for table in tables for row in task[table]]
    names = {row["implementation"] for row in rows} | {row["against"] for row in rows if "against" in row}
    for task in results["tasks"]:
        names |= {row["implementation"] for row in (task["learning"] or {}).get("trajectory", [])}
    others = sorted(names - KNOWN.keys())
    return KNOWN | {name: OTHERS[index % len(OTHERS)] for index, name in enumerate(others)}


def render(figure: Figure, name: str, caption: str, alt: str, wide: bool = False) -> Drawing:
    """The finished figure; `name` is unique in the report."""
    svg, png = io.StringIO(), io.BytesIO()
    figure.savefig(svg, format="svg", metadata=NO_METADATA)
    figure.savefig(png, format="png", dpi=160, metadata={"Software": None})
    return Drawing(name, caption, alt, compact(svg.getvalue(), alt), png.getvalue(), wide)


def upright(axes_height: float, legend_rows: int) -> tuple[Figure, Axes]:
    """A figure as wide as a phone: one plot of `axes_height` inches, and room for a legend below it."""
    below = 0.5 + 0.185 * legend_rows
    height = 0.32 + axes_height + below
    figure = Figure(figsize=(WIDTH, height))
    return figure, figure.add_axes((0.145, below / height, 0.825, axes_height / height))


def legend(figure: Figure, handles: list[Artist], columns: int) -> None:
    """A legend at the foot of the figure."""
    figure.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 0),
        borderaxespad=0.2,
        ncols=columns,
        columnspacing=1.2,
        handlelength=2.6,
        labelspacing=0.35,
    )


def present(rows: Sequence[Mapping[str, Any]], known: dict[str, Style]) -> list[str]:
    """The implementations of some rows, in the order of the whole report."""
    found = {row["implementation"] for row in rows}
    return [name for name in known if name in found]

"""The figure of errors: a row for each stage, a column for each implementation, a panel for each dtype.

A stage shows the worst of its tensors; those that differ from what they must be have rows of their own below it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from crossfw.report import facts
from crossfw.report.canvas import WIDTH, Drawing, Style, present, render
from crossfw.results import formatting
from crossfw.results.schema import AgreementRow, TaskResult

MOST_ROWS = 20  # tensors that differ
ROW, GAP, PAD = 15.0, 14.0, 6.0  # points
LETTER = 5.7  # points: a letter of 9 pt, generously
PALE, BLUE, AMBER, RED, INK = (1.0, 1.0, 1.0), (0.66, 0.80, 0.92), "#fde3a7", "#a3160b", "#1f2937"

SHADES = 8  # between white and blue: more cannot be told apart

Place = tuple[str, str]  # stage, and one of its tensors that differs, or ""


@dataclass(frozen=True)
class Map:
    """What is drawn, and where: widths and heights in points."""

    reference: str | None
    columns: list[str]
    dtypes: list[str]
    places: list[Place]
    sizes: dict[str, int]  # tensors of each stage
    differing: int  # tensors, of which `places` has up to MOST_ROWS
    cells: dict[tuple[Place, str, str], AgreementRow]

    @property
    def label_width(self) -> float:
        """The names of stages and tensors."""
        return PAD + max(14, *(len(self.label(place)) for place in self.places)) * LETTER + 8

    def label(self, place: Place) -> str:
        """What stands at the left of a row."""
        stage, tensor = place
        return _shortened(tensor) if tensor else f"{stage} ({self.sizes[stage]})"

    @property
    def column_width(self) -> float:
        """One implementation: the longest part of its name, or a number."""
        return max(44.0, *(len(part) * LETTER + 10 for name in self.columns for part in _header(name)))


def errors(task: TaskResult, styles: dict[str, Style], name: str) -> Drawing | None:
    """The heat map; None where nothing was compared."""
    chart = _arrange(task, styles)
    if chart is None:
        return None
    panel = len(chart.columns) * chart.column_width
    width = max(WIDTH * 72, chart.label_width + len(chart.dtypes) * (panel + GAP) + PAD - GAP)
    head = 40 + 18 + 11 * max(len(_header(column)) for column in chart.columns) + 6
    height = head + len(chart.places) * ROW + 66
    figure = Figure(figsize=(width / 72, height / 72))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    _titles(axes, chart)
    for index, place in enumerate(chart.places):
        y, indent = head + (index + 0.5) * ROW, 8 if place[1] else 0
        axes.text(PAD + indent, y, chart.label(place), weight="normal" if place[1] else "bold", va="center")
    for index, dtype in enumerate(chart.dtypes):
        _panel(axes, chart, dtype, chart.label_width + index * (panel + GAP), head)
    _key(axes, height - 56)
    against = f" against {chart.reference}" if chart.reference else ""
    many = formatting.count(sum(chart.sizes.values()), "tensor")
    alt = f"Error of {many}{against} in {task['title']}, the largest of each stage: " + (
        f"{formatting.count(chart.differing, 'tensor')} above the bound."
        if chart.differing
        else "none above the bound."
    )
    caption = "Relative error of the worst tensor of every stage, and how many tensors it has."
    if chart.differing:
        caption += " Tensors with an error that no rounding explains stand below; a cross marks it."
    return render(figure, name, caption, alt, wide=width > WIDTH * 72 + 1)


def _arrange(task: TaskResult, styles: dict[str, Style]) -> Map | None:
    pairs = [row for row in task["agreement"] if row["implementation"] != row["against"]]
    others = facts.unique(row["against"] for row in pairs)
    reference = "numpy" if "numpy" in others else others[0] if len(others) == 1 else None
    rows = [row for row in pairs if row["against"] == reference] if reference else pairs
    if not rows:
        return None
    tensors: dict[str, dict[str, float]] = {}  # by stage: those that differ with their severity, others with -1
    cells: dict[tuple[Place, str, str], AgreementRow] = {}
    for row in rows:
        stage, column = row["stage"], _column(row, reference)
        for place in ((stage, ""), (stage, row["tensor"])):
            key = (place, row["dtype"], column)
            if key not in cells or _rank(row) > _rank(cells[key]):
                cells[key] = row
        worst = facts.severity(row) if facts.failed(row) else -1.0
        known = tensors.setdefault(stage, {})
        known[row["tensor"]] = max(known.get(row["tensor"], -1.0), worst)
    differing = [
        (worst, stage, name) for stage, known in tensors.items() for name, worst in known.items() if worst >= 0
    ]
    kept = {place[1:] for place in sorted(differing, key=lambda each: each[0], reverse=True)[:MOST_ROWS]}
    return Map(
        reference=reference,
        columns=present(rows, styles) if reference else facts.unique(_column(row, None) for row in rows),
        dtypes=sorted(facts.unique(row["dtype"] for row in rows), reverse=True),
        places=[(s, name) for s, known in tensors.items() for name in ("", *known) if not name or (s, name) in kept],
        sizes={stage: len(known) for stage, known in tensors.items()},
        differing=len(differing),
        cells=cells,
    )


def _column(row: AgreementRow, reference: str | None) -> str:
    return row["implementation"] if reference else f"{row['implementation']} / {row['against']}"


def _rank(row: AgreementRow) -> tuple[bool, bool, float]:
    return facts.failed(row), row["grade"] == "less accurate", facts.severity(row)


def _titles(axes: Axes, chart: Map) -> None:
    axes.text(PAD, 14, "Error by stage", weight="bold", size=10, va="center")
    shown = sum(bool(tensor) for _, tensor in chart.places)
    verb = "differs" if chart.differing == 1 else "differ"
    many = f"{formatting.count(chart.differing, 'tensor')} {verb}"
    count = many if chart.differing else "the worst tensor of each"
    if shown < chart.differing:
        count += f", the {shown} worst are shown"
    axes.text(PAD, 29, f"{f'against {chart.reference}' if chart.reference else 'between pairs'}; {count}", va="center")


def _panel(axes: Axes, chart: Map, dtype: str, left: float, top: float) -> None:
    step = chart.column_width
    axes.text(left, 52, dtype, weight="bold", va="center")
    boxes, colors = [], []
    for index, column in enumerate(chart.columns):
        x = left + index * step
        for line, words in enumerate(reversed(_header(column))):
            axes.text(x + 0.5 * step, top - 5 - 11 * line, words, ha="center", va="bottom")
        for line, place in enumerate(chart.places):
            y = top + line * ROW
            text, fill, ink, weight = _cell(chart.cells.get((place, dtype, column)))
            boxes.append(Rectangle((x + 0.5, y + 0.5), step - 1, ROW - 1))
            colors.append(fill)
            axes.text(x + step / 2, y + ROW / 2 + 0.5, text, ha="center", va="center", color=ink, weight=weight)
    axes.add_collection(PatchCollection(boxes, facecolors=colors, edgecolors="#e5e7eb", linewidths=0.5, zorder=0.5))


def _cell(row: AgreementRow | None) -> tuple[str, object, str, str]:
    """Text, fill, ink and weight of a cell."""
    if row is None:
        return "", PALE, INK, "normal"
    text = formatting.error(row["error"])
    if facts.failed(row):
        return f"✕ {text}", RED, "white", "bold"
    if row["grade"] == "less accurate":
        return f"▾ {text}", AMBER, INK, "normal"
    return text, _shade(facts.severity(row)), INK, "normal"


def _shade(ratio: float) -> tuple[float, ...]:
    """White from a millionth of the bound down, blue at the bound."""
    depth = 0.0 if ratio <= 0 else min(1.0, max(0.0, 1 + math.log10(ratio) / 6)) if math.isfinite(ratio) else 1.0
    depth = round(depth * SHADES) / SHADES
    return tuple(pale + depth * (blue - pale) for pale, blue in zip(PALE, BLUE))


def _key(axes: Axes, top: float) -> None:
    for step in range(SHADES + 1):
        shade = _shade(10 ** (6 * (step / SHADES - 1)))
        axes.add_patch(Rectangle((PAD + step * 42 / (SHADES + 1), top), 42 / (SHADES + 1), 11, facecolor=shade, lw=0))
    axes.add_patch(Rectangle((PAD, top), 42, 11, fill=False, edgecolor="#9ca3af", linewidth=0.5))
    axes.text(PAD + 50, top + 6, "error: a millionth of the bound … bound", va="center")
    for line, (sign, fill, ink, text) in enumerate(
        [
            ("▾", AMBER, INK, "less accurate than its counterpart"),
            ("✕", RED, "white", "different: no rounding explains it"),
        ]
    ):
        y = top + 17 * (line + 1)
        axes.add_patch(Rectangle((PAD, y), 42, 11, facecolor=fill, linewidth=0))
        axes.text(PAD + 21, y + 6, sign, color=ink, weight="bold", ha="center", va="center")
        axes.text(PAD + 50, y + 6, text, va="center")


def _header(name: str) -> list[str]:
    """A name in lines: `mxnet-gluon` in two."""
    return name.replace(" / ", "-against-").split("-")


def _shortened(tensor: str) -> str:
    return tensor if len(tensor) <= 44 else f"{tensor[:22]}…{tensor[-21:]}"

"""The figure of errors: a row for each tensor, a column for each implementation, a panel for each dtype."""

from __future__ import annotations

import math
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from crossfw.report import facts, formatting
from crossfw.report.canvas import WIDTH, Drawing, Style, present, render
from crossfw.schema import AgreementRow, TaskResult

MOST_ROWS = 60
ROW, GAP, PAD = 15.0, 14.0, 6.0  # points
LETTER = 5.7  # points: a letter of 9 pt, generously
PALE, BLUE, AMBER, RED, INK = (1.0, 1.0, 1.0), (0.66, 0.80, 0.92), "#fde3a7", "#a3160b", "#1f2937"

Place = tuple[str, str]  # stage, tensor


@dataclass(frozen=True)
class Map:
    """What is drawn, and where: widths and heights in points."""

    reference: str | None
    columns: list[str]
    dtypes: list[str]
    places: list[Place]
    left_out: int
    cells: dict[tuple[Place, str, str], AgreementRow]

    @property
    def label_width(self) -> float:
        """The names of the tensors."""
        longest = max(max(len(_shortened(tensor)) for _, tensor in self.places), 8)
        return PAD + longest * LETTER + 8

    @property
    def column_width(self) -> float:
        """One implementation: the longest part of its name, or a number."""
        return max(44.0, *(len(part) * LETTER + 10 for name in self.columns for part in _header(name)))

    @property
    def stages(self) -> list[str]:
        """The stages, in order."""
        return facts.unique(stage for stage, _ in self.places)


def errors(task: TaskResult, styles: dict[str, Style], name: str) -> Drawing | None:
    """The heat map; None where nothing was compared."""
    chart = _arrange(task, styles)
    if chart is None:
        return None
    panel = len(chart.columns) * chart.column_width
    width = max(WIDTH * 72, chart.label_width + len(chart.dtypes) * (panel + GAP) + PAD - GAP)
    head = 40 + 18 + 11 * max(len(_header(column)) for column in chart.columns) + 6
    height = head + (len(chart.places) + len(chart.stages)) * ROW + 66
    figure = Figure(figsize=(width / 72, height / 72))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    _titles(axes, chart)
    _stages_and_tensors(axes, chart, head, width)
    for index, dtype in enumerate(chart.dtypes):
        _panel(axes, chart, dtype, chart.label_width + index * (panel + GAP), head)
    _key(axes, height - 56)
    failing = sum(facts.failed(row) for row in chart.cells.values())
    against = f" against {chart.reference}" if chart.reference else ""
    alt = f"Error of {len(chart.places)} tensors{against} in {task['title']}: " + (
        f"{formatting.count(failing, 'cell')} above the bound." if failing else "no cell above the bound."
    )
    return render(
        figure,
        name,
        "Largest relative error of every tensor, by stage. A cross marks an error that no rounding explains.",
        alt,
        wide=width > WIDTH * 72 + 1,
    )


def _arrange(task: TaskResult, styles: dict[str, Style]) -> Map | None:
    pairs = [row for row in task["agreement"] if row["implementation"] != row["against"]]
    others = facts.unique(row["against"] for row in pairs)
    reference = "numpy" if "numpy" in others else others[0] if len(others) == 1 else None
    rows = [row for row in pairs if row["against"] == reference] if reference else pairs
    if not rows:
        return None
    if reference:
        columns = present(rows, styles)
    else:
        columns = facts.unique(f"{row['implementation']} / {row['against']}" for row in rows)
    cells: dict[tuple[Place, str, str], AgreementRow] = {}
    for row in rows:
        column = row["implementation"] if reference else f"{row['implementation']} / {row['against']}"
        key = ((row["stage"], row["tensor"]), row["dtype"], column)
        if key not in cells or _rank(row) > _rank(cells[key]):
            cells[key] = row
    places = facts.unique((row["stage"], row["tensor"]) for row in rows)
    worst: dict[Place, tuple[bool, float]] = {}
    for (place, _, _), row in cells.items():
        worst[place] = max(worst.get(place, (False, 0.0)), _rank(row))
    kept = set(sorted(places, key=worst.__getitem__, reverse=True)[:MOST_ROWS])
    dtypes = sorted(facts.unique(row["dtype"] for row in rows), reverse=True)
    return Map(reference, columns, dtypes, [place for place in places if place in kept], len(places) - len(kept), cells)


def _rank(row: AgreementRow) -> tuple[bool, float]:
    return facts.failed(row), facts.severity(row)


def _titles(axes: Axes, chart: Map) -> None:
    axes.text(PAD, 14, "Error by tensor", weight="bold", size=10, va="center")
    against = f"against {chart.reference}" if chart.reference else "between pairs"
    total = len(chart.places) + chart.left_out
    count = f"the {len(chart.places)} worst of {total} tensors" if chart.left_out else formatting.count(total, "tensor")
    axes.text(PAD, 29, f"{against}; {count}", va="center")


def _stages_and_tensors(axes: Axes, chart: Map, top: float, width: float) -> None:
    stage_before, y = None, top
    for stage, tensor in chart.places:
        if stage != stage_before:
            axes.plot([PAD, width - PAD], [y + 1, y + 1], color="#d1d5db", linewidth=0.7)
            axes.text(PAD, y + ROW / 2 + 1, stage, weight="bold", va="center")
            stage_before, y = stage, y + ROW
        axes.text(PAD + 8, y + ROW / 2, _shortened(tensor), va="center")
        y += ROW


def _panel(axes: Axes, chart: Map, dtype: str, left: float, top: float) -> None:
    step = chart.column_width
    axes.text(left, 52, dtype, weight="bold", va="center")
    for index, column in enumerate(chart.columns):
        axes.text(
            left + (index + 0.5) * step, top - 5, "\n".join(_header(column)), ha="center", va="bottom", linespacing=1.0
        )
    boxes, colors, stage_before, y = [], [], None, top
    for place in chart.places:
        if place[0] != stage_before:
            stage_before, y = place[0], y + ROW
        for index, column in enumerate(chart.columns):
            row = chart.cells.get((place, dtype, column))
            x = left + index * step
            text, fill, ink, weight = _cell(row)
            boxes.append(Rectangle((x + 0.5, y + 0.5), step - 1, ROW - 1))
            colors.append(fill)
            axes.text(x + step / 2, y + ROW / 2 + 0.5, text, ha="center", va="center", color=ink, weight=weight)
        y += ROW
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
    return tuple(pale + depth * (blue - pale) for pale, blue in zip(PALE, BLUE))


def _key(axes: Axes, top: float) -> None:
    for step in range(24):
        shade = _shade(10 ** (6 * (step / 23 - 1)))
        axes.add_patch(Rectangle((PAD + step * 1.75, top), 1.8, 11, facecolor=shade, linewidth=0))
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

"""The figure of throughput: a dot and its 95 % interval for every implementation, training above inference."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from crossfw.report import facts
from crossfw.report.canvas import WIDTH, Drawing, Style, render
from crossfw.report.summary import not_the_same_model
from crossfw.results import formatting
from crossfw.results.schema import TaskResult, ThroughputRow

LINE, ABOVE, BELOW = 0.3, 0.36, 0.34  # inches: of one implementation, and around each panel


def throughput(task: TaskResult, styles: dict[str, Style], name: str) -> Drawing | None:
    """Tokens per second; None where nothing was timed."""
    panels = {mode: rows for mode in facts.MODES if (rows := _lines(task, mode))}
    if not panels:
        return None
    lines = sum(map(len, panels.values()))
    height = lines * LINE + len(panels) * (ABOVE + BELOW)
    figure = Figure(figsize=(WIDTH, height))
    top = height
    for mode, rows in panels.items():
        top -= ABOVE + len(rows) * LINE
        axes = figure.add_axes((0.345, top / height, 0.63, len(rows) * LINE / height))
        top -= BELOW
        _draw(axes, rows, styles)
        axes.set_title(f"{facts.MODES[mode].capitalize()}, tokens per second", x=-0.345 / 0.63 + 0.02)
    alone = [
        f"{row['implementation']} {formatting.rate(row['tokens_per_second'])}"
        for row in panels[next(iter(panels))]
        if not facts.is_control(row)
    ]
    mode = facts.MODES[next(iter(panels))]
    alt = f"Tokens per second in {mode}, {task['title']}: {', '.join(alone)}."
    unlike = not_the_same_model(task)
    caption = (
        f"{unlike}: tokens per second, with 95 % intervals." if unlike else "Tokens per second, with 95 % intervals."
    )
    if any(facts.is_control(row) for rows in panels.values() for row in rows):
        caption += " A hollow mark is the A/A control: the same code in a second process."
    return render(figure, name, caption[0].upper() + caption[1:], alt)


def _lines(task: TaskResult, mode: str) -> list[ThroughputRow]:
    """One row for each implementation, whatever it is compared with, and one for its control."""
    found: dict[tuple[str, bool], ThroughputRow] = {}
    for row in task["throughput"]:
        if row["mode"] == mode and all(math.isfinite(row[key]) for key in ("tokens_per_second", "low", "high")):
            found.setdefault((row["implementation"], facts.is_control(row)), row)
    return list(found.values())


def _draw(axes: Axes, rows: list[ThroughputRow], styles: dict[str, Style]) -> None:
    high = max(row["high"] for row in rows)
    for line, row in enumerate(rows):
        style, control = styles[row["implementation"]], facts.is_control(row)
        speed, left, right = row["tokens_per_second"], row["low"], row["high"]
        axes.plot([left, right], [line, line], color=style.color, linewidth=3, alpha=0.55, solid_capstyle="butt")
        axes.plot(
            speed,
            line,
            color=style.color,
            marker=style.marker,
            markersize=7 if control else 6.5,
            markerfacecolor="white" if control else style.color,
            markeredgewidth=1.6 if control else 0,
        )
        axes.annotate(formatting.rate(speed), (right, line), xytext=(6, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(rows)), [_label(row) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, high * 1.36)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1e3:g} k" if value else "0"))


def _label(row: ThroughputRow) -> str:
    return f"{row['implementation']}, A/A" if facts.is_control(row) else row["implementation"]

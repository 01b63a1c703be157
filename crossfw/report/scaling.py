"""The figure of a sweep: tokens per second and time per training step by the value of a setting, both logarithmic."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from crossfw.report.canvas import WIDTH, Drawing, Style, present, render
from crossfw.report.summary import not_the_same_model
from crossfw.report.sweeps import NAMES, exponent_text
from crossfw.results import formatting
from crossfw.results.schema import TaskResult
from crossfw.results.schema_sweep import Sweep, SweepPoint

PANEL, ABOVE, BELOW = 1.75, 0.32, 0.5  # inches: a plot, and around it
LEFT, LETTER = 0.62, 0.078  # inches: beside the plot, and of a letter of a label
LINE = 13.0  # points from label to label
CLOSE = 26.0  # points between two ticks whose numbers still stand apart
FAR = 3.0  # times beyond the outermost point: intervals that reach further are cut at the frame
INK = "#1f2937"


def scaling(task: TaskResult, sweep: Sweep, styles: dict[str, Style], name: str) -> Drawing | None:
    """One sweep of a task; None where nothing was timed."""
    points = [point for point in sweep["points"] if point["tokens_per_second"] is not None]
    if not points:
        return None
    names = present(points, styles)
    height = 2 * (ABOVE + PANEL + BELOW) - 0.2
    right = LETTER * max(map(len, names)) + 0.22
    figure = Figure(figsize=(WIDTH, height))
    width = WIDTH - LEFT - right
    panels = (
        ("Tokens per second", ("tokens_per_second", "low", "high"), 1.0, _thousands),
        ("Milliseconds per training step", ("seconds_per_step", "seconds_low", "seconds_high"), 1e3, _plain),
    )
    for row, (title, keys, unit, written) in enumerate(panels):
        bottom = BELOW + (1 - row) * (PANEL + ABOVE + BELOW - 0.2)
        axes = figure.add_axes((LEFT / WIDTH, bottom / height, width / WIDTH, PANEL / height))
        lines = {each: _series(points, each, keys, unit) for each in names}
        _draw(axes, lines, styles, width)
        _mark_overtakings(axes, sweep, lines)
        _scale(axes, lines, written)
        _label(axes, lines, styles)
        axes.set_title(title, x=-LEFT / width + 0.02)
    axes.set_xlabel(NAMES[sweep["setting"]])
    what = f"Training speed by {NAMES[sweep['setting']]}"
    fits = ", ".join(f"{row['implementation']} {exponent_text(row)}" for row in sweep["exponents"])
    alt = f"{what}, {task['title']}. Exponents of the time: {fits or 'none'}."
    caption = f"{what}, with 95 % intervals (cut at the frame), both axes logarithmic."
    if any(row["value"] is not None for row in sweep["overtakings"]):
        caption += " A ring marks where one implementation overtakes another."
    if unlike := not_the_same_model(task):
        caption = f"{unlike[0].upper()}{unlike[1:]}: {caption[0].lower()}{caption[1:]}"
    return render(figure, name, caption, alt)


def spread(places: list[float], gap: float, low: float, high: float) -> list[float]:
    """Places moved as little as it takes to lie `gap` apart, between `low` and `high` where there is room; in order."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    moved = [places[index] for index in order]
    for index in range(1, len(moved)):
        moved[index] = max(moved[index], moved[index - 1] + gap)
    for index in range(len(moved) - 1, -1, -1):
        most = high if index == len(moved) - 1 else moved[index + 1] - gap
        moved[index] = min(moved[index], most)
    lift = max(0.0, low - moved[0]) if moved else 0.0
    found = [0.0] * len(places)
    for index, place in zip(order, moved, strict=True):
        found[index] = place + lift
    return found


def _series(points: list[SweepPoint], name: str, keys: tuple[str, ...], unit: float) -> np.ndarray:
    """Value, middle, low and high, (4, points), of one implementation."""
    mine = sorted((p for p in points if p["implementation"] == name), key=lambda point: point["value"])
    return np.array([[p["value"], *(unit * p[key] for key in keys)] for p in mine]).T


def _draw(axes: Axes, lines: dict[str, np.ndarray], styles: dict[str, Style], width: float) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    for name, (values, middle, low, high) in lines.items():
        style = styles[name]
        axes.vlines(values, low, high, color=style.color, linewidth=3, alpha=0.45)
        axes.plot(values, middle, color=style.color, marker=style.marker, linewidth=1.6, markersize=5)
    values = sorted({value for line in lines.values() for value in line[0]})
    span = math.log(values[-1] / values[0]) or 1.0
    ticks = [values[-1]]
    for value in values[-2::-1]:
        if math.log(ticks[-1] / value) / span * width * 72 > CLOSE:
            ticks.append(value)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FuncFormatter(_plain))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(values[0] * math.exp(-0.06 * span), values[-1] * math.exp(0.06 * span))


def _scale(axes: Axes, lines: dict[str, np.ndarray], written: Callable[[float, int], str]) -> None:
    """Plain numbers, also where the values span less than a decade; no interval presses the curves together."""
    middles, lows, highs = (np.concatenate([line[row] for line in lines.values()]) for row in (1, 2, 3))
    low, high = max(lows.min(), middles.min() / FAR), min(highs.max(), middles.max() * FAR)
    pad = max((high / low) ** 0.06, 1.02)
    axes.set_ylim(low / pad, high * pad)
    subs = (1,) if high / low > 300 else (1, 3) if high / low > 40 else (1, 2, 5)
    axes.yaxis.set_major_locator(LogLocator(subs=subs, numticks=9) if high / low > 4 else MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(written))
    axes.yaxis.set_minor_locator(NullLocator())


def _label(axes: Axes, lines: dict[str, np.ndarray], styles: dict[str, Style]) -> None:
    """The names beside the last points, each with a thread in its colour to where its line ends."""
    ends = [
        axes.transAxes.inverted().transform(axes.transData.transform((line[0][-1], line[1][-1])))
        for line in lines.values()
    ]
    places = spread([float(y) for _, y in ends], LINE / (PANEL * 72), 0.0, 1.0)
    for name, (x, y), place in zip(lines, ends, places, strict=True):
        axes.plot(
            (x, 1.05), (y, place), transform=axes.transAxes, color=styles[name].color, linewidth=0.8, clip_on=False
        )
        axes.text(1.07, place, name, transform=axes.transAxes, va="center")


def _mark_overtakings(axes: Axes, sweep: Sweep, lines: dict[str, np.ndarray]) -> None:
    for row in sweep["overtakings"]:
        if row["value"] is not None:
            pair = [lines[row[key]] for key in ("implementation", "against")]
            at = [np.interp(math.log(row["value"]), np.log(line[0]), np.log(line[1])) for line in pair]
            axes.plot(
                row["value"], math.exp(sum(at) / 2), "o", markersize=10, markerfacecolor="none", markeredgecolor=INK
            )


def _thousands(value: float, _: int) -> str:
    return f"{value / 1e6:g} M" if value >= 1e6 else f"{value / 1e3:g} k" if value >= 1e3 else f"{value:g}"


def _plain(value: float, _: int) -> str:
    return f"{value:g}" if value < 1e5 else formatting.error(value)

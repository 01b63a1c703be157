"""Figures of training: perplexity by epoch, and the gap between float64 curves."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from crossfw.report import facts
from crossfw.report.canvas import Drawing, Style, legend, present, render, upright
from crossfw.results import formatting
from crossfw.results.schema import PerplexityRow, TaskResult

NOISE, INK = "#d5d9e0", "#1f2937"
FEWEST_EPOCHS = 3  # of fewer, the tables say all that a figure could show
SMALLEST = 1e-17  # where a logarithmic axis draws a gap of zero
DASHES = {"training": "-", "validation": "--"}


def perplexity(task: TaskResult, styles: dict[str, Style], name: str) -> Drawing | None:
    """Perplexity by epoch of all implementations; None where there is nothing finite to draw, or a single point."""
    rows = [row for row in facts.drawn_rows(task) if _drawable(row)]
    if max((row["epoch"] for row in rows), default=0) < FEWEST_EPOCHS:
        return None
    names = present(rows, styles)
    bands = _noise_bands(task, rows)
    handles = _perplexity_handles(task, names, styles, rows, bool(bands))
    figure, axes = upright(2.7, (len(handles) + 1) // 2)
    for epochs, low, high in bands:
        axes.fill_between(epochs, low, high, color=NOISE, linewidth=0)
    for index, implementation in enumerate(names):
        for split in DASHES:
            mine = [row for row in rows if row["implementation"] == implementation and row["split"] == split]
            if mine:
                _draw_curve(axes, mine, styles[implementation], index, len(names))
    values = [row["perplexity"] for row in rows]
    if _floor_is_near(task["floor"], values):
        axes.axhline(task["floor"], color=INK, linewidth=1.2, linestyle=":")
        values.append(task["floor"])
    _scale_perplexity(axes, values)
    over_seeds = ", median and range over seeds" if len(facts.seeds(task)) > 1 else ""
    axes.set(title="Perplexity", xlabel=f"epoch ({facts.drawn_dtype(task)}{over_seeds})")
    legend(figure, handles, columns=2)
    ended = [final for final in facts.finals(task) if final.split == "training"]
    last = max((final.epoch for final in ended), default=0)
    ends = [
        f"{final.implementation} {formatting.perplexity(final.middle)}"
        + ("" if final.epoch == last else f" (after epoch {final.epoch} of {last})")
        for final in ended
    ]
    alt = f"Perplexity by epoch in {task['title']}. At the end of training: {', '.join(ends) or 'not recorded'}."
    caption = "Perplexity by epoch, on a logarithmic scale. Coinciding curves show as rims and alternating markers."
    band = " The band is the noise of one unit in the last place of the initial weights." if bands else ""
    return render(figure, name, caption + band, alt)


def gaps(task: TaskResult, styles: dict[str, Style], name: str) -> Drawing | None:
    """The gap of every pair's float64 curves by epoch, with noise floor, bound and horizon."""
    learning = task["learning"]
    finite = [row["epoch"] for row in learning["trajectory"] if np.isfinite(row["gap"])] if learning else []
    if max(finite, default=0) < FEWEST_EPOCHS:
        return None
    pairs = facts.trajectory_pairs(learning)
    figure, axes = upright(2.7, len(pairs) + 2)
    handles = []
    for index, ((implementation, against), points) in enumerate(pairs.items()):
        epochs, gap = _series(points, "gap")
        before = [pair for pair in list(pairs)[:index] if pair[0] == implementation]
        style = styles[implementation]
        line = Line2D(
            epochs,
            gap,
            color=style.color,
            marker=style.marker,
            linestyle=("-", "--", "-.", ":")[len(before) % 4],
            linewidth=1.6,
            markersize=5,
            markevery=_marks(index, len(pairs), len(epochs)),
            label=f"{implementation} and {against}",
        )
        axes.add_line(line)
        handles.append(line)
    axes.set_yscale("log")
    axes.autoscale_view()
    handles += _floor_and_bound(axes, [row for points in pairs.values() for row in points])
    horizon = learning["horizon"]
    last = max(row["epoch"] for row in learning["trajectory"])
    if horizon is not None and horizon < last:
        axes.axvline(horizon, color=INK, linewidth=1, linestyle=":")
        axes.annotate(
            f"horizon {horizon}",
            (horizon, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-3, -6),
            textcoords="offset points",
            rotation=90,
            ha="right",
            va="top",
        )
    axes.yaxis.set_major_locator(LogLocator(numticks=8))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: formatting.error(value)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set(title="Gap of float64 curves", xlabel="epoch")
    legend(figure, handles, columns=1)
    count = formatting.count(len(pairs), "pair")
    alt = f"Relative gap between float64 training curves by epoch in {task['title']}: {count}, horizon {horizon}."
    caption = (
        "Relative gap of float64 curves. Up to the horizon they must stay under the dashed line; beyond it the noise "
        "floor, how far the reference leaves itself when it starts one unit in the last place away and rounds every "
        "update otherwise, would allow for anything. Zero is drawn at 1e-17."
    )
    return render(figure, name, caption, alt)


def _drawable(row: PerplexityRow) -> bool:
    return bool(np.isfinite(row["perplexity"])) and row["perplexity"] > 0


def _floor_is_near(floor: float | None, values: list[float]) -> bool:
    """Whether the known floor can be drawn without crowding the curves into a corner."""
    low, high = min(values), max(values)
    return floor is not None and 0 < floor <= high and low / floor <= max(high / low, 1.3) ** 1.5


def _by_seed(rows: list[PerplexityRow]) -> tuple[np.ndarray, np.ndarray]:
    """Epochs (E,) and perplexities (S, E), NaN where a seed has no point."""
    epochs, seeds = sorted({row["epoch"] for row in rows}), sorted({row["seed"] for row in rows})
    values = np.full((len(seeds), len(epochs)), np.nan)
    columns, lines = {epoch: i for i, epoch in enumerate(epochs)}, {seed: i for i, seed in enumerate(seeds)}
    for row in rows:
        values[lines[row["seed"]], columns[row["epoch"]]] = row["perplexity"]
    return np.array(epochs), values


def _draw_curve(axes: Axes, rows: list[PerplexityRow], style: Style, index: int, total: int) -> None:
    """One curve; the earlier ones are thicker, so that they rim those which lie on them."""
    epochs, values = _by_seed(rows)
    beneath = total - 1 - index
    axes.plot(
        epochs,
        np.nanmedian(values, axis=0),
        color=style.color,
        marker=style.marker,
        zorder=2 + 0.01 * index,
        linestyle=DASHES[rows[0]["split"]],
        linewidth=1.3 + 0.9 * beneath,
        markersize=5 + 0.8 * beneath,
        markeredgecolor="white",
        markeredgewidth=0.5,
        markevery=_marks(index, total, len(epochs)),
    )
    if len(values) > 1:
        axes.fill_between(
            epochs, np.nanmin(values, axis=0), np.nanmax(values, axis=0), color=style.color, alpha=0.15, linewidth=0
        )


def _marks(index: int, total: int, points: int) -> int | tuple[int, int]:
    """Which points carry a marker: about eight, each curve's shifted against the others'."""
    if points <= 2 * total:
        return 1
    step = max(total, points // 8)
    return index * step // total, step


def _noise_bands(task: TaskResult, rows: list[PerplexityRow]) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Epochs, low and high of each split's band: the median curve, widened by the largest gap of any run to itself.

    A run's gap to itself is that to its twin which started one unit in the last place away; a model that differs
    from the others does not widen the band.
    """
    twins = {_point(row): row["perplexity"] for row in facts.drawn_rows(task, perturbed=True) if _drawable(row)}
    bands = []
    for split in DASHES:
        mine = [row for row in rows if row["split"] == split]
        gaps_at: dict[int, float] = {}
        for row in mine:
            if _point(row) in twins:
                gap = abs(twins[_point(row)] / row["perplexity"] - 1)
                gaps_at[row["epoch"]] = max(gaps_at.get(row["epoch"], 0.0), gap)
        epochs = np.array(sorted(gaps_at), dtype=int)
        if len(epochs):
            middle = np.array([np.median([row["perplexity"] for row in mine if row["epoch"] == at]) for at in epochs])
            spread = 1 + np.array([gaps_at[at] for at in epochs])
            bands.append((epochs, middle / spread, middle * spread))
    return bands


def _point(row: PerplexityRow) -> tuple[str, int, int, str]:
    return row["implementation"], row["seed"], row["epoch"], row["split"]


def _perplexity_handles(
    task: TaskResult, names: list[str], styles: dict[str, Style], rows: list[PerplexityRow], band: bool
) -> list[Artist]:
    handles: list[Artist] = [
        Line2D([], [], color=styles[name].color, marker=styles[name].marker, linewidth=2, markersize=6, label=name)
        for name in names
    ]
    for split in DASHES:
        if any(row["split"] == split for row in rows):
            handles.append(Line2D([], [], color=INK, linestyle=DASHES[split], label=split))
    if band:
        handles.append(Patch(color=NOISE, label="one-ulp noise band"))
    if task["floor"] is not None:
        near = _floor_is_near(task["floor"], [row["perplexity"] for row in rows])
        text = f"best possible, {formatting.perplexity(task['floor'])}{'' if near else ' (below)'}"
        handles.append(Line2D([], [], color=INK, linewidth=1.2, linestyle=":", label=text))
    return handles


def _scale_perplexity(axes: Axes, values: list[float]) -> None:
    """A logarithmic axis with plain numbers, also where the values span much less than a decade."""
    low, high = min(values), max(values)
    pad = max((high / low) ** 0.06, 1.0005)
    axes.set_yscale("log")
    axes.set_ylim(low / pad, high * pad)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8) if high / low > 6 else MaxNLocator(6))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}" if value < 1e5 else f"{value:.0e}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _series(points: list[dict], key: str) -> tuple[np.ndarray, np.ndarray]:
    values = np.array([point[key] for point in points], dtype=float)
    drawn = np.where(np.isfinite(values), np.maximum(values, SMALLEST), np.nan)
    return np.array([point["epoch"] for point in points]), drawn


def _floor_and_bound(axes: Axes, points: list[dict]) -> list[Artist]:
    """The noise floor as a filled area, the bound as a line; their handles."""
    epochs = sorted({point["epoch"] for point in points})
    at = {epoch: [point for point in points if point["epoch"] == epoch] for epoch in epochs}
    worst = [
        {"epoch": epoch, "floor": max(p["floor"] for p in at[epoch]), "bound": max(p["bound"] for p in at[epoch])}
        for epoch in epochs
    ]
    _, floor = _series(worst, "floor")
    _, bound = _series(worst, "bound")
    axes.fill_between(epochs, SMALLEST / 2, floor, color=NOISE, linewidth=0)
    axes.plot(epochs, bound, color=INK, linewidth=1.2, linestyle=(0, (5, 2)))
    axes.set_ylim(bottom=SMALLEST / 2)
    return [
        Patch(color=NOISE, label="noise floor: the reference to itself, rounded otherwise"),
        Line2D([], [], color=INK, linewidth=1.2, linestyle=(0, (5, 2)), label="what rounding and noise allow"),
    ]

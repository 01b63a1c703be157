"""The tables of sweeps, and the words about them: speeds, exponents, and who overtakes whom."""

from __future__ import annotations

from crossfw.report.grids import BAD, GOOD, Table, grouped
from crossfw.results import formatting
from crossfw.results.schema import TaskResult
from crossfw.results.schema_sweep import (
    Sweep,
    SweepExponent,
    SweepOvertaking,
    SweepPoint,
)

NAMES = {
    "hidden": "hidden units",
    "batch": "sequences in a batch",
    "steps": "steps of a sequence",
    "layers": "layers",
    "threads": "threads",
}
NOT_SHOWN = "no overtaking shown"


def speeds(task: TaskResult) -> Table:
    """Speed and time of every implementation at every value, beside the evidence that it is the same model there."""
    groups = []
    for sweep in task["sweeps"]:
        for value in sweep["values"]:
            rows = [_speed_row(point) for point in sweep["points"] if point["value"] == value]
            groups.append((f"{sweep['setting']} = {value}", rows))
    caption = (
        "Training at every value: medians over rounds with 95 % intervals. Before anything was timed, loss and "
        "gradients were compared with the reference in float64, at this value"
    )
    columns = "implementation|>tokens/s|>ms per step|same model at this value (error of bound)"
    return grouped(caption, columns, groups)


def exponents(task: TaskResult) -> Table:
    """The fitted exponents, with the local ones between neighbours."""
    groups = []
    for sweep in task["sweeps"]:
        rows = [
            [row["implementation"], exponent_text(row), *_local(sweep, row["implementation"])]
            for row in sweep["exponents"]
        ]
        groups.append((f"{sweep['setting']} {listed(sweep)}", rows))
    caption = (
        "Exponent p of the time per training step, which grows as value^p: least squares of logarithms, with 95 % "
        "interval. Small sizes are bound by overhead, not by arithmetic, so one exponent rarely holds for all values: "
        "the local ones, from each value to the next, show where it changes"
    )
    return grouped(caption, "implementation|>exponent|>local exponents|>values", groups)


def overtakings(task: TaskResult) -> Table:
    """Who overtakes whom, with the ratios at both ends."""
    groups = []
    for sweep in task["sweeps"]:
        rows = [
            [overtaking_text(row), *(_ratio(sweep, row, value) for value in (sweep["values"][0], sweep["values"][-1]))]
            for row in sweep["overtakings"]
        ]
        groups.append((f"{sweep['setting']} {listed(sweep)}", rows))
    caption = (
        "Who overtakes whom: shown only between two values at which the 95 % intervals of the ratio, widened by what "
        "the A/A control shows of the machine, leave out 1 on opposite sides; the place between them is interpolated "
        "in logarithms. Ratio: the speed of the first named by that of the second"
    )
    return grouped(caption, "pair|>ratio at the smallest value|>at the largest", groups)


def sentence(sweep: Sweep) -> str:
    """`hidden 64 to 256: torch-nn overtakes mxnet-gluon at about 90`."""
    shown = [row for row in sweep["overtakings"] if row["value"] is not None]
    words = [f"{row['implementation']} overtakes {row['against']} at about {_about(row['value'])}" for row in shown]
    words = words or [NOT_SHOWN if sweep["ratios"] else "no two implementations were timed"]
    return f"{sweep['setting']} {sweep['values'][0]} to {sweep['values'][-1]}: {', '.join(words)}"


def listed(sweep: Sweep) -> str:
    """`64, 128, 256`."""
    return ", ".join(map(str, sweep["values"]))


def overtaking_text(row: SweepOvertaking) -> str:
    """One overtaking in words, or that a pair shows none."""
    if row["value"] is None:
        return f"{row['implementation']} and {row['against']}: {NOT_SHOWN}"
    between = f"between {row['after']} and {row['before']}, at about {_about(row['value'])}"
    return f"{row['implementation']} overtakes {row['against']} {between}"


def exponent_text(row: SweepExponent) -> str:
    """`1.62 (1.50 to 1.74)`, or what is missing for an interval."""
    if row["low"] is None or row["high"] is None:
        return f"{row['exponent']:.2f} (no interval from {row['points']} values)"
    return f"{row['exponent']:.2f} ({row['low']:.2f} to {row['high']:.2f})"


def _about(value: float) -> str:
    return f"{float(f'{value:.2g}'):g}"


def _speed_row(point: SweepPoint) -> list[str]:
    evidence = formatting.NONE
    if point["error"] is not None:
        same = point["error"] <= point["bound"]
        size = f"{formatting.error(point['error'])} of {formatting.error(point['bound'])}"
        evidence = f"{GOOD if same else BAD} {size}"
    if point["reason"]:
        evidence = f"{BAD} {point['reason']}" if evidence == formatting.NONE else f"{evidence}; {point['reason']}"
    if point["tokens_per_second"] is None:
        return [point["implementation"], formatting.NONE, formatting.NONE, evidence]
    rates = [formatting.rate(point[key]) for key in ("tokens_per_second", "low", "high")]
    times = [formatting.milliseconds(point[key]) for key in ("seconds_per_step", "seconds_low", "seconds_high")]
    cells = [f"{middle} ({low} to {high})" for middle, low, high in (rates, times)]
    return [point["implementation"], *cells, evidence]


def _local(sweep: Sweep, name: str) -> list[str]:
    """The local exponents of an implementation, and how many values they come from."""
    mine = [point for point in sweep["points"] if point["implementation"] == name and point["samples"]]
    found = [point["local_exponent"] for point in sorted(mine, key=lambda point: point["value"])]
    return [", ".join(f"{exponent:.2f}" for exponent in found if exponent is not None), str(len(mine))]


def _ratio(sweep: Sweep, row: SweepOvertaking, value: int) -> str:
    for ratio in sweep["ratios"]:
        if ratio["value"] == value:
            if (ratio["implementation"], ratio["against"]) == (row["implementation"], row["against"]):
                return formatting.ratio(ratio["ratio"], ratio["low"], ratio["high"])
            if (ratio["against"], ratio["implementation"]) == (row["implementation"], row["against"]):
                return formatting.ratio(1 / ratio["ratio"], 1 / ratio["high"], 1 / ratio["low"])
    return formatting.NONE

"""The tables of a task and of its machine: learning, speed, settings, failures."""

from __future__ import annotations

import math
from typing import Any

from crossfw.report import facts
from crossfw.report.grids import BAD, GOOD, WARNING, Table, grouped, table
from crossfw.report.summary import NO_DIFFERENCE
from crossfw.results import formatting
from crossfw.results.schema import Results, TaskResult, ThroughputRow


def final_perplexities(task: TaskResult) -> Table:
    """Perplexity at the last epoch, over seeds; what ended earlier than others, or sees the future, is marked."""
    future, by_name, finals = facts.seeing_the_future(task), {}, facts.finals(task)
    last = max((final.epoch for final in finals), default=0)
    for final in finals:
        by_name.setdefault(final.implementation, {})[final.split] = final
    rows = []
    for name, splits in by_name.items():
        texts = [_perplexity_cell(splits[split]) if split in splits else formatting.NONE for split in _SPLITS]
        if name in future:
            texts = [text if text == formatting.NONE else f"{WARNING} {text}" for text in texts]
        some = next(iter(splits.values()))
        epoch = str(last) if some.epoch == last else f"{some.epoch} of {last}"
        note = [f"{WARNING} {facts.SEES_THE_FUTURE}" if name in future else ""] if future else []
        rows.append([name, *texts, epoch, str(len(some.values)), *note])
    columns = "implementation|>training|>validation|>epoch|>seeds" + ("|note" if future else "")
    return table(f"Final perplexity, {facts.drawn_dtype(task)}", columns, rows)


def trajectory(task: TaskResult) -> Table:
    """The greatest gap of each pair up to the horizon, beside the noise floor and the bound there."""
    learning, rows = task["learning"], []
    if not learning:
        return table("", "", [])
    horizon = learning["horizon"]
    for (implementation, against), points in facts.trajectory_pairs(learning).items():
        inside = [point for point in points if horizon is not None and point["epoch"] <= horizon]
        if inside:
            worst = max(inside, key=lambda point: (math.isnan(point["gap"]), point["gap"]))
            numbers = (formatting.error(worst[key]) for key in ("gap", "floor", "bound"))
            rows.append([implementation, against, str(worst["epoch"]), *numbers])
    caption = f"Training curves in float64, largest gap up to the horizon (epoch {horizon} of {learning['epochs']})"
    return table(caption, "implementation|against|>at epoch|>gap|>noise floor|>bound", rows)


def equivalence(task: TaskResult) -> Table:
    """The tests of final perplexities over seeds."""
    rows = []
    for row in task["learning"]["equivalence"] if task["learning"] else ():
        interval = f"{row['ratio']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
        verdict = f"{GOOD} equivalent" if row["equivalent"] else "not shown"
        margin, p_value = formatting.percent(row["margin"]), formatting.error(row["p_value"])
        rows.append([row["implementation"], row["against"], interval, f"±{margin}", p_value, verdict])
    columns = "implementation|against|>ratio (interval)|>margin|>p|verdict"
    return table("Final training perplexities over seeds, tested for equivalence", columns, rows)


def causality(task: TaskResult) -> Table:
    """Whether outputs moved when later inputs were changed."""
    rows = []
    for row in task["causality"]:
        verdict = f"{GOOD} does not see the future" if row["causal"] else f"{WARNING} {facts.SEES_THE_FUTURE}"
        rows.append([row["implementation"], formatting.error(row["change"]), verdict])
    columns = "implementation|>change of earlier outputs|verdict"
    return table("Causality: later inputs changed, earlier outputs watched", columns, rows)


def throughput(task: TaskResult) -> Table:
    """Speed, ratio and share of the machine's limit, by mode."""
    differing, groups = facts.differing(task), []
    for mode, name in facts.MODES.items():
        rows = [_throughput_row(row, differing) for row in task["throughput"] if row["mode"] == mode]
        if rows:
            groups.append((name, rows))
    columns = "implementation|>tokens/s (95 % interval)|ratio (95 % interval)|of the machine's limit|samples"
    return grouped("Speed, ratio and limit", columns, groups)


def setup(task: TaskResult) -> Table:
    """What was computed, setting by setting."""
    rows = [[_words(key), _flat(value)] for key, value in task["setup"].items() if value is not None]
    return table("What was run", "setting|value", rows)


def failures(task: TaskResult) -> Table:
    """Cells without a result."""
    rows = [[row["implementation"] or "all", row["stage"], row["reason"]] for row in task["failures"]]
    return table("What gave no result", "implementation|stage|reason", rows)


def environment(results: Results) -> list[Table]:
    """Machine and versions."""
    parts = dict(results["environment"])
    workers = parts.pop("implementations", None) or {}
    machine = parts.pop("machine", None)
    facts_of_it = {**(machine if isinstance(machine, dict) else {"machine": machine} if machine else {}), **parts}
    keys = facts.unique(key for versions in workers.values() for key in versions)
    rows = [[name, *(_flat(versions.get(key)) for key in keys)] for name, versions in workers.items()]
    columns = ("implementation", *map(_words, keys))
    return [
        table("Machine", "fact|value", [[_words(key), _flat(value)] for key, value in facts_of_it.items()]),
        Table("Versions and threads of every worker", columns, (False,) * len(columns), (("", rows),)),
    ]


_SPLITS = ("training", "validation")


def _perplexity_cell(final: facts.Final) -> str:
    middle = formatting.perplexity(final.middle)
    return middle if len(final.values) == 1 else f"{middle} ({formatting.perplexity_range(final.values)})"


def _throughput_row(row: ThroughputRow, differing: list[str]) -> list[str]:
    name, control = row["implementation"], facts.is_control(row)
    interval = f"{formatting.rate(row['low'])} to {formatting.rate(row['high'])}"
    cells = [f"{name}, A/A control" if control else name, f"{formatting.rate(row['tokens_per_second'])} ({interval})"]
    limit, far_out = formatting.percent(row["limit_fraction"]), row.get("outliers", 0)
    limit += f" by {row['limit_by']}" if row.get("limit_by") else ""
    samples = f"{len(row['samples'])}, {far_out} far out" if far_out else str(len(row["samples"]))
    return [*cells, _ratio_cell(row, differing), limit, samples]


def _ratio_cell(row: ThroughputRow, differing: list[str]) -> str:
    if row["ratio"] is None or row["ratio_low"] is None or row["ratio_high"] is None:
        return formatting.NONE
    number = formatting.ratio(row["ratio"], row["ratio_low"], row["ratio_high"])
    value, interval = number.split(" ", 1)
    other = "itself" if facts.is_control(row) else row["ratio_to"]
    unlike = f"; {BAD} not the same model" if row["implementation"] in differing or other in differing else ""
    text = f"{NO_DIFFERENCE} to {other} {interval}" if facts.shows_no_difference(row) else f"{value} {other} {interval}"
    return text + unlike


def _words(key: str) -> str:
    return str(key).replace("_", " ")


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{_words(key)} {_flat(item)}" for key, item in value.items()) or formatting.NONE
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_flat, value)) or formatting.NONE
    return formatting.NONE if value is None or value == "" else str(value)

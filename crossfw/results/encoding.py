"""`results.json` as strict JSON: numbers that JSON lacks travel as the strings "NaN", "Infinity", "-Infinity".

It is written compactly, yet a row to a line, so that two reports can be compared line by line.
"""

from __future__ import annotations

import json
import math
from typing import Any, get_type_hints

import numpy as np

from crossfw.results import schema, schema_sweep

LINE = 200  # characters: what is longer and holds other things is broken into lines
NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

TABLES: dict[str, type] = {
    "agreement": schema.AgreementRow,
    "perplexity": schema.PerplexityRow,
    "throughput": schema.ThroughputRow,
    "published": schema.PublishedRow,
    "failures": schema.Failure,
    "causality": schema.CausalityRow,
    "measures": schema.MeasureRow,
}
SWEEP_TABLES: dict[str, type] = {
    "points": schema_sweep.SweepPoint,
    "exponents": schema_sweep.SweepExponent,
    "ratios": schema_sweep.SweepRatio,
    "overtakings": schema_sweep.SweepOvertaking,
}
LEARNING_TABLES: dict[str, type] = {"trajectory": schema.TrajectoryRow, "equivalence": schema.EquivalenceRow}


def dumps(results: schema.Results) -> str:
    """The text of `results.json`."""
    return _broken(_plain(results)) + "\n"


def loads(text: str) -> Any:
    """`text` with the non-finite numbers of numeric fields as floats again, and with what older reports lack."""
    results = json.loads(text)
    if not isinstance(results, dict) or results.get("schema") != schema.SCHEMA:
        return results
    for task in results["tasks"]:
        task["floor"] = _number(task["floor"])
        _mend(task["first_divergence"], schema.AgreementRow)
        for name, row in TABLES.items():
            _mend(task[name], row)
        if task["learning"]:
            task["learning"].setdefault("updates", None)
            for name, row in LEARNING_TABLES.items():
                _mend(task["learning"][name], row)
        task.setdefault("measurement", None)
        for sweep in task.setdefault("sweeps", []):
            for name, row in SWEEP_TABLES.items():
                _mend(sweep[name], row)
    return results


def numeric_fields(row: type) -> list[str]:
    """The fields of a row's type that hold a float, a float or None, or a list of floats."""
    floats = (float, float | None, list[float])
    return [name for name, kind in get_type_hints(row).items() if kind in floats]


def _broken(value: Any) -> str:
    """JSON of `value`, with the items of what is too long for a line on lines of their own."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    if len(text) <= LINE:
        return text
    if isinstance(value, dict):
        inner = (f"{json.dumps(key, ensure_ascii=False)}:{_broken(item)}" for key, item in value.items())
        return "{\n" + ",\n".join(inner) + "\n}"
    if isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        return "[\n" + ",\n".join(map(_broken, value)) + "\n]"
    return text


def _mend(rows: list[dict[str, Any]] | dict[str, Any], row_type: type) -> None:
    if isinstance(rows, dict):  # a pointer to rows that are kept elsewhere
        return
    fields = numeric_fields(row_type)
    for row in rows:
        for field in fields:
            row[field] = _number(row[field])


def _number(value: Any) -> Any:
    if isinstance(value, list):
        return [_number(item) for item in value]
    return NON_FINITE.get(value, value) if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value

"""Worked examples: outputs that follow from all weights 1 and all biases 0, by the layer and by the cell."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from crossfw.results.schema import PublishedRow
from crossfw.task import Example, Task

RELATIVE_ERROR = 1e-15
NOT_REPRODUCED = "not reproduced"


def compute(backend: Any, task: Task, spec: Any, device: str) -> dict[str, list]:
    """What an implementation gives for each activation of the task's examples, in float64.

    Returns:
        by activation: [layer, cell], each with `output` (T, Q) and `hidden` (T, H) of the first sequence, as lists.
    """
    batch = task.data.batch().arrays()
    found = {}
    for activation in dict.fromkeys(example.activation for example in task.example):
        variant = replace(spec, activation=activation)
        backend.call("build", model=task.model.kind, spec=asdict(variant), dtype="float64", device=device)
        ones = {name: np.full(shape, float(len(shape) > 1)) for name, shape in variant.shapes().items()}
        backend.call("load", parameters=ones)
        state = {name: np.zeros(shape) for name, shape in variant.state_shapes(batch["inputs"].shape[1]).items()}
        answers = [backend.call(route, batch=batch, state=state) for route in ("forward", "forward_by_steps")]
        routes = [answer["activations"] for answer in answers]
        found[activation] = [{name: r[name][:, 0].tolist() for name in ("output", "hidden")} for r in routes]
    return found


def published_rows(name: str, example: Example, found: dict[str, list]) -> list[PublishedRow]:
    """One row per published vector: the element, by layer or by cell, that is furthest from it."""
    rows = []
    for letter, key, vectors in (("y", "output", example.outputs), ("h", "hidden", example.hidden)):
        for step, expected in enumerate(vectors, start=1):
            measured = [route[key][step - 1] for route in found[example.activation]]
            pairs = [(value, wanted) for vector in measured for value, wanted in zip(vector, expected, strict=True)]
            value, wanted = max(pairs, key=lambda pair: abs(pair[0] - pair[1]))
            rows.append(
                PublishedRow(
                    quantity=f"{letter}_{step} ({example.activation})",
                    framework=example.framework,
                    published=wanted,
                    measured=value,
                    source=example.source,
                    implementation=name,
                    verdict="reproduced" if _same(measured, expected, example.decimals) else NOT_REPRODUCED,
                    mxnet_measured=None,
                    torch_measured=None,
                )
            )
    return rows


def _same(measured: list, expected: tuple, decimals: int | None) -> bool:
    ours, theirs = np.array(measured), np.array([expected] * len(measured))
    if decimals is not None:
        return bool((np.abs(ours - theirs) <= 0.5 * 10.0**-decimals).all())
    return bool((np.abs(ours - theirs) <= RELATIVE_ERROR * np.abs(theirs)).all())


def broken_examples(rows: list[PublishedRow]) -> list[str]:
    """Worked examples that an implementation gets wrong, in words."""
    return [
        f"{row['implementation']} gives {row['measured']!r} for {row['quantity']}, not {row['published']!r}"
        for row in rows
        if row["verdict"] == NOT_REPRODUCED
    ]

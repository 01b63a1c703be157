"""All implementations, every stage: float64 within 1e-10 and within the derived bound; float32 never "different"."""

from __future__ import annotations

import numpy as np
import pytest

from crossfw.agreement.bounds import Size, bound
from crossfw.agreement.compare import Side, compare, self_agreement
from crossfw.agreement.condition import condition_of
from crossfw.agreement.record import record
from crossfw.agreement.shared import make_shared
from crossfw.models import IMPLEMENTATIONS
from crossfw.models.rnn.spec import ACTIVATIONS, Spec
from crossfw.weights.mapping import mapping_faults

CEILING = 1e-10
SIZES = {"small": (3, 1, 5, 4), "wide": (12, 8, 28, 64), "one step": (1, 2, 4, 3)}  # T, N, V, H
CASES = [
    *[
        ("small", activation, biases, inputs)
        for activation in ACTIVATIONS
        for biases in (1, 2)
        for inputs in ("tokens", "features")
    ],
    *[("wide", activation, 1, "tokens") for activation in ACTIVATIONS],
    ("one step", "tanh", 1, "tokens"),
]


@pytest.mark.parametrize(("size", "activation", "biases", "inputs"), CASES, ids=lambda value: str(value))
def test_every_tensor_of_every_stage_agrees(workers, size, activation, biases, inputs):
    T, N, V, H = SIZES[size]
    spec = Spec(V, H, V, activation, biases, inputs)
    rng = np.random.default_rng(3)
    x = rng.integers(0, V, (T, N)) if inputs == "tokens" else rng.normal(size=(T, N, V))
    shared = make_shared("rnn", spec, x, rng.integers(0, V, (T, N)))
    condition, dimensions = shared.condition, Size.of(spec, shared.targets)
    traces = {
        (name, dtype): record(workers[name], "rnn", shared, dtype, "cpu")
        for name in IMPLEMENTATIONS
        for dtype in ("float64", "float32")
    }
    reference = traces["numpy", "float64"]
    for (name, dtype), trace in traces.items():

        def limit(stage, tensor, dtype=dtype):
            return bound(stage, dtype, dimensions, condition_of(condition, stage, tensor))

        assert mapping_faults(spec.shapes(), trace.facts["native_names"], trace.facts["native_shapes"]) == []
        other = Side("numpy", traces["numpy", dtype])
        rows = compare(Side(name, trace), other, dtype, limit, reference if dtype == "float32" else None)
        rows += self_agreement(Side(name, trace), dtype)
        wrong = [row for row in rows if row["grade"] == "different"]
        assert not wrong, (name, wrong[:3])
        if dtype == "float64":
            assert max(row["error"] for row in rows) <= CEILING
            assert {row["stage"] for row in rows} >= {"forward", "loss", "gradients", "clipping", "update"}

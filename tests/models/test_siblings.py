"""All implementations, every stage: float64 within 1e-10 and within the derived bound; float32 never "different"."""

from __future__ import annotations

import pytest

from crossfw.agreement.bounds import Size, bound
from crossfw.agreement.compare import Side, compare, self_agreement
from crossfw.agreement.condition import condition_of
from crossfw.agreement.record import record
from crossfw.agreement.shared import make_shared
from crossfw.harness.mapping import mapping_faults
from crossfw.models import FUSED, IMPLEMENTATIONS
from tests.models.cases import CASES, WIDE, make
from tests.sampling import sample

CEILING = 1e-10
SIZES = [*[(name, 4, 3) for name in CASES], *[(name, 4, 64) for name in WIDE]]
SIZES += [("lstm, two layers", 12, 8), ("gru, 1 biases", 12, 8)]
SIZES += [(name, 1, 1) for name in ("rnn tanh, 1 biases, tokens", "lstm, bidirectional", "translator: gru, context")]
WITH_FUSED = sample(SIZES, [(name, 4, 64) for name in WIDE])


@pytest.mark.parametrize(("case", "steps", "batch_size"), SIZES, ids=str)
def test_every_tensor_of_every_stage_agrees(workers, case, steps, batch_size):
    kind, spec, batch = make(case, steps, batch_size)
    shared = make_shared(kind, spec, batch)
    condition, dimensions = shared.condition, Size.of(spec, batch)
    traces = {
        (name, dtype): record(workers[name], kind, shared, dtype, "cpu")
        for name in (*IMPLEMENTATIONS, *(FUSED if (case, steps, batch_size) in WITH_FUSED else ()))
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
        assert not wrong, (name, dtype, wrong[:3])
        if dtype == "float64":
            assert max(row["error"] for row in rows) <= CEILING
            assert {row["stage"] for row in rows} >= {"forward", "loss", "gradients", "clipping", "update"}

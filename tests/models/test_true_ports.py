"""True implementations are never flagged: small models and batches drawn at random, in both dtypes, every stage.

`python -m tests.models.test_true_ports 300` draws more.
"""

from __future__ import annotations

import sys

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossfw.agreement.bounds import Size, bound
from crossfw.agreement.compare import Side, compare
from crossfw.agreement.condition import condition_of
from crossfw.agreement.record import record
from crossfw.agreement.shared import Shared, make_shared
from crossfw.models import IMPLEMENTATIONS
from crossfw.models.rnn.spec import ACTIVATIONS, INPUTS, Spec
from tests.conftest import Workers

WORKERS = Workers()


@st.composite
def problems(draw) -> Shared:
    """A model, a batch of its data, and the state that the stages share."""
    T, N, V, H = (draw(st.integers(1, high)) for high in (8, 4, 8, 8))
    inputs = draw(st.sampled_from(INPUTS))
    spec = Spec(V, H, draw(st.integers(2, 8)), draw(st.sampled_from(ACTIVATIONS)), draw(st.integers(1, 2)), inputs)
    seed = draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    scale = draw(st.sampled_from([1.0, 10.0]))
    x = rng.integers(0, V, (T, N)) if inputs == "tokens" else rng.normal(0, scale, (T, N, V))
    return make_shared("rnn", spec, x, rng.integers(0, spec.output_size, (T, N)), seed=seed)


def flagged(shared: Shared) -> list:
    """Rows that are graded "different", of all implementations in both dtypes."""
    size, reference, wrong = Size.of(shared.spec, shared.targets), None, []
    for dtype in ("float64", "float32"):
        sides = {name: Side(name, record(WORKERS[name], "rnn", shared, dtype, "cpu")) for name in IMPLEMENTATIONS}

        def limit(stage: str, tensor: str, dtype: str = dtype) -> float:
            return bound(stage, dtype, size, condition_of(shared.condition, stage, tensor))

        exact = None if dtype == "float64" else reference
        for name in IMPLEMENTATIONS[1:]:
            rows = compare(sides[name], sides["numpy"], dtype, limit, exact)
            wrong += [row for row in rows if row["grade"] == "different"]
        reference = reference or sides["numpy"].trace
    return wrong


RELAXED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.large_base_example]}


def check(shared: Shared) -> None:
    wrong = flagged(shared)
    assert not wrong, wrong[:3]


@settings(max_examples=25, derandomize=True, **RELAXED)
@given(problems())
def test_no_true_implementation_is_flagged(shared):
    check(shared)


if __name__ == "__main__":
    settings(max_examples=int(sys.argv[1]), **RELAXED)(given(problems())(check))()

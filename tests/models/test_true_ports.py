"""True implementations are never flagged: small models and batches drawn at random, in both dtypes, every stage.

`python -m tests.models.test_true_ports 300` draws more.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossfw.agreement.bounds import Size, bound
from crossfw.agreement.compare import Side, compare
from crossfw.agreement.condition import condition_of
from crossfw.agreement.record import record
from crossfw.agreement.shared import Shared, make_shared
from crossfw.models import IMPLEMENTATIONS, spec_class
from crossfw.models.cells.rnn.spec import ACTIVATIONS
from crossfw.models.heads import HEADS, POOLS
from crossfw.models.losses.spec import REDUCTIONS
from crossfw.models.stack.spec import DIRECTIONS
from tests.conftest import Workers

WORKERS = Workers()


@st.composite
def cells(draw) -> dict[str, Any]:
    """Cell and layers, of any model."""
    chosen: dict[str, Any] = {"cell": draw(st.sampled_from(["rnn", "gru", "lstm"])), "biases": draw(st.integers(1, 2))}
    if chosen["cell"] == "rnn":
        chosen["activation"] = draw(st.sampled_from(ACTIVATIONS))
    if chosen["cell"] == "gru":
        chosen["reset"] = draw(st.sampled_from(["before", "after"]))
    chosen["layers"] = draw(st.integers(1, 2))
    if chosen["layers"] > 1 and draw(st.booleans()):
        chosen["dropout"] = 0.25
    if draw(st.booleans()):
        chosen["embedding_size"] = draw(st.integers(1, 6))
    return chosen


@st.composite
def networks(draw) -> Any:
    """A network of any composition."""
    V, H, Q = draw(st.integers(1, 8)), draw(st.integers(1, 8)), draw(st.integers(2, 8))
    chosen = draw(cells())
    head = draw(st.sampled_from(list(HEADS)))
    direction = "bidirectional" if head == "context" else draw(st.sampled_from(DIRECTIONS))
    if direction != "forward" and draw(st.booleans()):
        chosen["backward_size"] = draw(st.integers(1, 6))
    if head == "classifier":
        chosen["pool"] = draw(st.sampled_from(POOLS))
    else:
        chosen["reduction"] = draw(st.sampled_from(REDUCTIONS))
    inputs = "tokens" if "embedding_size" in chosen else draw(st.sampled_from(["tokens", "features"]))
    return spec_class("network")(
        input_size=V, hidden_size=H, output_size=Q, inputs=inputs, head=head, direction=direction, **chosen
    )


@st.composite
def translators(draw) -> Any:
    """An encoder-decoder."""
    chosen = draw(cells())
    context = "embedding_size" in chosen and draw(st.booleans())
    sizes = {"source_size": draw(st.integers(1, 8)), "input_size": draw(st.integers(1, 8))}
    sizes |= {"output_size": draw(st.integers(2, 8)), "hidden_size": draw(st.integers(1, 8))}
    return spec_class("encoder-decoder")(
        **sizes, context=context, reduction=draw(st.sampled_from(REDUCTIONS)), **chosen
    )


@st.composite
def problems(draw) -> tuple[str, Shared]:
    """A model, a batch of its data, and the state that the stages share."""
    kind = draw(st.sampled_from(["network", "network", "encoder-decoder"]))
    spec = draw(networks() if kind == "network" else translators())
    S, T, N = (draw(st.integers(1, high)) for high in (6, 8, 4))
    seed = draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)

    def mask(steps: int) -> np.ndarray:
        return (np.arange(steps)[:, None] < rng.integers(1, steps + 1, N)).astype(np.float64)

    batch = {"inputs": rng.integers(0, spec.input_size, (T, N))}
    if spec.inputs == "features":
        batch["inputs"] = rng.normal(0, draw(st.sampled_from([1.0, 10.0])), (T, N, spec.input_size))
    shape = {"classifier": (N,), "context": (T, N, 2)}.get(getattr(spec, "head", ""), (T, N))
    batch["targets"] = rng.integers(0, spec.output_size, shape)
    if draw(st.booleans()):
        batch["mask"] = mask(T)
    if kind == "encoder-decoder":
        batch["source"] = rng.integers(0, spec.source_size, (S, N))
        if draw(st.booleans()):
            batch["source_mask"] = mask(S)
    return kind, make_shared(kind, spec, batch, seed=seed)


def flagged(kind: str, shared: Shared) -> list:
    """Rows that are graded "different", of all implementations in both dtypes."""
    size, reference, wrong = Size.of(shared.spec, shared.batch), None, []
    for dtype in ("float64", "float32"):
        sides = {name: Side(name, record(WORKERS[name], kind, shared, dtype, "cpu")) for name in IMPLEMENTATIONS}

        def limit(stage: str, tensor: str, dtype: str = dtype) -> float:
            memory = shared.memory(stage, tensor)
            return bound(stage, dtype, size, condition_of(shared.condition, stage, tensor), 1, memory)

        exact = None if dtype == "float64" else reference
        for name in IMPLEMENTATIONS[1:]:
            rows = compare(sides[name], sides["numpy"], dtype, limit, exact)
            wrong += [row for row in rows if row["grade"] == "different"]
        reference = reference or sides["numpy"].trace
    return wrong


RELAXED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.large_base_example]}


def check(problem: tuple[str, Shared]) -> None:
    wrong = flagged(*problem)
    assert not wrong, (problem[1].spec, wrong[:3])


@settings(max_examples=12, derandomize=True, **RELAXED)
@given(problems())
def test_no_true_implementation_is_flagged(problem):
    check(problem)


if __name__ == "__main__":
    settings(max_examples=int(sys.argv[1]), **RELAXED)(given(problems())(check))()

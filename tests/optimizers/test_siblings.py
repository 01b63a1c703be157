"""All siblings against the float64 reference: five updates from given gradients, under every combination of options."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from itertools import product

import numpy as np
import pytest

from crossfw.agreement.compare import relative_error
from crossfw.harness.service import Service
from crossfw.models import IMPLEMENTATIONS
from crossfw.models.initial import revealing_parameters, round_to_float32
from crossfw.models.network.spec import Spec
from crossfw.optimizers.spec import STATE_NAMES, OptimizerSpec

pytestmark = pytest.mark.filterwarnings("ignore:Please use `csr_matrix`:DeprecationWarning")  # of nd.array
MODEL = Spec(input_size=5, hidden_size=4, output_size=5)
UPDATES, CHANGE_AFTER = 5, 2
# No value is exact in float32: whoever rounds them to it in float64 is found.
VALUES = {
    "learning_rate": 0.03,
    "momentum": 0.85,
    "beta1": 0.8,
    "beta2": 0.95,
    "rho": 0.93,
    "epsilon": 1e-3,
}
OPTIONS = [
    pytest.param({"weight_decay": decay, "decay_biases": biases, "clip_value": clip}, change, id=name)
    for (decay, biases, decaying), (clip, clipped), (change, changed) in product(
        [(0.0, True, ""), (0.07, True, "decay"), (0.07, False, "decay-of-weights")],
        [(None, ""), (0.4, "clip")],
        [(None, ""), (0.01, "rate")],
    )
    for name in ["+".join(filter(None, (decaying, clipped, changed))) or "plain"]
]
RUNS = [
    (name, dtype)
    for name in IMPLEMENTATIONS
    for dtype in ("float64", "float32")
    if (name, dtype) != ("numpy", "float64")
]


def tolerance(dtype: str) -> float:
    """float64: 1e-13. float32: eight roundings for each update, and the one of beta, seen in 1 - beta."""
    eps = float(np.finfo(np.float32).eps)
    worst = max(VALUES["beta2"], VALUES["rho"])
    return 1e-13 if dtype == "float64" else 8 * UPDATES * eps + eps / 2 / (1 - worst)


@cache
def service(implementation: str, dtype: str) -> Service:
    """A built model, which every test loads its own parameters into."""
    built = Service(implementation)
    built.build("network", asdict(MODEL), dtype, "cpu")
    return built


def drawn(seed: int) -> dict[str, np.ndarray]:
    """A gradient, about a third of whose elements are above 0.4."""
    rng = np.random.default_rng(seed)
    return {name: round_to_float32(rng.normal(0.0, 0.4, shape)) for name, shape in MODEL.shapes().items()}


def updated(backend: Service, spec: OptimizerSpec, change: float | None) -> dict[str, np.ndarray]:
    """Parameters and state, by name, after the updates."""
    backend.load(revealing_parameters(MODEL.shapes(), 0))
    backend.configure_optimizer(asdict(spec))
    for t in range(UPDATES):
        if t == CHANGE_AFTER and change is not None:
            backend.set_learning_rate(change)
        backend.update(drawn(t))
    return everything(backend)


def everything(backend: Service) -> dict[str, np.ndarray]:
    answer = backend.export_optimizer()
    states = {f"{name} {key}": a for name, arrays in answer["state"].items() for key, a in arrays.items()}
    return {**backend.export(), **states, "updates": np.array(answer["updates"])}


@pytest.mark.parametrize("name", STATE_NAMES)
@pytest.mark.parametrize(("options", "change"), OPTIONS)
@pytest.mark.parametrize(("implementation", "dtype"), RUNS)
def test_siblings_follow_the_reference(implementation, dtype, options, change, name):
    spec = OptimizerSpec(name=name, **VALUES, **options)
    expected = updated(service("numpy", "float64"), spec, change)
    found = updated(service(implementation, dtype), spec, change)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert relative_error(found[key], value) <= tolerance(dtype), key
    assert service(implementation, dtype).backend.optimizer.spec.learning_rate == (change or spec.learning_rate)


@pytest.mark.parametrize("name", STATE_NAMES)
def test_every_option_counts(name):
    """Else the table above would compare nothing: no two of its rows may end at the same parameters."""
    ends = [
        updated(service("numpy", "float64"), OptimizerSpec(name=name, **VALUES, **options), change)
        for options, change in (row.values for row in OPTIONS)
    ]
    for i, a in enumerate(ends):
        for b in ends[:i]:
            assert max(relative_error(a[key], b[key]) for key in MODEL.shapes()) > 1e-4


@pytest.mark.parametrize("name", STATE_NAMES)
@pytest.mark.parametrize(("implementation", "dtype"), [*RUNS, ("numpy", "float64")])
def test_exported_state_carries_on_exactly(implementation, dtype, name):
    spec = OptimizerSpec(name=name, **{**VALUES, "learning_rate": 2.0**-5}, weight_decay=0.07, clip_value=0.4)
    backend = service(implementation, dtype)
    backend.load(revealing_parameters(MODEL.shapes(), 0))
    backend.configure_optimizer(asdict(spec))
    for t in range(3):
        backend.update(drawn(t))
    parameters, optimizer = backend.export(), backend.export_optimizer()
    for t in (3, 4):
        backend.update(drawn(t))
    straight = everything(backend)
    backend.load(parameters)
    backend.configure_optimizer(asdict(spec))
    backend.load_optimizer(optimizer["state"], optimizer["updates"])
    for t in (3, 4):
        backend.update(drawn(t))
    for key, value in everything(backend).items():
        np.testing.assert_array_equal(value, straight[key], err_msg=key)


@pytest.mark.parametrize("biases", [True, False])
def test_a_new_optimizer_forgets_what_the_last_one_did_not_decay(biases):
    """In Gluon `wd_mult` is the parameters', and they outlive an optimizer."""
    spec = OptimizerSpec(**VALUES, weight_decay=0.07, decay_biases=biases)
    backend, other = service("mxnet-gluon", "float64"), OptimizerSpec(weight_decay=0.07, decay_biases=not biases)
    updated(backend, other, None)
    expected = updated(service("numpy", "float64"), spec, None)
    for key, value in updated(backend, spec, None).items():
        assert relative_error(value, expected[key]) <= tolerance("float64"), key

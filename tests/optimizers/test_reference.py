"""The reference optimizers and clipping, against the equations worked out on two numbers."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfw.optimizers.numpy import Optimizer, clip_global_norm
from crossfw.optimizers.spec import OptimizerSpec


def run(name: str, gradients: list[float], **values: float) -> tuple[float, Optimizer]:
    model = SimpleNamespace(parameters={"w": np.array([1.0])}, gradients={})
    optimizer = Optimizer(OptimizerSpec(name=name, learning_rate=0.5, epsilon=0.1, **values), model)
    for g in gradients:
        model.gradients = {"w": np.array([g])}
        optimizer.step()
    return float(model.parameters["w"][0]), optimizer


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sgd", 1 - 0.5 * 0.2 - 0.5 * 0.4),
        ("momentum", 1 - 0.5 * 0.2 - 0.5 * (0.9 * 0.2 + 0.4)),
        ("nag", 1 - 0.5 * (0.2 + 0.9 * 0.2) - 0.5 * (0.4 + 0.9 * (0.9 * 0.2 + 0.4))),
        (
            "adam",
            1
            - 0.5 * 0.2 / (0.2 + 0.1)
            - 0.5
            * ((0.9 * 0.1 * 0.2 + 0.1 * 0.4) / (1 - 0.81))
            / (math.sqrt((0.999 * 0.001 * 0.04 + 0.001 * 0.16) / (1 - 0.999**2)) + 0.1),
        ),
        # roots of 0.01 x 0.04 and of 0.99 x 0.0004 + 0.01 x 0.16
        ("rmsprop", 1 - 0.5 * 0.2 / (0.02 + 0.1) - 0.5 * 0.4 / (math.sqrt(0.001996) + 0.1)),
        ("adagrad", 1 - 0.5 * 0.2 / (0.2 + 0.1) - 0.5 * 0.4 / (math.sqrt(0.04 + 0.16) + 0.1)),
    ],
)
def test_two_updates(name, expected):
    value, optimizer = run(name, [0.2, 0.4])
    assert value == pytest.approx(expected, rel=1e-14)
    assert optimizer.updates == 2


# With wd = 0.5 the gradients that an update sees are g1 = 0.2 + 0.5 x 1 = 0.7 and g2 = 0.4 + 0.5 w1.
@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("sgd", 1 - 0.5 * 0.7, lambda w, g: w - 0.5 * g),
        ("momentum", 1 - 0.5 * 0.7, lambda w, g: w - 0.5 * (0.9 * 0.7 + g)),
        ("nag", 1 - 0.5 * 1.9 * 0.7, lambda w, g: w - 0.5 * (g + 0.9 * (0.9 * 0.7 + g))),
        (
            "adam",
            1 - 0.5 * 0.7 / 0.8,
            lambda w, g: (
                w
                - 0.5
                * ((0.09 * 0.7 + 0.1 * g) / 0.19)
                / (math.sqrt((0.000999 * 0.49 + 0.001 * g * g) / 0.001999) + 0.1)
            ),
        ),
        (
            "rmsprop",
            1 - 0.5 * 0.7 / (0.07 + 0.1),
            lambda w, g: w - 0.5 * g / (math.sqrt(0.99 * 0.0049 + 0.01 * g * g) + 0.1),
        ),
        ("adagrad", 1 - 0.5 * 0.7 / 0.8, lambda w, g: w - 0.5 * g / (math.sqrt(0.49 + g * g) + 0.1)),
    ],
)
def test_two_updates_with_weight_decay(name, first, second):
    assert run(name, [0.2], weight_decay=0.5)[0] == pytest.approx(first, rel=1e-13)
    value, _ = run(name, [0.2, 0.4], weight_decay=0.5)
    assert value == pytest.approx(second(first, 0.4 + 0.5 * first), rel=1e-12)


def test_clipping_by_value_comes_before_the_weight_decay():
    assert run("sgd", [0.2], clip_value=0.1, weight_decay=0.5)[0] == pytest.approx(1 - 0.5 * 0.6, rel=1e-14)
    assert run("sgd", [-0.2], clip_value=0.1, weight_decay=0.5)[0] == pytest.approx(1 - 0.5 * 0.4, rel=1e-14)


def test_biases_decay_only_where_they_are_asked_to():
    assert run("sgd", [0.2], weight_decay=0.5, decay_biases=False)[0] == run("sgd", [0.2])[0]
    spec = OptimizerSpec(weight_decay=0.5, decay_biases=False)
    assert (spec.decay_of(1), spec.decay_of(2)) == (0.0, 0.5)


def test_another_learning_rate_leaves_the_velocity_as_it_is():
    value, optimizer = run("momentum", [0.2])
    optimizer.set_learning_rate(0.25)
    optimizer.model.gradients = {"w": np.array([0.4])}
    optimizer.step()
    assert float(optimizer.model.parameters["w"][0]) == pytest.approx(value - 0.25 * (0.9 * 0.2 + 0.4), rel=1e-14)
    assert optimizer.spec.learning_rate == 0.25


def test_state_can_be_carried_to_another_optimizer():
    straight, _ = run("adam", [0.2, 0.4, -0.3])
    value, first = run("adam", [0.2, 0.4])
    model = SimpleNamespace(parameters={"w": np.array([value])}, gradients={"w": np.array([-0.3])})
    second = Optimizer(OptimizerSpec(name="adam", learning_rate=0.5, epsilon=0.1), model)
    second.load(*first.export())
    second.step()
    assert float(model.parameters["w"][0]) == straight


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=6), st.floats(1e-3, 1e3))
def test_clipping_keeps_the_direction_and_bounds_the_norm(values, theta):
    gradients = [np.array([value]) for value in values]
    norm = math.sqrt(sum(value**2 for value in values))
    assert clip_global_norm(gradients, theta) == pytest.approx(norm, rel=1e-12)
    scale = min(theta / norm, 1) if norm > 0 else 1
    np.testing.assert_allclose([g[0] for g in gradients], np.array(values) * scale, rtol=1e-12)

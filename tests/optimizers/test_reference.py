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


def run(name: str, gradients: list[float]) -> tuple[float, Optimizer]:
    model = SimpleNamespace(parameters={"w": np.array([1.0])}, gradients={})
    optimizer = Optimizer(OptimizerSpec(name=name, learning_rate=0.5, epsilon=0.1), model)
    for g in gradients:
        model.gradients = {"w": np.array([g])}
        optimizer.step()
    return float(model.parameters["w"][0]), optimizer


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sgd", 1 - 0.5 * 0.2 - 0.5 * 0.4),
        ("momentum", 1 - 0.5 * 0.2 - 0.5 * (0.9 * 0.2 + 0.4)),
        (
            "adam",
            1
            - 0.5 * 0.2 / (0.2 + 0.1)
            - 0.5
            * ((0.9 * 0.1 * 0.2 + 0.1 * 0.4) / (1 - 0.81))
            / (math.sqrt((0.999 * 0.001 * 0.04 + 0.001 * 0.16) / (1 - 0.999**2)) + 0.1),
        ),
    ],
)
def test_two_updates(name, expected):
    value, optimizer = run(name, [0.2, 0.4])
    assert value == pytest.approx(expected, rel=1e-14)
    assert optimizer.updates == 2


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

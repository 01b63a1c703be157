"""The rounding of another implementation, as the reference's second training has it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from crossfw.agreement.trajectory import relative_gap
from crossfw.catalogue import find_task
from crossfw.frameworks.rounding import OtherRounding, sum_of_squares_by_lanes
from crossfw.harness.options import RunOptions
from crossfw.harness.work import Work
from crossfw.models import REFERENCE, Implementation
from crossfw.optimizers.numpy import clip_global_norm, sum_of_squares
from crossfw.training.curves import TrainingPlan, train


@pytest.mark.parametrize("size", [1, 3, 4, 7, 100])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_lanes_add_up_every_square(size, dtype):
    values = np.arange(1, size + 1, dtype=dtype).reshape(-1, 1)
    assert sum_of_squares_by_lanes(values) == sum(i * i for i in range(1, size + 1))
    assert sum_of_squares_by_lanes(values).dtype == dtype


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_lanes_round_as_coarsely_as_torchs_norm(dtype):
    """A gradient of many equal numbers, as that of an output layer whose weights start near zero."""
    gradient = np.full(350_000, 0.1, dtype)
    exact = math.sqrt(math.fsum(gradient.astype(np.float64) ** 2))

    def error(norm: float) -> float:
        return abs(float(norm) - exact) / exact

    by_torch = error(torch.linalg.vector_norm(torch.from_numpy(gradient)))
    by_lanes = error(clip_global_norm([gradient.copy()], math.inf, sum_of_squares_by_lanes))
    in_pairs = error(clip_global_norm([gradient.copy()], math.inf, sum_of_squares))
    assert by_torch > 20 * in_pairs
    assert by_torch / 8 < by_lanes < 8 * by_torch


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_weights_are_one_unit_away_and_come_back(dtype):
    given = np.array([0.0, 1.0, -3.0, 1e-3, *np.linspace(-1, 1, 100)], dtype)
    weights = {"W": given.copy()}
    rounding, seen = OtherRounding([0, 6]), []
    for _ in range(2):
        with rounding.of_weights(weights):
            seen.append(weights["W"].copy())
        np.testing.assert_array_equal(weights["W"], given)
    for moved in seen:
        up, down = np.nextafter(given, np.inf, dtype=dtype), np.nextafter(given, -np.inf, dtype=dtype)
        np.testing.assert_array_equal((moved == up) | (moved == down), given != 0)
        assert (moved > given).any()
        assert (moved < given).any()
    assert (seen[0] != seen[1]).any()


def test_weights_come_back_when_a_computation_fails():
    weights = {"W": np.ones(3)}
    with pytest.raises(ZeroDivisionError), OtherRounding([0]).of_weights(weights):
        raise ZeroDivisionError
    np.testing.assert_array_equal(weights["W"], 1.0)


def test_the_floor_has_the_rounding_of_every_update(workers):
    """With a learning rate of 100 what torch's norm rounds is magnified far beyond what a change of the start tells."""
    work = Work(find_task("lm_chinese_birnn"), RunOptions(tasks=(), out=Path("unused"), suite="full"))
    (floor_plan,) = [
        p for p in work.plans(Implementation(REFERENCE)) if p.dtype == "float64" and p.rounded_otherwise and p.perturbed
    ]
    assert floor_plan.epochs == work.compared_epochs

    def curve(name: str, **kind: bool) -> dict:
        trace = train(
            workers[name], work.task, work.dataset, work.spec, TrainingPlan("float64", "cpu", 0, 3, **kind), list
        )
        return {(point["split"], point["epoch"]): point["perplexity"] for point in trace.facts["points"]}

    plain, torch_nn = curve(REFERENCE), curve("torch-nn")
    started, rounded = curve(REFERENCE, perturbed=True), curve(REFERENCE, perturbed=True, rounded_otherwise=True)
    gaps = {name: relative_gap(other, plain, 3) for name, other in {"started": started, "rounded": rounded}.items()}
    gap = relative_gap(torch_nn, plain, 3)
    assert gap > 10 * gaps["started"]
    assert gap < 8 * gaps["rounded"], "nothing of torch's rounding is left to the margin"

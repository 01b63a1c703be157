"""Where weights start, and one-ulp moves."""

from __future__ import annotations

import numpy as np
import pytest

from crossfw.models.initial import initial_parameters, one_ulp_away, revealing_parameters
from crossfw.models.network.spec import Spec

SHAPES = Spec(5, 4, 6, "tanh", 2).shapes()


def test_initial_values_are_float32_and_depend_on_the_seed_only():
    first, again, other = (initial_parameters(SHAPES, "normal", 0.01, seed) for seed in (0, 0, 1))
    for name, value in first.items():
        np.testing.assert_array_equal(value, again[name])
        np.testing.assert_array_equal(value, value.astype(np.float32))
        assert value.ndim == 1 or (value != other[name]).any()
        assert value.ndim > 1 or not value.any()


def test_revealing_values_hide_nothing():
    values = revealing_parameters(SHAPES, 0)
    for value in values.values():
        assert np.abs(value).min() > 0.05
        assert not np.isin(np.abs(value), [0.0, 1.0]).any()
        assert len(np.unique(np.abs(value))) == value.size
    assert np.abs(values["W_hh"] - values["W_hh"].T).max() > 0.1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_ulp(dtype):
    values = initial_parameters(SHAPES, "uniform", 0.1, 0)
    moved = one_ulp_away(values, dtype)
    eps = np.finfo(dtype).eps
    for name, value in values.items():
        if value.ndim == 1:
            np.testing.assert_array_equal(moved[name], 0)
            continue
        gap = np.abs(moved[name] - value) / np.abs(value)
        assert gap.min() > 0
        assert gap.max() <= eps


def test_pytorchs_default_start_is_pytorchs():
    """The bounds of torch's own layers: 1 / sqrt(H) of each cell, 1 / sqrt(inputs) of linear layers."""
    two = Spec(5, 64, 6, "tanh", 2, cell="lstm", direction="bidirectional", backward_size=16, embedding_size=3)
    dense = Spec(9, 64, 6, cell="dense", inputs="features", head="tagger")
    for spec, limits in (
        (two, {"W_xh": 64, "W_hh": 64, "b_xh": 64, "W_xh_reverse": 16, "W_hh_reverse": 16, "b_hh_reverse": 16}),
        (two, {"W_hq": 80, "b_q": 80}),
        (dense, {"W_xh": 9, "b_h": 9, "W_hq": 64}),
    ):
        values = initial_parameters(spec.shapes(), "torch", None, 0)
        for name, inputs in limits.items():
            largest = np.abs(values[name]).max() * np.sqrt(inputs)
            assert 0.5 < largest <= 1 + 1e-6, name
    assert initial_parameters(two.shapes(), "torch", None, 0)["W_e"].std() > 0.5


def test_xavier_keeps_biases_at_zero():
    values = initial_parameters(SHAPES, "xavier", None, 0)
    assert np.abs(values["W_hh"]).max() <= np.sqrt(6 / 8)
    assert not values["b_q"].any()

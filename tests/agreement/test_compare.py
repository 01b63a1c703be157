"""Comparison: what counts as an error, and what the mistakes of other checkers would have let through."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from crossfw.agreement.bounds import Size, bound
from crossfw.agreement.compare import Side, compare, relative_error, self_agreement
from crossfw.agreement.trace import Trace

finite = hnp.arrays("float64", hnp.array_shapes(max_dims=2, max_side=5), elements=st.floats(-1e6, 1e6))


@given(finite)
def test_an_array_agrees_with_itself(a):
    assert relative_error(a, a) == 0.0


@given(finite, st.data())
def test_one_wrong_element_is_the_error(a, data):
    a = a + 0.0
    index = data.draw(st.integers(0, a.size - 1))
    b = a.copy()
    b.flat[index] += 1.0
    scale = np.abs(b).max()
    assert relative_error(a, b) == pytest.approx(1.0 / scale if scale else 1.0, rel=1e-3)


@pytest.mark.parametrize(
    ("a", "b", "error"),
    [
        ([1.0, 2.0], [2.0, 1.0], 0.5),  # a permutation: means and norms are equal
        ([np.nan], [np.nan], np.inf),  # NaN agrees with nothing
        ([np.inf], [np.inf], np.inf),
        ([[1.0]], [1.0], np.inf),  # another shape, however it would broadcast
        ([1e-3, 1.0], [0.0, 1.0], 1e-3),  # a small element is not excused by an absolute tolerance
        ([1e-20], [0.0], 1e-20),  # against all zeros: absolute
        ([], [], 0.0),
    ],
)
def test_cases(a, b, error):
    assert relative_error(np.array(a), np.array(b)) == pytest.approx(error, rel=1e-12)


def rows(ours: dict, theirs: dict, **options) -> list:
    sides = [
        Side(name, Trace({key: np.array(value) for key, value in arrays.items()}))
        for name, arrays in (("a", ours), ("numpy", theirs))
    ]
    return compare(*sides, options.pop("dtype", "float64"), lambda stage, tensor: 1e-12, **options)


def test_a_tensor_that_one_side_lacks_is_different():
    found = rows({"forward/h": 1.0}, {"forward/h": 1.0, "forward/y": 1.0})
    assert [row["grade"] for row in found] == ["equal", "different"]
    found = rows({"forward/h": 1.0, "forward/z": 1.0}, {"forward/h": 1.0})
    assert [row["grade"] for row in found] == ["equal", "different"]


def test_nothing_compared_is_an_error():
    with pytest.raises(ValueError, match="nothing to compare"):
        rows({}, {})


def test_float32_is_graded_against_the_reference():
    reference = Trace({"loss/loss": np.array(1.0)})
    ours, theirs = {"loss/loss": np.float32(1 + 1e-5)}, {"loss/loss": np.float32(1 + 1e-6)}

    def grade(limit):
        sides = [
            Side(n, Trace({k: np.array(v) for k, v in arrays.items()}))
            for n, arrays in (("a", ours), ("numpy", theirs))
        ]
        return compare(*sides, "float32", lambda *_: limit, reference)[0]

    assert grade(1e-4)["grade"] == "less accurate"
    assert grade(1e-4)["factor"] == pytest.approx(10, rel=0.1)
    assert grade(1e-6)["grade"] == "different"


def test_two_runs_must_be_equal_to_the_last_bit():
    side = Side("a", Trace({"gradients/w": np.array([1.0]), "self-agreement/w": np.array([np.nextafter(1.0, 2)])}))
    assert [row["grade"] for row in self_agreement(side, "float64")] == ["different"]


@given(st.integers(1, 200), st.integers(1, 128), st.integers(1, 1024))
def test_float64_bounds_never_excuse_a_wrong_model(steps, batch, hidden):
    size = Size(steps, steps * batch, hidden, hidden * (hidden + 64))
    for stage in ("forward", "loss", "gradients", "clipping", "update", "optimizer state"):
        assert 0 < bound(stage, "float64", size) <= 1e-10
    assert bound("parameters", "float64", size) == 0.0

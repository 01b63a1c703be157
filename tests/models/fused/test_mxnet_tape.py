"""Parts that back-propagate by hand, between those that MXNet's autograd records."""

from __future__ import annotations

import numpy as np
import pytest
from mxnet import autograd, nd

from crossfw.models.fused.mxnet import tape as mxnet_tape


def doubled(x: nd.NDArray) -> nd.NDArray:
    """2 x by a part of the tape."""
    with autograd.pause():
        y = 2 * x
    mxnet_tape.record(lambda d: ([x], [2 * d[0]]), [y])
    return y


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_gradients_pass_through_recorded_operations_and_parts_in_turns(parts):
    x = nd.array([1.0, -2.0, 3.0], dtype="float64")
    x.attach_grad()
    mxnet_tape.start()
    with autograd.record():
        y = x
        for _ in range(parts):
            y = doubled(y * y)
        loss = y.sum()
    mxnet_tape.back_propagate(loss)
    n = 2**parts  # y = 2^(n - 1) x^n
    np.testing.assert_allclose(x.grad.asnumpy(), n * 2.0 ** (n - 1) * x.asnumpy() ** (n - 1), rtol=1e-15)


def test_outputs_that_are_used_twice_add_up():
    x = nd.array([1.5], dtype="float64")
    x.attach_grad()
    mxnet_tape.start()
    with autograd.record():
        y = doubled(x * 3)
        loss = (y * y).sum() + doubled(y * 5).sum()
    mxnet_tape.back_propagate(loss)
    assert float(x.grad.asscalar()) == 2 * 6 * 6 * 1.5 + 2 * 5 * 6


def test_parts_may_follow_each_other():
    x = nd.array([1.5], dtype="float64")
    x.attach_grad()
    mxnet_tape.start()
    with autograd.record():
        z = x * 3
        y = doubled(z)
        loss = doubled(y).sum() + (y * y).sum()
    mxnet_tape.back_propagate(loss)
    assert float(x.grad.asscalar()) == 3 * 2 * (2 + 2 * 9)


def test_outputs_that_the_loss_does_not_reach_have_gradients_of_zero(monkeypatch):
    monkeypatch.setattr(nd, "empty", lambda shape, context, dtype: nd.full(shape, np.nan, context, dtype))
    x = nd.array([1.5, 2.0], dtype="float64")
    x.attach_grad()
    mxnet_tape.start()
    with autograd.record():
        z = x * 3
    y, unused, given = 2 * z, 5 * z, []
    mxnet_tape.record(lambda d: (given.extend(d), ([z], [2 * d[0] + 5 * d[1]]))[1], [y, unused])
    with autograd.record():
        loss = y.sum()
    mxnet_tape.back_propagate(loss)
    np.testing.assert_array_equal(given[1].asnumpy(), 0)
    np.testing.assert_array_equal(x.grad.asnumpy(), 6)


def test_what_was_recorded_and_left_is_forgotten():
    x = nd.array([1.0], dtype="float64")
    x.attach_grad()
    with autograd.record():
        doubled(x * 7)  # its loss is never asked for: a step that was interrupted
    mxnet_tape.start()
    with autograd.record():
        loss = doubled(x * 3).sum()
    mxnet_tape.back_propagate(loss)
    assert float(x.grad.asscalar()) == 6

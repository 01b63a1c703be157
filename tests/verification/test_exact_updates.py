"""MXNet's updates in float64: the exact forms are the operators' own, and do not round what a C float cannot hold."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

# Hyper-parameters that C floats hold exactly: there MXNet's own operators do not round.
HELD = {"learning_rate": 0.125, "wd": 0.0625, "rescale_grad": 0.5, "clip_gradient": 0.75}
BETAS = {"beta1": 0.875, "beta2": 0.9375, "epsilon": 2.0**-10}
OPTIMIZERS = {
    "sgd": {},
    "sgd with momentum": {"momentum": 0.75},
    "nag": {"momentum": 0.75},
    "adam": BETAS,
    "rmsprop": {"gamma1": 0.875, "epsilon": 2.0**-10, "clip_weights": 1.5},
    "rmsprop centered": {"gamma1": 0.875, "gamma2": 0.75, "epsilon": 2.0**-4, "centered": True},
    "ftrl": {"lamda1": 0.0625, "beta": 0.5},
    "ftml": BETAS,
    "signum": {"momentum": 0.75, "wd_lh": 0.125},
    "signum without momentum": {"momentum": 0.0},
    "lamb": {**BETAS, "lower_bound": 0.5, "upper_bound": 4.0},
}
ROUNDED = {"lamb": 1e-6, "adam": 1e-7}  # LAMB's norms are float32; Adam corrects the rate that it passes


def after_updates(name: str, settings: dict, exact: bool) -> tuple[list, object]:
    """Two weights after three updates by a Trainer."""
    import mxnet as mx

    from crossfw.ports.mxnet.exact_updates import ExactUpdates
    from crossfw.ports.mxnet.optimizers import make_states

    rng = np.random.default_rng(0)
    parameters = [mx.gluon.Parameter(f"w{i}", shape=shape, dtype="float64") for i, shape in enumerate([(3, 4), (5,)])]
    for p in parameters:
        p.initialize()
        p.set_data(mx.nd.array(rng.standard_normal(p.shape), dtype="float64"))
    trainer = mx.gluon.Trainer(parameters, name.split()[0], settings, kvstore=None)
    make_states(trainer)
    updates = ExactUpdates()
    for _ in range(3):
        for p in parameters:
            p.grad()[:] = mx.nd.array(rng.standard_normal(p.shape), dtype="float64")
            p.data()._fresh_grad = True
        with updates.watching() if exact else contextlib.nullcontext():
            trainer.step(1)
    return [p.data().asnumpy() for p in parameters], updates


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_exact_form_is_the_operators_own(name):
    settings = {**HELD, **OPTIMIZERS[name]}
    ours, updates = after_updates(name, settings, True)
    theirs, _ = after_updates(name, settings, False)
    for a, b in zip(ours, theirs):
        assert np.abs(a - b).max() <= ROUNDED.get(name, 1e-13)
    assert updates.notes
    assert not updates.rounded


def test_what_a_c_float_cannot_hold_is_not_rounded():
    settings = {"learning_rate": 0.1, "beta1": 0.9, "beta2": 0.999, "epsilon": 0.0}
    (ours, _), _ = after_updates("adam", settings, True)
    (theirs, _), _ = after_updates("adam", settings, False)
    assert 1e-9 < np.abs(ours - theirs).max() < 1e-3
    rng = np.random.default_rng(0)
    w, other = rng.standard_normal((3, 4)), rng.standard_normal(5)
    m = v = 0.0
    for t in (1, 2, 3):
        g, _ = rng.standard_normal((3, 4)), rng.standard_normal(other.shape)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w - 0.1 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / np.sqrt(v)
    assert np.abs(ours - w).max() < 1e-13


def test_an_operator_that_has_no_exact_form_is_told():
    _, updates = after_updates("lars", {"learning_rate": 0.1, "momentum": 0.9}, True)
    assert updates.rounded


@pytest.mark.parametrize("form", ["module", "name"])
def test_float32_that_meets_float64_is_taken_as_float64(form):
    """Gluon's clip_global_norm makes a float32 array of its own."""
    import mxnet as mx
    from mxnet.gluon.utils import clip_global_norm

    from crossfw.ports.mxnet.exact_updates import ExactUpdates

    value = np.random.default_rng(0).standard_normal(5)
    array = mx.nd.array(value, dtype="float64")
    with ExactUpdates().watching():
        (clip_global_norm if form == "name" else mx.gluon.utils.clip_global_norm)([array], 0.1)
        bounded = mx.nd.clip(array, -0.03, 0.03).asnumpy()
    expected = value * 0.1 / (np.linalg.norm(value) + 1e-8)
    assert np.abs(array.asnumpy() - expected).max() < 1e-15
    assert bounded.max() <= 0.03

"""Curves judged against noise, on made-up curves of which the truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crossfw.agreement.bounds import Size
from crossfw.agreement.trajectory import Trajectories, equivalence, judge, pairs_of

SIZE = Size(35, 1120, 256, 80_000)
EPOCHS = 40


def curve(offset=lambda epoch: 0.0, epochs=EPOCHS):
    return {epoch: (10 / epoch + 1) * (1 + offset(epoch)) for epoch in range(1, epochs + 1)}


def chaos(epoch):
    """A difference in the last place that grows tenfold every two epochs."""
    return 1e-16 * 10 ** (epoch / 2)


def verdict(torch_curve, perturbed=None, finals=None):
    curves = {"numpy": curve(), "torch-nn": torch_curve}
    moved = perturbed or {n: {e: value * (1 + chaos(e)) for e, value in c.items()} for n, c in curves.items()}
    return judge(Trajectories(curves, moved, 8, SIZE, 0.0), finals or {}, EPOCHS)


def test_equal_curves_agree_up_to_the_horizon():
    learning = verdict(curve(lambda epoch: 5 * chaos(epoch)))
    assert learning["verdict"] == "same"
    assert 0 < learning["horizon"] < EPOCHS
    assert "were not compared" in learning["text"]


def test_a_small_constant_difference_is_found_before_the_horizon():
    learning = verdict(curve(lambda epoch: 1e-6))
    assert learning["verdict"] == "different"
    assert "epoch 1:" in learning["text"]


def test_a_curve_that_ends_early_does_not_agree():
    learning = verdict(curve(epochs=3))
    assert learning["verdict"] == "different"
    assert "epoch 4" in learning["text"]


def test_noise_from_the_start_leaves_nothing_to_compare():
    noisy = {name: curve(lambda epoch: 1e-3) for name in ("numpy", "torch-nn")}
    learning = verdict(curve(), noisy)
    assert (learning["verdict"], learning["horizon"]) == ("not tested", 0)


@pytest.mark.parametrize(("ratio", "equivalent", "word"), [(1.001, True, "same"), (1.5, False, "different")])
def test_final_perplexities_over_seeds(ratio, equivalent, word):
    spread = np.random.default_rng(0).normal(0, 0.01, 5)
    finals = {"torch-nn": list(2 * ratio * np.exp(spread)), "mxnet-gluon": list(2 * np.exp(spread[::-1]))}
    (row,) = equivalence(finals)
    assert row["equivalent"] == equivalent
    assert row["low"] <= row["ratio"] <= row["high"]
    assert verdict(curve(chaos), finals=finals)["verdict"] == word


def test_two_seeds_are_too_few():
    assert equivalence({"torch-nn": [1.0, 1.1], "mxnet-gluon": [1.0, 1.1]}) == []


def test_pairs():
    names = ["numpy", "mxnet-scratch", "mxnet-gluon", "torch-scratch", "torch-nn"]
    pairs = pairs_of(names)
    assert [pair for pair in pairs if pair[1] == "numpy"] == [(name, "numpy") for name in names[1:]]
    assert {pair for pair in pairs if pair[1] != "numpy"} == {(t, m) for t in names[3:] for m in names[1:3]}
    assert math.comb(2, 1) ** 2 + 4 == len(pairs)

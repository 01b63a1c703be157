"""Curves judged against noise, on made-up curves of which the truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crossfw.agreement.equivalence import equivalence
from crossfw.agreement.trajectory import Trajectories, judge, pairs_of

BOUND = 1e-12
EPOCHS = 40
UPDATES = {epoch: 7 * epoch - epoch // 3 for epoch in range(1, EPOCHS + 1)}  # not the same number in each


def exact(epoch):
    return 0.0


def curve(offset=exact, epochs=EPOCHS, validation=exact):
    training = {("training", epoch): (10 / epoch + 1) * (1 + offset(epoch)) for epoch in range(1, epochs + 1)}
    return {**training, **{("validation", e): (9 / e + 2) * (1 + validation(e)) for e in range(1, epochs + 1)}}


def chaos(epoch):
    """A difference in the last place that grows tenfold every two epochs."""
    return 1e-16 * 10 ** (epoch / 2)


def trajectories(torch_curve, own_noise=chaos, floor=chaos):
    curves = {"numpy": curve(), "torch-nn": torch_curve}
    moved = {"numpy": curve(floor, validation=floor)}
    moved["torch-nn"] = {key: value * (1 + own_noise(key[1])) for key, value in torch_curve.items()}
    return Trajectories(curves, moved, lambda epoch: BOUND * epoch, "float64")


def verdict(torch_curve, finals=None, **noise):
    both = trajectories(torch_curve, **noise)
    return judge(both, both, finals or {}, EPOCHS, UPDATES)


def test_true_curves_agree_up_to_the_horizon_though_chaos_left_the_bound():
    learning = verdict(curve(lambda epoch: 5 * chaos(epoch)))
    assert learning["verdict"] == "same"
    assert 20 < learning["horizon"] < EPOCHS
    assert chaos(learning["horizon"]) > BOUND * EPOCHS
    assert "were not compared" in learning["text"]
    assert learning["updates"] == UPDATES[learning["horizon"]]
    assert f" over {learning['updates']} updates, up to epoch {learning['horizon']}; " in learning["text"]


@pytest.mark.parametrize(("updates", "words"), [(1, " over 1 update, up"), (2, " over 2 updates, up")])
def test_one_update_is_no_updates(updates, words):
    both = trajectories(curve(epochs=1))
    curves = {
        name: {key: value for key, value in points.items() if key[1] == 1} for name, points in both.curves.items()
    }
    one = Trajectories(curves, both.perturbed, lambda epoch: BOUND, "float64")
    assert words in judge(one, one, {}, 1, {1: updates})["text"]


@pytest.mark.parametrize(
    ("torch_curve", "epoch"),
    [
        (curve(lambda epoch: 1e-6), 1),
        (curve(lambda epoch: 1e-6 if epoch > 10 else 0.0), 11),
        (curve(epochs=3), 4),
        (curve(validation=lambda epoch: 1e-6), 1),
        (curve(lambda epoch: float("nan")), 1),
    ],
    ids=["a constant", "from epoch 11 on", "it ends early", "in validation only", "NaN"],
)
def test_a_difference_is_found_where_it_begins(torch_curve, epoch):
    learning = verdict(torch_curve)
    assert learning["verdict"] == "different"
    assert f"epoch {epoch} " in learning["text"]


def test_a_port_cannot_hide_in_noise_of_its_own():
    learning = verdict(curve(chaos), own_noise=lambda epoch: 1e-3)
    assert learning["verdict"] == "different"
    assert "leaves itself" in learning["text"]


def test_a_bound_that_grows_with_the_updates_never_allows_for_more_than_one_percent():
    curves = {"numpy": curve(), "torch-nn": curve(lambda epoch: 0.02 if epoch > 5 else 0.0)}
    moved = {name: dict(points) for name, points in curves.items()}
    faults = Trajectories(curves, moved, lambda epoch: 0.01 * epoch, "float32").faults()
    assert faults[0]["epoch"] == 6


def test_noise_from_the_start_leaves_nothing_to_compare():
    learning = verdict(curve(), floor=lambda epoch: 1e-2)
    assert (learning["verdict"], learning["horizon"]) == ("not tested", 0)


def test_without_a_second_curve_there_is_nothing_to_compare():
    alone = Trajectories({"numpy": curve()}, {"numpy": curve(chaos)}, lambda epoch: BOUND, "float64")
    learning = judge(alone, alone, {}, EPOCHS, UPDATES)
    assert learning["verdict"] == "not tested"
    assert "two training curves" in learning["text"]


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

"""Intervals that hold the truth as often as they say, and rounds that take turns."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crossfw.throughput.measure import CONTROL, control_warning, counterpart, rows_of
from crossfw.throughput.rounds import Contest, Samples
from crossfw.throughput.statistics import median_interval, ratio_interval


def test_the_ratio_interval_holds_the_true_ratio_in_about_95_of_100_runs():
    rng, held = np.random.default_rng(0), 0
    for _ in range(400):
        shared = rng.lognormal(0, 0.2, 10)  # the machine's noise, which both feel
        ours, theirs = (speed * shared * rng.lognormal(0, 0.03, 10) for speed in (2.0, 1.0))
        held += ratio_interval(list(ours), list(theirs)).contains(2.0)
    assert 0.92 <= held / 400 <= 0.98


def test_noise_that_both_feel_divides_out():
    noise = np.random.default_rng(1).lognormal(0, 0.5, 10)
    found = ratio_interval(list(3.0 * noise), list(noise))
    assert (found.low, found.value, found.high) == pytest.approx((3.0, 3.0, 3.0))


@pytest.mark.parametrize("n", [6, 10, 30])
def test_the_median_interval_holds_the_true_median(n):
    rng = np.random.default_rng(2)
    held = sum(median_interval(list(rng.exponential(1.0, n))).contains(np.log(2)) for _ in range(500)) / 500
    assert held >= 0.93


def test_unequal_rounds_are_refused():
    with pytest.raises(ValueError, match="the same number"):
        ratio_interval([1.0, 2.0, 3.0], [1.0, 2.0])


class FakeBackend:
    """Takes a known time per step, and notes when it was called."""

    def __init__(self, name: str, seconds: float, log: list):
        self.name, self.seconds, self.log = name, seconds, log

    def call(self, method: str, **arguments):
        if method == "time":
            self.log.append(self.name)
            return self.seconds * arguments["repeats"]
        return None


def test_workers_take_turns_forwards_and_back_from_another_start_each_round():
    log: list[str] = []
    backends = {"a": FakeBackend("a", 0.01, log), "b": FakeBackend("b", 0.02, log)}
    contest = Contest(backends, {"inputs": np.zeros((5, 2), int)}, 10)
    samples = contest.run("train", 3, math.inf, lambda: None)
    assert "".join(log[-12:]) == "abbabaababba"
    assert samples.by_name["a"] == pytest.approx([1000.0] * 3)
    assert samples.by_name["b"] == pytest.approx([500.0] * 3)


def test_a_budget_ends_the_rounds_and_three_are_always_made():
    backends, ticks = {"a": FakeBackend("a", 0.01, [])}, []
    contest = Contest(backends, {"inputs": np.zeros((5, 2), int)}, 10)
    samples = contest.run("train", 9, 0.0, lambda: ticks.append(1))
    assert (len(samples.by_name["a"]), len(ticks)) == (3, 9)


def test_rows_pair_siblings_and_hold_the_control():
    speeds = {"mxnet-gluon": [1.0, 1.1, 0.9], "torch-nn": [2.0, 2.2, 1.8], f"torch-nn{CONTROL}": [2.2, 2.42, 1.98]}
    rows = rows_of(Samples("train", speeds), "torch-nn", {"train": 10.0}, {"torch-nn": 100.0}, {"torch-nn": 5})
    assert [(row["implementation"], row["ratio_to"]) for row in rows] == [
        ("mxnet-gluon", None),
        ("torch-nn", "mxnet-gluon"),
        ("torch-nn", "torch-nn"),
    ]
    assert rows[1]["ratio"] == pytest.approx(2.0)
    assert rows[1]["limit_fraction"] == pytest.approx(0.2)
    assert rows[0]["limit_fraction"] is None
    assert rows[1]["ratio_high"] == pytest.approx(2.0 * 1.1)  # widened by what the control fakes
    assert rows[2]["ratio"] == pytest.approx(1.1)
    rows[2]["ratio_high"] = 1.05
    rows[2]["ratio_low"] = 1 / 1.05
    assert control_warning(rows) is None
    rows[2]["ratio_high"] = 1.3
    assert "up to 30%" in control_warning(rows)
    assert control_warning(rows[:2]) is None


@pytest.mark.parametrize(
    ("name", "others", "expected"),
    [
        ("torch-nn", ["mxnet-scratch", "mxnet-gluon"], "mxnet-gluon"),
        ("torch-mine", ["mxnet-scratch"], "mxnet-scratch"),
        ("torch-nn", ["torch-scratch"], None),
        ("mxnet-gluon", ["torch-nn"], None),
    ],
)
def test_counterparts(name, others, expected):
    assert counterpart(name, others) == expected

"""Intervals that hold the truth as often as they say, and rounds that take turns."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crossfw.models.cost import Cost
from crossfw.throughput.measure import (
    CONTROL,
    Beside,
    control_warning,
    copied_bytes,
    counterpart,
    narrow_enough,
    rows_of,
)
from crossfw.throughput.rounds import Contest, Samples
from crossfw.throughput.statistics import median_interval, outliers, ratio_interval


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
        return 100.0 if method == "small_products" else None


def test_workers_take_turns_forwards_and_back_from_another_start_each_round():
    log: list[str] = []
    backends = {"a": FakeBackend("a", 0.01, log), "b": FakeBackend("b", 0.02, log)}
    contest = Contest(backends, {"inputs": np.zeros((5, 2), int)}, 10)
    samples = contest.run("train", 3, math.inf, lambda: None)
    assert "".join(log[-12:]) == "abbabaababba"
    assert samples.by_name["a"] == pytest.approx([1000.0] * 3)
    assert samples.by_name["b"] == pytest.approx([500.0] * 3)
    assert samples.small_products == {"a": [100.0] * 3, "b": [100.0] * 3}


@pytest.mark.parametrize(("visit", "repeats"), [(0.005, 1), (0.01, 1), (0.011, 2), (0.1, 10)])
def test_a_visit_has_as_many_steps_as_make_it_long_enough(visit, repeats):
    class Counting(FakeBackend):
        def call(self, method: str, **arguments):
            counted.extend([arguments["repeats"]] if method == "time" else [])
            return super().call(method, **arguments)

    counted: list[int] = []
    backends = {"a": Counting("a", 0.01, [])}
    contest = Contest(backends, {"inputs": np.zeros((5, 2), int)}, 10, visit_seconds=visit)
    samples = contest.run("train", 3, math.inf, lambda: None)
    assert counted[-6:] == [repeats] * 6
    assert samples.by_name["a"] == pytest.approx([1000.0] * 3)


def test_a_budget_ends_the_rounds_and_three_are_always_made():
    backends, ticks = {"a": FakeBackend("a", 0.01, [])}, []
    contest = Contest(backends, {"inputs": np.zeros((5, 2), int)}, 10)
    samples = contest.run("train", 9, 0.0, lambda: ticks.append(1))
    assert (len(samples.by_name["a"]), len(ticks), samples.enough) == (3, 9, None)


@pytest.mark.parametrize(
    ("needed", "budget", "rounds", "enough"), [(12, math.inf, 12, True), (4, math.inf, 9, True), (12, 0.0, 3, False)]
)
def test_rounds_go_on_until_they_are_precise_or_the_budget_ends(needed, budget, rounds, enough):
    ticks: list[int] = []
    contest = Contest(
        {"a": FakeBackend("a", 0.01, [])}, {"inputs": np.zeros((5, 2), int)}, 10, lambda s: len(s["a"]) >= needed
    )
    samples = contest.run("train", 20, budget, lambda: ticks.append(1))
    assert (len(samples.by_name["a"]), samples.enough, len(ticks)) == (rounds, enough, 20)


class Settling(FakeBackend):
    """Its first steps are slow: 1 s, then ever less until it takes 0.01 s."""

    def call(self, method: str, **arguments: int):
        if method == "time":
            self.log.append(arguments["repeats"])
            return max(0.01, 0.5 ** (len(self.log) - 1)) * arguments["repeats"]
        return super().call(method, **arguments)


def test_warm_up_lasts_until_the_median_settles_and_the_first_step_is_told_apart():
    log: list = []
    contest = Contest({"a": Settling("a", 0.0, log)}, {"inputs": np.zeros((5, 2), int)}, 10)
    samples = contest.run("train", 3, math.inf, lambda: None)
    assert samples.first_seconds == {"a": 1.0}
    assert samples.by_name["a"] == pytest.approx([1000.0] * 3)
    assert len(log) == 12 + 6  # from the eighth on 0.01 s; the last two medians of three are that; the rounds


def test_a_worker_that_never_settles_is_measured_all_the_same():
    log: list = []
    contest = Contest({"a": Settling("a", 0.0, log)}, {"inputs": np.zeros((5, 2), int)}, 10)
    assert len(contest.run("train", 3, 0.0, lambda: None).by_name["a"]) == 3
    assert len(log) == 2 + 6


def test_stopping_at_a_narrow_interval_leaves_it_honest():
    rng, held, lengths = np.random.default_rng(3), 0, []
    for _ in range(400):
        ours, theirs = list(rng.lognormal(0.5, 0.05, 9)), list(rng.lognormal(0, 0.05, 9))
        while not narrow_enough({"torch-nn": ours, "mxnet-gluon": theirs}, "") and len(ours) < 200:
            ours.append(rng.lognormal(0.5, 0.05))
            theirs.append(rng.lognormal(0, 0.05))
        lengths.append(len(ours))
        held += ratio_interval(ours, theirs).contains(math.exp(0.5))
    assert held / 400 >= 0.9
    assert 9 < np.median(lengths) < 60


def test_precision_is_that_of_the_widened_ratio_of_every_pair():
    exact = {"mxnet-gluon": [1.0] * 9, "torch-nn": [2.0] * 9, "mxnet-scratch": [1.0] * 9, "torch-scratch": [1.0] * 9}
    assert narrow_enough(exact, "torch-nn")
    assert not narrow_enough({**exact, f"torch-nn{CONTROL}": [2.1] * 9}, "torch-nn")
    assert not narrow_enough({**exact, "torch-scratch": [1.0, 1.2] * 4 + [1.0]}, "torch-nn")


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([10.0, 10.1, 9.9, 10.2, 9.8, 10.05, 3.0], 1),
        ([10.0, 10.1, 9.9, 10.2, 9.8, 10.05, 30.0, 1.0], 2),
        ([10.0, 10.1, 9.9, 10.2, 9.8, 10.05], 0),
        ([10.0] * 8, 0),
        ([10.0, 10.0, 1.0], 0),
    ],
)
def test_samples_far_out_are_counted_on_the_scale_of_ratios(samples, expected):
    assert outliers(samples) == expected


RATES = {"operations": 1000.0, "bytes": 100.0}


def test_rows_pair_siblings_and_hold_the_control():
    speeds = {"mxnet-gluon": [1.0, 1.1, 0.9], "torch-nn": [2.0, 2.2, 1.8], f"torch-nn{CONTROL}": [2.2, 2.42, 1.98]}
    samples = Samples("train", speeds, {"torch-nn": 0.7, f"torch-nn{CONTROL}": 0.8, "mxnet-gluon": 0.9})
    rows = rows_of(samples, "torch-nn", Cost(500.0, 10.0), 5, {"torch-nn": Beside(0.1, 5, 3.0, RATES)})
    assert [(row["implementation"], row["ratio_to"]) for row in rows] == [
        ("mxnet-gluon", None),
        ("torch-nn", "mxnet-gluon"),
        ("torch-nn", "torch-nn"),
    ]
    assert rows[1]["ratio"] == pytest.approx(2.0)
    assert rows[1]["limit_fraction"] == pytest.approx(0.2)  # 0.5 s a step of 5 tokens: 10 tokens per second
    assert (rows[0]["limit_fraction"], rows[0]["limit_by"], rows[0]["build_seconds"]) == (None, None, None)
    assert (rows[1]["limit_by"], rows[1]["peak_memory_bytes"], rows[1]["memory_per_step_bytes"]) == ("operations", 5, 3)
    assert [row["first_step_seconds"] for row in rows] == [0.9, 0.7, 0.8]
    assert rows[1]["ratio_high"] == pytest.approx(2.0 * 1.1)  # widened by what the control fakes
    assert rows[2]["ratio"] == pytest.approx(1.1)
    rows[2]["ratio_high"] = 1.05
    rows[2]["ratio_low"] = 1 / 1.05
    assert control_warning(rows, 0.4) is None
    rows[2]["ratio_high"] = 1.3
    assert "up to 30%" in control_warning(rows, 0.4)
    assert control_warning(rows[:2], 0.4) is None


@pytest.mark.parametrize(
    ("rounds", "budget", "end"),
    [
        (3, 1.4, "few rounds fitted into 1.4 s: name the task in `crossfw run`, and it gets more time"),
        (40, 1.4, "the machine was busy or is noisy: name the task in `crossfw run`, and it gets more time"),
        (3, 10.0, "few rounds fitted into 10 s"),
        (40, 10.0, "the machine was busy or is noisy: run it again when nothing else runs"),
    ],
)
def test_a_coarse_measurement_says_why_and_what_to_do(rounds, budget, end):
    speeds = {"torch-nn": [1.0, 1.2, 0.8], f"torch-nn{CONTROL}": [1.0, 1.5, 1.2]}
    rows = rows_of(Samples("train", speeds), "torch-nn", Cost(500.0, 10.0), 5, {})
    rows[1]["samples"] = [1.0] * rounds
    assert control_warning(rows, budget).endswith(
        f"(train, {rounds} rounds), and all ratios are widened by that; {end}"
    )


@pytest.mark.parametrize(
    ("cost", "seconds", "by"),
    [(Cost(500.0, 10.0), 0.5, "operations"), (Cost(500.0, 80.0), 0.8, "bytes"), (Cost(0.0, 0.0), 0.0, "operations")],
)
def test_the_larger_of_computing_and_moving_is_the_limit(cost, seconds, by):
    assert cost.seconds(1000.0, 100.0) == (pytest.approx(seconds), by)


@pytest.mark.parametrize(
    ("device", "moved", "copied"),
    [("cpu", 1e3, 4 << 20), ("cpu", 2e7, 10_000_000), ("cpu", 1e12, 64 << 20), ("cuda:0", 2e7, 256 << 20)],
)
def test_the_copy_is_as_large_as_what_a_step_moves(device, moved, copied):
    assert copied_bytes(Cost(1.0, moved), device) == copied


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

"""A slower implementation is found, a slower machine is told apart, and noise is not taken for either."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from scipy import stats

from crossfw.comparison.contests import contests
from crossfw.comparison.speed import compare_speed
from crossfw.comparison.tests import common_shift, holm, noise_of_processes, u_test, unevenness
from tests.comparison.drawn import MODES, SPEEDS, drawn_task

TASKS = tuple(f"task_{number}" for number in range(3))
REPETITIONS = 20
SLOWER = 1 / 1.15


def compared(old, new):
    """The findings of two lists of tasks."""
    return list(compare_speed([contest for a, b in zip(old, new) for contest in contests(a["task"], a, b)]))


def drawn(seed, rounds=30, tasks=TASKS, **changes):
    rng = np.random.default_rng(seed)
    return [drawn_task(rng, name, rounds, **changes) for name in tasks]


def with_one_slower(repetition, **drift):
    """Two reports; in the new one the last task's training in `torch-nn` is slower."""
    old, new = drawn([repetition, 0], 120, **drift), drawn([repetition, 1], 120, tasks=TASKS[:-1], **drift)
    planted = drawn([repetition, 2], 120, tasks=TASKS[-1:], factors={("torch-nn", "train"): SLOWER}, **drift)
    return old, new + planted


def named(findings):
    """Those of one row."""
    return [f for f in findings if f.task]


def judged(findings):
    return [(f.kind, f.task, f.what) for f in findings if f.kind in ("regression", "improvement")]


@pytest.mark.parametrize("repetition", range(REPETITIONS))
@pytest.mark.parametrize("rounds", [9, 30])
def test_two_reports_of_the_same_code_show_no_change(rounds, repetition):
    assert judged(compared(drawn([rounds, repetition, 0], rounds), drawn([rounds, repetition, 1], rounds))) == []


@pytest.mark.parametrize("repetition", range(REPETITIONS))
def test_a_slowdown_of_15_percent_is_found_and_nothing_else(repetition):
    found = compared(*with_one_slower(repetition, drift=0.0))
    assert judged(found) == [("regression", TASKS[-1], "torch-nn, training")]


def test_where_the_machine_drifts_it_is_named_at_least_and_nothing_else():
    """A contest that drifted by more than 15 % as a whole leaves it untold whether one row did more than that."""
    found = [named(compared(*with_one_slower(repetition))) for repetition in range(REPETITIONS)]
    assert {(f.task, f.what) for each in found for f in each} == {(TASKS[-1], "torch-nn, training")}
    kinds = [f.kind for each in found for f in each]
    assert len(kinds) == REPETITIONS
    assert kinds.count("regression") >= 0.8 * REPETITIONS


@pytest.mark.parametrize("repetition", range(3))
@pytest.mark.parametrize("machine", [0.75, 1.3])
def test_it_is_found_on_a_machine_that_became_slower_or_faster_too(machine, repetition):
    old = drawn([repetition, 0], 120, drift=0.0)
    new = drawn([repetition, 1], 120, drift=0.0, machine=machine, factors={("mxnet-gluon", "infer"): SLOWER})
    found = compared(old, new)
    assert judged(found) == [("regression", name, "mxnet-gluon, inference") for name in TASKS]
    assert [f.what for f in found if f.kind == "unclear"] == ["6 of 6 contests"]


@pytest.mark.parametrize("repetition", range(3))
@pytest.mark.parametrize(
    ("names", "rounds", "tasks"),
    [(("mxnet-gluon", "torch-nn"), 60, 1), (tuple(SPEEDS), 60, 3), (tuple(SPEEDS), 200, 1), (tuple(SPEEDS), 30, 20)],
)
def test_a_machine_that_slows_one_framework_more_than_the_other_is_no_regression(names, rounds, tasks, repetition):
    """Measured between two runs of the same code, when a virtual machine took its slower state."""
    how = {"speeds": {name: SPEEDS[name] for name in names}, "tasks": [f"task_{n}" for n in range(tasks)]}
    slowed = {(name, mode): 0.82 for name in names if name.startswith("torch") for mode in MODES}
    old, new = drawn([repetition, 0], rounds, **how), drawn([repetition, 1], rounds, machine=0.8, factors=slowed, **how)
    found = compared(old, new)
    assert judged(found) == []
    assert all(
        f.text.endswith("a changed machine can slow one more than another: measure both again") for f in named(found)
    )


PAIR = {"speeds": {name: SPEEDS[name] for name in ("mxnet-gluon", "torch-nn")}, "tasks": TASKS[:1], "drift": 0.0}


@pytest.mark.parametrize(
    ("machine", "factor", "kind"),
    [
        (0.8, 0.85, "unclear"),  # 32 % slower on a machine that is 20 % slower
        (0.8, 0.5, "regression"),  # 60 % slower
        (1.25, 0.8, "unclear"),  # as fast as before, where all else is faster
        (1.25, 0.65, "regression"),  # slower, where all else is faster
        (1.25, 1.2, "unclear"),
        (1.25, 2.0, "improvement"),
        (1.0, 0.85, "regression"),
    ],
)
def test_what_a_machine_that_changed_can_have_done_to_one_of_two(machine, factor, kind):
    old, new = drawn(0, 60, **PAIR), drawn(1, 60, machine=machine, factors={("torch-nn", "train"): factor}, **PAIR)
    assert [(f.kind, f.what) for f in named(compared(old, new))] == [(kind, "torch-nn, training")]


def test_a_machine_whose_threads_meet_more_slowly_is_seen_by_its_small_product_alone():
    """The two states of a virtual machine: 1.3 to 1.5 apart in steps of both frameworks, 1.04 in a large product."""
    alone = {"speeds": {"torch-nn": SPEEDS["torch-nn"]}, "tasks": TASKS[:1], "drift": 0.0}
    factors, seen = {("torch-nn", "train"): 0.7}, {("torch", "train"): 0.75}
    old, new = drawn(0, 60, **alone), drawn(1, 60, factors=factors, small=seen, **alone)
    (unclear,) = compared(old, new)
    assert (unclear.kind, unclear.what) == ("unclear", "torch-nn, training")
    assert re.search(r"; the machine changed \(its large products .*, its small ones 2\d % slower\), and", unclear.text)
    in_the_other_mode = drawn(1, 60, factors=factors, small={("torch", "infer"): 0.75}, **alone)
    del new[0]["measurement"]["modes"]["train"]["small_products"]
    for other in (in_the_other_mode, new):
        assert judged(compared(old, other)) == [("regression", TASKS[0], "torch-nn, training")]


def test_a_small_product_that_another_version_slows_tells_nothing_of_the_machine():
    old = drawn(0, 60, drift=0.0)
    slowed = {(name, mode): 0.85 for name in ("torch-scratch", "torch-nn") for mode in MODES}
    new = drawn(1, 60, factors=slowed, small={("torch", mode): 0.85 for mode in MODES}, drift=0.0)
    races = [contest for a, b in zip(old, new) for contest in contests(a["task"], a, b, {"torch"})]
    assert {contest.small for contest in races if abs(contest.small) > 0.1} == set()
    found = list(compare_speed(races))
    assert {f.what.partition(",")[0] for f in found if f.kind == "regression"} == {"torch-scratch", "torch-nn"}
    assert len(judged(found)) == 12


@pytest.mark.parametrize("repetition", range(3))
def test_half_of_the_implementations_slower_are_not_the_other_half_faster(repetition):
    factors = {(name, "train"): 0.75 for name in ("torch-scratch", "torch-nn")}
    found = compared(drawn([repetition, 0], 60, TASKS[:1]), drawn([repetition, 1], 60, TASKS[:1], factors=factors))
    assert {what for kind, _, what in judged(found) if kind == "improvement"} == set()
    assert {what for _, _, what in judged(found)} == {"torch-scratch, training", "torch-nn, training"}


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize(("machine", "factor"), [(0.8, 1.0), (1.0, 0.8)])
def test_what_moves_as_a_whole_is_said_once_and_is_no_regression(machine, factor, kept):
    factors = {(name, mode): factor for name in SPEEDS for mode in ("train", "infer")}
    old, new = drawn(0, 60, drift=0.0), drawn(1, 60, machine=machine, factors=factors, drift=0.0)
    for mode in () if kept else (mode for task in new for mode in task["measurement"]["modes"].values()):
        del mode["small_products"]
    found = compared(old, new)
    assert judged(found) == []
    (together,) = found
    what, _, cause = together.text.partition(": ")
    assert re.fullmatch(r"everything is 1\d % to 2\d % slower", what)
    assert (re.search(r"large products (19|20|21) % slower", cause) is not None) == (machine < 1)
    assert ("its small ones " in cause) == kept
    if machine < 1:
        assert cause.startswith("the machine, at least in part (its large products ")
    elif kept:
        assert cause.startswith("the code of all, or what the machine's own products do not show (its large ")
    else:
        assert cause.endswith("or the code of all; nothing here tells which")


def test_one_implementation_on_its_own_is_compared_with_the_machine():
    alone = {"torch-nn": SPEEDS["torch-nn"]}
    old = drawn(0, 60, TASKS[:1], speeds=alone)
    slower = drawn(1, 60, TASKS[:1], speeds=alone, factors={("torch-nn", "train"): 0.8})
    assert judged(compared(old, slower)) == [("regression", TASKS[0], "torch-nn, training")]
    assert judged(compared(old, drawn(1, 60, TASKS[:1], speeds=alone, machine=0.8))) == []


def test_one_implementation_that_does_not_follow_the_machine_is_not_said_to():
    alone = {"speeds": {"torch-nn": SPEEDS["torch-nn"]}, "tasks": TASKS[:1], "drift": 0.0}
    kept_up = {("torch-nn", mode): 1.27 for mode in MODES}
    found = compared(drawn(0, 60, **alone), drawn(1, 60, machine=0.8, factors=kept_up, **alone))
    assert judged(found) == []
    assert [f for f in found if not f.task] == []
    assert {f.what for f in found} == {"torch-nn, training", "torch-nn, inference"}


def test_fewer_than_nine_samples_are_too_few_however_large_the_effect():
    old, new = drawn(0, 8, TASKS[:1]), drawn(1, 30, TASKS[:1], factors={("torch-nn", "train"): 0.2})
    for pair in ((old, new), (new, old)):
        (found,) = compared(*pair)
        assert (found.kind, found.what) == ("unclear", "8 of 8 rows")
        remedy = "tasks named in `crossfw run` get more"
        assert found.text == f"too few samples to tell: 8 of a row, and the U-test needs 9; {remedy}"


def test_nine_samples_apart_are_enough_in_a_report_of_a_thousand_rows():
    p_value = u_test([1.0 + k / 100 for k in range(9)], [0.8 + k / 100 for k in range(9)])
    assert p_value == pytest.approx(2 / 48620)
    assert holm([p_value, *[1.0] * 999])[0] < 0.05


def test_noise_that_the_controls_show_is_said_and_widens_what_is_needed():
    old, new = drawn(0, 30, TASKS[:1]), drawn(1, 30, TASKS[:1], factors={("torch-scratch", "train"): 0.8})
    assert judged(compared(old, new)) == [("regression", TASKS[0], "torch-scratch, training")]
    for row in new[0]["throughput"]:
        if row["ratio_to"] == row["implementation"]:
            row["ratio_high"] = 1.5
    (found,) = compared(old, new)
    assert (found.kind, found.what) == ("unclear", "2 of 2 contests")
    assert "hides changes of up to 3" in found.text


@pytest.mark.parametrize(
    ("changes", "machine", "expected"),
    [
        ([-0.14, 0.0, 0.0, 0.01], 0.0, 0.0),
        ([-0.14, -0.15, 0.0, 0.01], 0.0, 0.0),
        ([-0.14, -0.15, 0.0, 0.01], -0.2, -0.14),
        ([-0.14, -0.15, -0.16], 0.0, -0.15),
        ([-0.14], 0.0, 0.0),
        ([-0.14], -0.12, -0.12),
        ([0.1, 0.2], 0.15, 0.15),
    ],
)
def test_what_a_contest_shares(changes, machine, expected):
    assert common_shift(changes, machine) == pytest.approx(expected)


def test_holm_is_that_of_the_definition():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


def test_ties_and_many_samples_take_the_normal_approximation():
    old, new = [1.0, 2.0, 3.0] * 30, [2.0, 3.0, 4.0] * 30
    assert u_test(old, new) == stats.mannwhitneyu(old, new, method="asymptotic").pvalue


@pytest.mark.parametrize("sigma", [0.02, 0.1])
def test_processes_of_the_same_code_differ_by_less_than_the_controls_say(sigma):
    rng, exceeded = np.random.default_rng(3), 0
    for _ in range(200):
        noise = noise_of_processes(list(rng.normal(0, sigma, 60)), 60)
        exceeded += np.abs(rng.normal(0, sigma, 60)).max() > noise
    assert exceeded / 200 < 0.15


def test_without_a_control_there_is_no_noise_to_speak_of():
    assert noise_of_processes([], 8) == noise_of_processes([0.1], 0) == 0.0


@pytest.mark.parametrize("sigma", [0.02, 0.1])
@pytest.mark.parametrize(("count", "names"), [(6, 4), (2, 2), (1, 4), (70, 4), (30, 2)])
def test_rows_that_a_change_of_the_machine_scatters_stay_within_what_their_scatter_says(count, names, sigma):
    rng, exceeded, most = np.random.default_rng(4), 0, []
    for _ in range(100):
        found = [dict(zip(SPEEDS, rng.normal(-0.3, sigma, names))) for _ in range(count)]
        most.append(unevenness(found))
        beyond = [abs(x - common_shift([*each.values()], 0.0)) for each in found for x in each.values()]
        exceeded += max(beyond) > most[-1]
    assert exceeded / 100 < 0.15
    if count * names > 20:
        assert np.median(most) < 9 * sigma


def test_rows_on_their_own_say_nothing_of_how_uneven_a_change_is():
    together = {"torch-nn": 0.1, "mxnet-gluon": 0.15, "torch-scratch": 0.13}
    assert unevenness([{"torch-nn": 0.1}]) == unevenness([]) == math.inf
    assert unevenness([together, {}]) == unevenness([together])

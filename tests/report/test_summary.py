"""The words: three answers for a task, three for a report."""

from __future__ import annotations

import math

import pytest

from crossfw.report import facts
from crossfw.report.headlines import headlines
from crossfw.report.summary import answers, how_fast, learns_the_same, same_model
from tests.report import examples


def row(**changes) -> dict:
    base = {
        "implementation": "torch-nn",
        "mode": "train",
        "tokens_per_second": 1e4,
        "low": 9e3,
        "high": 1.1e4,
        "samples": [1e4],
        "ratio_to": "mxnet-gluon",
        "ratio": 1.94,
        "ratio_low": 1.8,
        "ratio_high": 2.1,
        "limit_fraction": None,
        "peak_memory_bytes": None,
    }
    return {**base, **changes}


def test_agreement_counts_tensors_and_stages_once():
    answer = same_model(examples.agreeing())
    assert answer.status == "yes"
    assert answer.text.startswith("yes: 22 tensors in 7 stages agree in float64, largest error 1e-14, none above ")


def test_less_accurate_in_float32_is_said_and_is_no_disagreement():
    rows = [
        *examples.agreement(),
        examples.compared("torch-nn", "loss", "loss", 2e-5, dtype="float32", grade="less accurate", factor=3.14),
    ]
    answer = same_model(examples.agreeing(agreement=rows))
    assert answer.status == "yes"
    assert "in float32 torch-nn is less accurate (up to 3.1x)" in answer.text


def test_disagreement_names_the_first_place():
    answer = same_model(examples.disagreeing())
    assert (
        answer.text == "no: torch-nn differs from numpy first at stage forward, tensor hidden: error 0.93, bound 1e-12"
    )


def test_other_pairs_are_counted():
    first = [examples.compared(name, "loss", "loss", math.nan, grade="different") for name in ("a", "b", "c")]
    text = same_model(examples.agreeing(verdict="disagree", first_divergence=first)).text
    assert text.endswith("error NaN, bound 1e-12; 2 other pairs differ too")


def test_a_disagreement_elsewhere_gives_its_reason():
    task = examples.agreeing(verdict="disagree", reason="the curves part at epoch 2")
    assert same_model(task).text == "no: the curves part at epoch 2"


def test_what_was_not_compared_says_so():
    task = examples.incomplete()
    assert same_model(task).text == f"could not be compared: {task['reason']}"
    assert [answer.status for answer in answers(task)] == ["unknown"] * 3


def test_what_was_compared_in_part_says_both():
    task = examples.agreeing(
        verdict="incomplete", reason="mxnet-gluon: no module mxnet", agreement=examples.agreement(("torch-nn",))
    )
    text = same_model(task).text
    assert text.startswith("could not be compared in full: mxnet-gluon: no module mxnet; so far, 22 tensors")


def test_final_perplexities_are_a_range_and_the_floor_stands_beside():
    text = learns_the_same(examples.agreeing()).text
    assert text.startswith("yes: the curves coincide up to epoch 31")
    assert "perplexity at epoch 60: training 1." in text
    assert "validation 2." in text
    assert "(best possible 1.030)" in text


def test_perturbed_runs_are_not_results():
    rows = [
        {
            "implementation": "torch-nn",
            "seed": 0,
            "epoch": 1,
            "split": "training",
            "dtype": "float32",
            "perturbed": flag,
            "perplexity": value,
        }
        for flag, value in ((False, 2.0), (True, 9.0))
    ]
    [final] = facts.finals(examples.blank("x", perplexity=rows))
    assert final.values == [2.0]


def test_float32_is_shown_before_float64():
    rows = [
        {
            "implementation": "torch-nn",
            "seed": 0,
            "epoch": 1,
            "split": "training",
            "dtype": dtype,
            "perturbed": False,
            "perplexity": value,
        }
        for dtype, value in (("float64", 2.0), ("float32", 3.0))
    ]
    assert facts.drawn_dtype(examples.blank("x", perplexity=rows)) == "float32"
    assert facts.drawn_dtype(examples.blank("x", perplexity=rows[:1])) == "float64"


def test_a_run_that_stopped_early_is_not_in_the_range():
    rows = [entry for entry in examples.curves() if entry["implementation"] != "torch-nn" or entry["epoch"] <= 10]
    task = examples.agreeing(perplexity=rows)
    assert {final.epoch for final in facts.finals(task) if final.implementation == "torch-nn"} == {10}
    assert "training 1." in learns_the_same(task).text
    assert "to 1." in learns_the_same(task).text


@pytest.mark.parametrize(("verdict", "lead"), [("same", "yes"), ("different", "no"), ("not tested", "not tested")])
def test_learning_leads_with_its_verdict(verdict, lead):
    assert learns_the_same(examples.agreeing(learning=examples.learning(verdict))).lead == lead


def test_a_model_that_sees_the_future_is_warned_about():
    assert learns_the_same(examples.agreeing()).warnings == ()
    [warning] = learns_the_same(examples.disagreeing()).warnings
    assert warning == "torch-nn sees the future: its perplexity is no measure of a language model"


def test_several_that_see_the_future_share_one_warning():
    task = examples.agreeing(causality=examples.causality(blind=examples.FOUR))
    [warning] = learns_the_same(task).warnings
    assert warning == "all four see the future: their perplexity is no measure of a language model"
    assert "in 2 tasks models see the future" in headlines(examples.results(task, task))[1].text


def test_a_task_without_validation_and_throughput_and_with_seeds_is_told_truly():
    task = examples.translating()
    assert "validation" not in learns_the_same(task).text
    assert "perplexity at epoch 8: training " in learns_the_same(task).text
    assert how_fast(task).text == "not measured"


def test_speed_gives_both_modes_and_no_control():
    text = how_fast(examples.agreeing()).text
    assert text.startswith(
        "training: torch-scratch 4.1x mxnet-scratch (3.9 to 4.3), torch-nn 1.9x mxnet-gluon (1.8 to 2.0)"
    )
    assert "inference: " in text
    assert "torch-nn and mxnet-gluon no difference shown (0.97 to 1.08)" in text
    assert "torch-nn and torch-nn" not in text
    assert "x torch-nn" not in text


@pytest.mark.parametrize(
    ("verdict", "start"),
    [
        ("agree", "training: "),
        ("disagree", "not the same model: training: "),
        ("incomplete", "not shown to be the same model: training: "),
    ],
)
def test_agreement_stands_before_speed(verdict, start):
    assert how_fast(examples.agreeing(verdict=verdict)).text.startswith(start)


def test_without_a_ratio_the_speeds_are_given():
    assert (
        how_fast(examples.agreeing(throughput=[row(ratio_to=None, ratio=None)])).text
        == "training: torch-nn 10.0 k tokens/s"
    )
    assert how_fast(examples.agreeing(throughput=[row(ratio=math.nan)])).text == "training: torch-nn 10.0 k tokens/s"
    assert how_fast(examples.agreeing(throughput=[])).text == "not measured"


@pytest.mark.parametrize(
    ("names", "said"),
    [(["torch-nn"], "torch-nn steps cells"), (["mxnet-gluon", "torch-nn"], "mxnet-gluon and torch-nn step cells")],
)
def test_cells_that_are_stepped_are_told_beside_the_ratio_that_they_explain(names, said):
    task = examples.agreeing(measurement=examples.measurement(steps_cells=names))
    assert how_fast(task).text.endswith(f"; {said} one by one instead of whole layers")
    assert "one by one" not in how_fast(examples.agreeing(measurement=examples.measurement())).text


def words(*tasks) -> list[str]:
    return [line.word for line in headlines(examples.results(*tasks))]


def test_headlines():
    speed = "PyTorch trains 1.9x to 4.1x as fast"
    assert words() == ["Not known", "Not tested", "Not measured"]
    assert words(examples.agreeing("a"), examples.agreeing("b")) == ["Yes", "Yes", speed]
    assert words(examples.agreeing(), examples.incomplete()) == [
        "Yes, where compared",
        "Yes",
        speed,
    ]
    assert words(examples.agreeing(), examples.disagreeing()) == ["Not all", "Not all", speed]
    assert words(examples.disagreeing()) == ["No", "No", "Not comparable"]
    assert words(examples.worked_example()) == ["Yes", "Not tested", "Not measured"]


def test_headlines_explain_themselves():
    model, learning, speed = headlines(examples.everything())
    assert model.text == "lm_gru disagrees; nmt_fra is incomplete; 4 of 6 tasks agree"
    assert "torch-nn sees the future" in learning.text
    assert "; compared over 930 updates; " in learning.text
    assert speed.text.endswith("left out, as not shown to be the same model: lm_gru")
    assert headlines(examples.results(examples.agreeing("a"), examples.agreeing("b")))[0].text == "both tasks agree"


@pytest.mark.parametrize(("updates", "said"), [((1, 1), "1 update"), ((1, 102), "1 to 102 updates"), ((1, None), None)])
def test_over_how_many_updates(updates, said):
    tasks = [
        examples.agreeing(name, learning={**examples.learning(), "updates": number})
        for name, number in zip("ab", updates)
    ]
    tail = f"; compared over {said}" if said else ""  # a report of an earlier crossfw has no number
    assert headlines(examples.results(*tasks))[1].text == f"both tasks learn the same{tail}"


def test_a_range_says_how_many_tasks_are_not_in_it():
    alike = row(ratio=1.0, ratio_low=0.97, ratio_high=1.03)
    tasks = [examples.agreeing(str(i), throughput=[row() if i else alike]) for i in range(3)]
    line = headlines(examples.results(*tasks))[2]
    assert line.word == "PyTorch trains 1.9x as fast"
    assert line.text == "training: torch-nn 1.9x mxnet-gluon (no difference shown in 1 of 3 tasks)"


def test_no_difference_in_any_task():
    task = examples.agreeing(throughput=[row(ratio=1.0, ratio_low=0.97, ratio_high=1.03)])
    line = headlines(examples.results(task))[2]
    assert line.word == "No difference shown"
    assert line.text == "training: torch-nn and mxnet-gluon no difference shown"

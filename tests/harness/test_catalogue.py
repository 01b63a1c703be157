"""The catalogue: every task can be read and made ready, and the small ones show what they were published for."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from crossfw.catalogue import find_task, task_names
from crossfw.errors import CorpusUnavailable
from crossfw.harness.options import RunOptions, parse_implementations
from crossfw.harness.run import run
from crossfw.harness.work import Work
from crossfw.models import IMPLEMENTATIONS, REFERENCE, Implementation
from crossfw.training.curves import TrainingPlan, train

NAMED_IN_THE_SYSTEMS = {
    *("srn_worked_example", "hello_ohlol", "word_translation", "lm_gru", "lm_gru_library", "lm_lstm", "lm_deep_lstm"),
    *("lm_bilstm", "lm_birnn_as_published", "lm_birnn", "lm_birnn_two_sizes", "lm_birnn_deep"),
    *("lm_jay_birnn_as_published", "lm_chinese_birnn_as_published", "name_tagging", "name_tagging_forward"),
    *("sentiment", "music", "translation", "translation_parallel", "words_in_context", "plain_network"),
    *(f"lm_{model}_time_machine" for model in ("rnn", "rnn_random", "rnn_concise", "rnn_relu", "gru", "gru_concise")),
    *(f"lm_{model}_time_machine" for model in ("lstm", "lstm_concise", "deep_lstm")),
}
NEEDS_THE_USERS_DATA = ("time_machine", "jay", "bilstm", "translation.toml")


def work_of(name: str) -> Work:
    return Work(find_task(name), RunOptions(tasks=(name,), out=Path("unused")))


def test_every_task_that_the_systems_ask_for_is_there():
    assert set(task_names()) >= NAMED_IN_THE_SYSTEMS


@pytest.mark.parametrize("name", task_names())
def test_a_task_is_made_ready(name):
    work = work_of(name)
    try:
        work.check()
    except CorpusUnavailable as error:
        assert any(word in f"{name}.toml" for word in NEEDS_THE_USERS_DATA)
        assert "jay" in name or not os.environ.get("CROSSFW_DATA"), "the data are here, and must be found"
        pytest.skip(error.found)
    assert work.spec.positions(work.batch) > 0
    assert work.setup()["parameters"] == sum(int(np.prod(shape)) for shape in work.spec.shapes().values())


def test_hello_becomes_ohlol_in_every_implementation(tmp_path):
    """S2: by epoch 15, and from equal weights the float64 loss curves agree to 1e-9."""
    options = RunOptions(tasks=("hello_ohlol",), out=tmp_path / "out", threads=1)
    results, code = run(options, ["crossfw"], Console(file=io.StringIO()))
    (task,) = results["tasks"]
    assert (code, task["verdict"]) == (0, "agree")
    names = {"mxnet-scratch", "mxnet-gluon", "torch-scratch", "torch-nn"}
    right = {row["implementation"]: row["value"] for row in task["measures"] if row["measure"].startswith("accuracy")}
    assert right == dict.fromkeys(names, 1.0)
    written = {s["implementation"]: (s["prefix"], s["text"]) for s in task["samples"]}
    assert written == dict.fromkeys(names, ("hello", "ohlol"))
    losses: dict[str, list[float]] = {}
    for row in task["perplexity"]:
        if row["dtype"] == "float64" and not row["perturbed"]:
            losses.setdefault(row["implementation"], []).append(row["loss"])
    assert set(losses) == {*names, "numpy"}
    for curve in losses.values():
        assert len(curve) == 15
        np.testing.assert_allclose(curve, losses["numpy"], rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["mxnet-scratch", "mxnet-gluon", "torch-scratch", "torch-nn"])
def test_one_direction_cannot_tell_the_teddies_apart(workers, name):
    """S6: up to Teddy the two sentences are the same, and so are all outputs of a one-directional tagger, exactly."""
    differences = {}
    for task in ("name_tagging_forward", "name_tagging"):
        work = work_of(task)
        plan = TrainingPlan("float32", "cpu", 0, 1, batches_used=3, evaluated=True)
        trace = train(workers[name], work.task, work.dataset, work.spec, plan, lambda: None)
        found = {item["measure"]: item["value"] for item in trace.facts["measures"]}
        differences[task] = found["outputs of both Teddies differ by"]
    assert differences["name_tagging_forward"] == 0
    assert differences["name_tagging"] > 0


def test_a_bidirectional_tagger_gets_both_teddies_right(workers):
    work = work_of("name_tagging")
    plan = TrainingPlan("float32", "cpu", 0, 6, evaluated=True)
    trace = train(workers["torch-nn"], work.task, work.dataset, work.spec, plan, lambda: None)
    found = {item["measure"]: item["value"] for item in trace.facts["measures"]}
    assert found["of two Teddies right"] == 2
    assert found["F1 (test data)"] > 0.9


def test_a_language_model_that_sees_the_future_is_marked(tmp_path):
    """S5: the bidirectional network, and the one as published, which is none."""
    options = RunOptions(
        tasks=("lm_birnn", "lm_birnn_as_published"),
        out=tmp_path / "out",
        threads=1,
        implementations=parse_implementations(["torch-nn"]),
    )
    results, _ = run(options, ["crossfw"], Console(file=io.StringIO()))
    causal = {task["task"]: {row["causal"] for row in task["causality"]} for task in results["tasks"]}
    assert causal == {"lm_birnn": {False}, "lm_birnn_as_published": {True}}
    assert "sees the future" in (tmp_path / "out" / "index.html").read_text()


def test_the_senses_of_bank_lie_apart(workers):
    """S5: the vectors of two senses lie further apart than two uses of one sense."""
    work = work_of("words_in_context")
    plan = TrainingPlan("float32", "cpu", 0, 12, evaluated=True)
    trace = train(workers["torch-nn"], work.task, work.dataset, work.spec, plan, lambda: None)
    found = {item["measure"]: item["value"] for item in trace.facts["measures"]}
    assert found["distance of “bank” between senses"] > found["distance of “bank” within a sense"]
    assert found["nearest “bank” of the same sense"] > 0.7, "half of them by chance"


PAIR = {"mxnet-gluon", "torch-nn"}
OWN = "torch-own"
TRAINED_TO_THE_END = {
    "the whole catalogue in full": ({"suite": "full"}, {*PAIR, OWN}),
    "a named task": ({"suite": "full", "tasks": ("lm_bilstm",)}, {*IMPLEMENTATIONS[1:], OWN}),
    "a quick look": ({"suite": "quick"}, {*IMPLEMENTATIONS[1:], OWN}),
}


@pytest.mark.parametrize("case", TRAINED_TO_THE_END)
def test_of_the_longest_recipes_some_are_trained_to_the_end(case, tmp_path):
    given, expected = TRAINED_TO_THE_END[case]
    (file := tmp_path / "own.py").write_text("")
    implementations = parse_implementations([*IMPLEMENTATIONS[1:], f"{OWN}={file}"])
    options = RunOptions(**{"tasks": (), "out": tmp_path, "implementations": implementations, **given})
    task = find_task("lm_bilstm")
    work = Work(replace(task, data=find_task("lm_birnn").data), options)
    assert task.recipe.full_implementations == ("mxnet-gluon", "torch-nn")
    own = [i for i in implementations if i.name != REFERENCE]
    longest = {i.name: max(plan.epochs for plan in work.plans(i)) for i in own}
    evaluated = {i.name for i in own if any(plan.evaluated for plan in work.plans(i))}
    assert {name for name, epochs in longest.items() if epochs == work.epochs} == evaluated == expected
    assert set(longest.values()) <= {work.epochs, work.compared_epochs}
    told = work.setup().get("not trained to the end", "")
    assert all((name in told) == (name not in expected) for name in longest)


def test_where_nobody_is_asked_for_who_is_spoken_of_all_are_trained_to_the_end(tmp_path):
    implementations = parse_implementations(["torch-scratch"])
    work = Work(find_task("lm_bilstm"), RunOptions((), tmp_path, suite="full", implementations=implementations))
    assert work.is_trained_to_the_end(implementations[1])


@pytest.mark.parametrize("suite", ["quick", "full"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_curve_that_is_reported_is_trained_once(dtype, suite):
    options = RunOptions(tasks=("hello_ohlol",), out=Path("unused"), suite=suite, dtype=dtype, seeds=3)
    work = Work(find_task("hello_ohlol"), options)
    (torch_nn,) = [i for i in options.implementations if i.name == "torch-nn"]
    plans = work.plans(torch_nn)
    told_apart = [(plan.dtype, plan.seed, plan.epochs, plan.perturbed) for plan in plans]
    assert len(told_apart) == len(set(told_apart))
    assert sum(plan.evaluated for plan in plans) == 3
    moved = {("float64", True), (dtype, True)} if suite == "full" else set()
    assert {(plan.dtype, plan.perturbed) for plan in plans} == {("float64", False), (dtype, False), *moved}
    noise = {(plan.dtype, plan.perturbed) for plan in work.plans(Implementation(REFERENCE))}
    assert noise >= {("float64", True), (dtype, True)}

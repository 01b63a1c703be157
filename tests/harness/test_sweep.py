"""`--sweep`: what it accepts, what a task becomes at a value, and a run with it as a whole."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import crossfw
from crossfw.catalogue import find_task
from crossfw.errors import CrossfwError
from crossfw.harness import sweep
from crossfw.harness.options import RunOptions, parse_implementations
from crossfw.harness.run import run
from crossfw.harness.swept import parse_sweeps
from crossfw.harness.variants import resized, variant
from crossfw.harness.work import Work
from crossfw.throughput.measure import GLANCE
from tests.tasks import write_task

BAD = {
    "hiden=64,128": "did you mean 'hidden'",
    "hidden": "no setting with its values",
    "=1,2": "no setting with its values",
    "hidden=": "no value",
    "hidden=64": "one value",
    "hidden=64,64": "one value",
    "hidden=64,big": "'big' is no integer",
    "hidden=64,,128": "'' is no integer",
    "hidden=64,1.5": "'1.5' is no integer",
    "hidden=64,²": "'²' is no integer",
    "hidden=0,64": "out of range",
    "batch=-8,64": "out of range",
    f"threads=1,{(os.cpu_count() or 1) + 1}": "out of range",
}


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_sweep(text):
    with pytest.raises(CrossfwError) as caught:
        parse_sweeps((text,))
    assert BAD[text] in caught.value.found
    assert caught.value.remedy


def test_values_stand_in_order_and_once():
    first, second = parse_sweeps(("hidden = 256, 64,128,64", "batch=8,+16"))
    assert (first.setting, first.values, str(first)) == ("hidden", (64, 128, 256), "hidden=64,128,256")
    assert second.values == (8, 16)


def test_a_setting_is_swept_once():
    with pytest.raises(CrossfwError, match="swept twice"):
        parse_sweeps(("hidden=1,2", "hidden=3,4"))


def test_a_sweep_needs_a_task(tmp_path):
    with pytest.raises(CrossfwError) as caught:
        RunOptions(tasks=(), out=tmp_path, sweeps=parse_sweeps(("hidden=1,2",)))
    assert caught.value.found == "no task is named"
    assert "hidden=1,2" in caught.value.remedy


def work(name: str) -> Work:
    return Work(find_task(name), RunOptions(tasks=(name,), out=Path("unused"), threads=1))


NO_PLACE = {
    ("srn_worked_example", "hidden", 4): "trains nothing",
    ("plain_network", "steps", 4): "without a state",
    ("hello_ohlol", "hidden", 7): "7 hidden units and 4 outputs",
    ("lm_birnn_two_sizes", "hidden", 7): "sizes of their own",
    ("lm_deep_lstm", "layers", 1): "dropout",
    ("lm_rnn", "layers", 0): "out of range",
}


@pytest.mark.parametrize("case", NO_PLACE, ids=str)
def test_what_a_model_has_no_place_for(case):
    name, setting, value = case
    with pytest.raises(CrossfwError) as caught:
        variant(work(name), setting, value)
    assert f"--sweep {setting}={value} of {name}" in caught.value.asked
    assert NO_PLACE[case] in caught.value.found


@pytest.mark.parametrize(
    ("name", "setting", "value", "sizes"),
    [
        ("lm_rnn", "hidden", 7, {"hidden_size": 7, "layers": 1, "inputs": (35, 32), "small": (8, 4)}),
        ("lm_rnn", "layers", 3, {"hidden_size": 128, "layers": 3, "inputs": (35, 32), "small": (8, 4)}),
        ("lm_rnn", "batch", 50, {"hidden_size": 128, "layers": 1, "inputs": (35, 50), "small": (8, 50)}),
        ("lm_rnn", "steps", 90, {"hidden_size": 128, "layers": 1, "inputs": (90, 32), "small": (90, 4)}),
        ("lm_rnn", "threads", 2, {"hidden_size": 128, "layers": 1, "inputs": (35, 32), "small": (8, 4)}),
    ],
)
def test_one_setting_changes_and_nothing_else(name, setting, value, sizes):
    found = variant(work(name), setting, value)
    assert sizes == {
        "hidden_size": found.spec.hidden_size,
        "layers": found.spec.layers,
        "inputs": found.batch["inputs"].shape,
        "small": found.small["inputs"].shape,
    }


@pytest.mark.parametrize("name", ["word_translation", "name_tagging", "sentiment", "music", "words_in_context"])
@pytest.mark.parametrize(("setting", "value"), [("steps", 3), ("steps", 40), ("batch", 1), ("batch", 70)])
def test_batches_of_every_kind_are_resized_into_true_ones(name, setting, value):
    """`Spec.check` accepts them: masks and shapes fit, and padding is at the end."""
    case = variant(work(name), setting, value)
    assert case.batch["inputs"].shape[setting == "batch"] == value
    case.spec.check(case.small)


def test_resizing_picks_evenly_and_keeps_padding_at_the_end():
    batch = {
        "inputs": np.array([[1, 5], [2, 6], [3, 0], [4, 0]]),
        "mask": np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 0.0], [1.0, 0.0]]),
        "targets": np.array([7, 8]),
    }
    longer, fewer = resized(batch, 8, None), resized(batch, 2, 1)
    assert longer["inputs"][:, 0].tolist() == [1, 1, 2, 2, 3, 3, 4, 4]
    assert longer["mask"][:, 1].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    assert longer["targets"].tolist() == [7, 8]
    assert (fewer["inputs"].tolist(), fewer["targets"].tolist()) == ([[1], [3]], [7])
    assert resized(batch, None, 5)["inputs"][0].tolist() == [1, 1, 1, 5, 5]


@pytest.fixture(autouse=True)
def _briefly(monkeypatch):
    """As few rounds as there may be: speeds are not what is tested."""
    monkeypatch.setitem(sweep.EFFORTS, "quick", replace(sweep.EFFORTS["quick"], budget=0.1))
    monkeypatch.setattr(Work, "effort", replace(GLANCE, budget=0.1))


def run_quietly(**given):
    results, code = run(RunOptions(threads=1, **given), ["crossfw", "run"], Console(file=io.StringIO(), width=100))
    return results["tasks"][0], code


def test_a_run_with_sweeps_end_to_end(tmp_path):
    given = {
        "tasks": (write_task(tmp_path),),
        "out": tmp_path / "out",
        "implementations": parse_implementations(["mxnet-gluon", "torch-nn"]),
        "sweeps": parse_sweeps(("hidden=4,8,16", "threads=1,2")),
    }
    task, code = run_quietly(**given)
    assert (code, task["verdict"], task["failures"]) == (0, "agree", [])
    assert task["throughput"]
    hidden, threads = task["sweeps"]
    assert (hidden["setting"], hidden["values"], threads["values"]) == ("hidden", [4, 8, 16], [1, 2])
    timed = [(point["value"], point["implementation"]) for point in hidden["points"]]
    names = ["mxnet-gluon", "torch-nn"]
    assert timed == [(value, name) for value in (4, 8, 16) for name in names]
    for point in hidden["points"] + threads["points"]:
        assert 0 <= point["error"] <= point["bound"]
        assert 0 < point["low"] <= point["tokens_per_second"] <= point["high"]
        assert point["seconds_per_step"] == pytest.approx(24 / point["tokens_per_second"])
        assert len(point["samples"]) >= 3
        assert point["reason"] == ""
    assert all(row["low"] <= row["exponent"] <= row["high"] for row in hidden["exponents"])
    assert [(row["low"], row["points"]) for row in threads["exponents"]] == [(None, 2)] * 2
    pairs = {(row["implementation"], row["against"]) for row in hidden["ratios"]}
    assert pairs == {("torch-nn", "mxnet-gluon")}
    report = crossfw.load(tmp_path / "out")
    assert len(report.sweep) == 10
    assert (tmp_path / "out" / "figures" / "small-sweep-hidden.svg").is_file()
    again, _ = run_quietly(**given, resume=True)
    assert again == task
    changed, _ = run_quietly(**{**given, "sweeps": parse_sweeps(("batch=2,4",))}, resume=True)
    assert [each["setting"] for each in changed["sweeps"]] == ["batch"]


def port(tmp_path: Path, body: str) -> tuple:
    file = tmp_path / "port.py"
    file.write_text(f"import os\nfrom crossfw.models.network import torch_scratch as sibling\n{body}")
    return parse_implementations(["torch-nn", f"torch-port={file}"])


def test_what_is_another_model_at_one_value_gets_no_speed_there(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "disturbances", lambda *_: ["other programs were busy"])
    body = """
class Model(sibling.Model):
    def loss(self, *arguments):
        return super().loss(*arguments) * (1.001 if self.spec.hidden_size == 16 else 1)
"""
    task, code = run_quietly(
        tasks=(write_task(tmp_path),),
        out=tmp_path / "out",
        implementations=port(tmp_path, body),
        sweeps=parse_sweeps(("hidden=8,16",)),
    )
    assert (code, task["verdict"]) == (1, "disagree")
    assert "torch-port differs from numpy first at stage 4 gradients, tensor loss at hidden = 16" in task["reason"]
    told = [words for words in task["warnings"] if words.startswith("sweep")]
    assert told == [f"sweep, hidden = {value}: other programs were busy" for value in (8, 16)]
    [swept] = task["sweeps"]
    by_place = {(point["value"], point["implementation"]): point for point in swept["points"]}
    assert by_place[8, "torch-port"]["tokens_per_second"] > 0
    wrong = by_place[16, "torch-port"]
    assert (wrong["tokens_per_second"], wrong["samples"]) == (None, [])
    assert wrong["reason"] == "not the same model: gradients, loss"
    assert wrong["error"] > wrong["bound"]
    assert by_place[16, "torch-nn"]["tokens_per_second"] > 0
    assert [row["implementation"] for row in swept["exponents"]] == ["torch-nn"]


def test_what_dies_at_one_value_costs_that_value_only(tmp_path):
    body = """
class Model(sibling.Model):
    def loss(self, *arguments):
        if self.spec.hidden_size == 16 and self.parameters["b_h"].dtype.itemsize == 4:
            os.kill(os.getpid(), 9)
        return super().loss(*arguments)
"""
    task, code = run_quietly(
        tasks=(write_task(tmp_path),),
        out=tmp_path / "out",
        implementations=port(tmp_path, body),
        sweeps=parse_sweeps(("hidden=8,16,32",)),
    )
    assert (code, task["verdict"]) == (2, "incomplete")
    [failure] = task["failures"]
    assert (failure["implementation"], failure["stage"]) == ("torch-port", "sweep, hidden = 16")
    assert "SIGKILL" in failure["reason"]
    [swept] = task["sweeps"]
    lacking = [(p["value"], p["implementation"]) for p in swept["points"] if p["tokens_per_second"] is None]
    assert lacking == [(16, "torch-port")]
    assert {row["implementation"]: row["points"] for row in swept["exponents"]} == {"torch-nn": 3, "torch-port": 2}

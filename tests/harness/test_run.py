"""`crossfw run` as a whole: reports, resumption, and what happens when something goes wrong in the middle."""

from __future__ import annotations

import io
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import tomllib
from rich.console import Console

import crossfw
from crossfw.errors import CrossfwError
from crossfw.harness import cells as cells_module
from crossfw.harness import options as options_module
from crossfw.harness.options import RunOptions, parse_implementations
from crossfw.harness.run import run
from crossfw.harness.speed import SpeedTest
from crossfw.results.tables import read_results
from tests.tasks import SMALL, write_task

REPORT_FILES = ("index.html", "report.md", "results.json", "agreement.csv", "perplexity.csv", "throughput.csv")

MEASURED = SpeedTest.run


@pytest.fixture(autouse=True)
def _without_speed(without_speed):
    """What most of these tests are about comes before."""


@pytest.fixture
def _with_speed(monkeypatch, _without_speed):
    """Measured as outside of tests."""
    monkeypatch.setattr(SpeedTest, "run", MEASURED)


def run_quietly(**given):
    screen = io.StringIO()
    given.setdefault("threads", 1)
    results, code = run(RunOptions(**given), ["crossfw", "run"], Console(file=screen, width=100))
    return results, code, screen.getvalue()


def assert_whole(folder: Path) -> dict:
    for name in REPORT_FILES:
        assert (folder / name).stat().st_size > 0, name
    assert not list(folder.rglob("*.tmp"))
    return read_results(folder)


def implementation(tmp_path: Path, body: str, name: str = "torch-port") -> tuple:
    file = tmp_path / f"{name}.py"
    framework = name.partition("-")[0]
    file.write_text(f"import os\nfrom crossfw.models.network import {framework}_scratch as sibling\n{body}")
    return parse_implementations(["torch-nn", f"{name}={file}"])


@pytest.mark.usefixtures("_as_asked_for", "_with_speed")
def test_everything_end_to_end(tmp_path):
    """All implementations; MXNet and torch are still together after 100 updates."""
    task = write_task(tmp_path, quick_epochs="10")
    results, code, screen = run_quietly(tasks=(task,), out=tmp_path / "out", keep_traces=True)
    assert code == 0, results["tasks"][0]["reason"]
    document = assert_whole(tmp_path / "out")
    assert document["schema"] == 1
    (task,) = results["tasks"]
    assert task["verdict"] == "agree"
    assert {row["stage"] for row in task["agreement"]} == {
        *("self-agreement", "parameters", "forward", "loss", "gradients"),
        *("clipping", "update", "optimizer state", "trajectory"),
    }
    pairs = {(row["implementation"], row["against"]) for row in task["agreement"]}
    assert ("torch-nn", "mxnet-gluon") in pairs
    assert ("mxnet-scratch", "numpy") in pairs
    trajectory = [row for row in task["agreement"] if row["stage"] == "trajectory"]
    assert {("torch-nn", "mxnet-gluon"), ("torch-scratch", "mxnet-scratch")} <= {
        (row["implementation"], row["against"]) for row in trajectory
    }
    assert all("after 10" in row["tensor"] for row in trajectory)
    assert max(row["error"] for row in trajectory) <= 1e-9
    learning, in_an_epoch = task["learning"], int(task["setup"]["updates per epoch"].split()[0])
    assert learning["verdict"] == "same"
    assert 0 <= learning["horizon"] * in_an_epoch - learning["updates"] <= learning["horizon"]  # an offset may cost one
    assert {row["mode"] for row in task["throughput"]} == {"train", "infer"}
    assert any(row["ratio_to"] == row["implementation"] for row in task["throughput"])
    assert all(row["causal"] for row in task["causality"])
    assert len({sample["text"] for sample in task["samples"] if sample["decoding"] == "greedy"}) == 1
    assert (tmp_path / "out" / "traces" / "small").is_dir()
    assert "small: agree" in screen
    report = crossfw.load(tmp_path / "out")
    assert list(report.agreement.columns)[:9] == [
        *("task", "implementation", "against", "stage", "tensor", "dtype", "error", "bound", "grade")
    ]
    assert len(report.agreement) == len(task["agreement"])
    assert set(report.perplexity.split) == {"training", "validation"}


def test_a_finished_cell_is_not_run_again(tmp_path, monkeypatch):
    computed = []
    real = cells_module.record

    def counted(worker, *arguments):
        computed.append(worker.name)
        return real(worker, *arguments)

    monkeypatch.setattr(cells_module, "record", counted)
    broken = implementation(
        tmp_path, "class Model(sibling.Model):\n    def loss(self, *a):\n        os.kill(os.getpid(), 9)\n"
    )
    given = {"tasks": (write_task(tmp_path),), "out": tmp_path / "out", "implementations": broken}
    results, code, _ = run_quietly(**given)
    assert (code, results["tasks"][0]["verdict"]) == (2, "incomplete")
    assert sorted(computed) == ["numpy"] * 2 + ["torch-nn"] * 2 + ["torch-port"] * 2
    computed.clear()
    mended = implementation(tmp_path, "Model = sibling.Model\n")
    results, code, _ = run_quietly(**{**given, "implementations": mended}, resume=True)
    assert (code, results["tasks"][0]["verdict"]) == (0, "agree")
    assert computed == ["torch-port"] * 2
    computed.clear()
    again, code, screen = run_quietly(**{**given, "implementations": mended}, resume=True)
    assert (code, computed) == (0, [])
    assert "not run again" in screen
    assert again["tasks"] == results["tasks"]


def test_half_a_cell_counts_as_none(tmp_path):
    given = {
        "tasks": (write_task(tmp_path),),
        "out": tmp_path / "out",
        "implementations": parse_implementations(["torch-nn"]),
    }
    run_quietly(**given)
    (conclusion,) = (tmp_path / "out" / "cells").glob("*.json")
    conclusion.write_bytes(conclusion.read_bytes()[:100])
    half = tmp_path / "out" / "cells" / "small"
    half.mkdir()
    (half / "torch-nn.agreement.float64.json").write_text('{"fingerprint": "of another task"}')
    (half / "numpy.agreement.float64.safetensors.tmp").write_bytes(b"half")
    results, code, _ = run_quietly(**given, resume=True)
    assert (code, results["tasks"][0]["verdict"]) == (0, "agree")


def test_a_worker_killed_in_mid_cell_costs_its_cells_only(tmp_path):
    body = """
class Model(sibling.Model):
    calls = 0
    def loss(self, *arguments):
        self.calls += 1
        if self.calls > 20:
            os.kill(os.getpid(), 9)
        return super().loss(*arguments)
"""
    results, code, screen = run_quietly(
        tasks=(write_task(tmp_path, quick_epochs="20"),),
        out=tmp_path / "out",
        implementations=implementation(tmp_path, body),
    )
    assert code == 2
    (task,) = assert_whole(tmp_path / "out")["tasks"]
    assert task["verdict"] == "incomplete"
    assert {failure["implementation"] for failure in task["failures"]} == {"torch-port"}
    assert all("SIGKILL" in failure["reason"] for failure in task["failures"])
    assert any(row["implementation"] == "torch-nn" for row in task["agreement"])
    assert "SIGKILL" in screen


def test_numbers_that_stop_being_finite_stop_the_cell(tmp_path):
    unclipped = SMALL.replace("clip = 1.0\n", "")
    task = write_task(tmp_path, unclipped, learning_rate="1e30", activation='"identity"', quick_epochs="6")
    given = {"implementations": parse_implementations(["mxnet-gluon", "torch-nn"])}
    results, code, _ = run_quietly(tasks=(task,), out=tmp_path / "out", **given)
    assert code == 2
    failures = results["tasks"][0]["failures"]
    assert {failure["implementation"] for failure in failures} >= {"mxnet-gluon", "torch-nn"}
    assert {failure["stage"] for failure in failures} == {"training"}
    assert all("first in" in failure["reason"] and "step" in failure["reason"] for failure in failures)
    assert_whole(tmp_path / "out")


def test_a_framework_that_is_not_installed(tmp_path, monkeypatch):
    real = options_module.importlib.util.find_spec
    monkeypatch.setattr(
        options_module.importlib.util, "find_spec", lambda name, *rest: None if name == "mxnet" else real(name, *rest)
    )
    results, code, screen = run_quietly(tasks=(write_task(tmp_path),), out=tmp_path / "out")
    assert code == 2
    task = assert_whole(tmp_path / "out")["tasks"][0]
    assert task["verdict"] == "incomplete"
    assert "pip install 'crossfw[mxnet]'" in task["reason"]
    assert "pip install 'crossfw[mxnet]'" in screen
    assert any(row["implementation"] == "torch-nn" for row in task["agreement"])


def test_a_corpus_that_cannot_be_had_skips_its_task_and_nothing_else(tmp_path, monkeypatch):
    from crossfw.data import corpora
    from crossfw.harness import run as run_module

    monkeypatch.delenv("CROSSFW_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def refuse(*_, **__):
        raise ConnectionRefusedError("no network")

    monkeypatch.setattr(corpora, "urlopen", refuse)
    monkeypatch.setattr(run_module, "task_names", lambda: ["lm_rnn_time_machine", "srn_worked_example"])
    results, code, screen = run_quietly(tasks=(), out=tmp_path / "out")
    assert [task["verdict"] for task in results["tasks"]] == ["incomplete", "agree"]
    assert code == 0
    assert "skipped" in screen
    assert "--data-dir" in screen
    with pytest.raises(CrossfwError, match="data-dir"):
        run_quietly(tasks=("lm_rnn_time_machine",), out=tmp_path / "named")


def test_the_parent_python_can_be_named_for_a_framework(tmp_path):
    results, code, _ = run_quietly(
        tasks=("srn_worked_example",),
        out=tmp_path / "out",
        implementations=parse_implementations(["torch-nn"]),
        pythons=(("torch", sys.executable),),
    )
    assert code == 0
    assert all(row["verdict"] == "reproduced" for row in results["tasks"][0]["published"])


def test_an_interrupted_run_ends_at_once_and_can_be_resumed(tmp_path):
    task = write_task(tmp_path, quick_epochs="2000")
    arguments = [
        sys.executable,
        "-m",
        "crossfw",
        "run",
        task,
        "--out",
        str(tmp_path / "out"),
        "--implementations",
        "torch-nn",
    ]
    running = subprocess.Popen(
        arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A job in the background of a shell ignores the interrupt, and so would this one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    cells = tmp_path / "out" / "cells" / "small"
    deadline = time.monotonic() + 60
    while len(list(cells.glob("*.json"))) < 4:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    workers = psutil.Process(running.pid).children(recursive=True)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=30)
    assert running.returncode == 130, errors
    assert "--resume" in errors
    assert "Traceback" not in errors
    assert not psutil.wait_procs(workers, timeout=10)[1]
    short = write_task(tmp_path, quick_epochs="2")
    results, code, _ = run_quietly(
        tasks=(short,), out=tmp_path / "out", implementations=parse_implementations(["torch-nn"]), resume=True
    )
    assert (code, results["tasks"][0]["verdict"]) == (0, "agree")


CUTS = {
    "random": {"sampling": "random"},
    "windows": {
        "sampling": "windows",
        "windows": 40,
        "validation_windows": 9,
        "max_tokens": None,
        "validation_tokens": None,
    },
    "words": {"unit": "word", "min_frequency": 2, "max_tokens": 200, "steps": 3},
    "chinese": {"corpus": "chinese-story", "preparation": "plain", "order": "alphabetical"},
    "alone": {"batch_size": 1},
    "single": {"steps": 1},
}


def cut(folder: Path, name: str, changes: dict) -> str:
    """The small task with its text cut in another way."""
    document = tomllib.loads(SMALL)
    document["data"] = {key: value for key, value in {**document["data"], **changes}.items() if value is not None}
    del document["generate"]
    lines = [f"{key} = {json.dumps(document.pop(key))}" for key in ("title", "description")]
    for table, values in document.items():
        lines += [f"[{table}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    return write_task(folder, "\n".join(lines), name)


def test_every_way_to_cut_a_text(tmp_path):
    results, code, _ = run_quietly(
        tasks=tuple(cut(tmp_path, name, changes) for name, changes in CUTS.items()),
        out=tmp_path / "out",
        implementations=parse_implementations(["mxnet-scratch", "torch-nn"]),
    )
    reasons = {task["task"]: task["reason"] for task in results["tasks"]}
    assert (code, reasons) == (0, dict.fromkeys(CUTS, "every tensor of every stage agrees"))


def test_final_perplexities_over_seeds_are_tested(tmp_path):
    results, code, _ = run_quietly(
        tasks=(write_task(tmp_path),),
        out=tmp_path / "out",
        seeds=3,
        implementations=parse_implementations(["mxnet-gluon", "torch-nn"]),
    )
    assert code == 0
    (row,) = results["tasks"][0]["learning"]["equivalence"]
    assert row["low"] <= row["ratio"] <= row["high"]
    assert {point["seed"] for point in results["tasks"][0]["perplexity"]} == {0, 1, 2}


def test_a_port_that_is_broken_since_is_not_taken_for_finished(tmp_path):
    """The same command, resumed twice: once with the port unchanged, once after it was broken."""
    given = {"tasks": (write_task(tmp_path),), "out": tmp_path / "out"}
    _, code, _ = run_quietly(**given, implementations=implementation(tmp_path, "Model = sibling.Model\n"))
    assert code == 0
    _, code, screen = run_quietly(
        **given, implementations=implementation(tmp_path, "Model = sibling.Model\n"), resume=True
    )
    assert (code, "not run again" in screen) == (0, True)
    broken = "class Model(sibling.Model):\n    def loss(self, *a):\n        return 2 * super().loss(*a)\n"
    results, code, screen = run_quietly(**given, implementations=implementation(tmp_path, broken), resume=True)
    assert (code, "not run again" in screen) == (1, False)
    assert "torch-port" in results["tasks"][0]["reason"]


@pytest.mark.parametrize("older", [False, True])
def test_resuming_with_another_task_keeps_the_first_one_in_the_report(tmp_path, older):
    given = {"out": tmp_path / "out", "implementations": parse_implementations(["torch-nn"])}
    run_quietly(tasks=(write_task(tmp_path),), **given)
    earlier = json.loads((tmp_path / "out" / "results.json").read_text())
    for task in earlier["tasks"] if older else ():  # as an earlier crossfw wrote it
        del task["learning"]["updates"], task["measurement"], task["sweeps"]
    (tmp_path / "out" / "results.json").write_text(json.dumps(earlier))
    results, code, _ = run_quietly(tasks=("srn_worked_example",), **given, resume=True)
    assert code == 0
    assert [task["task"] for task in results["tasks"]] == ["small", "srn_worked_example"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("syntax error here\n", "invalid syntax"),
        ("class Model:\n    def __init__(self, sizes):\n        pass\n", "takes 2 positional arguments"),
        ("raise RuntimeError('at import')\n", "at import (torch-port.py, line 3"),
    ],
)
def test_a_port_that_cannot_be_built_is_told_at_once(tmp_path, body, words):
    with pytest.raises(CrossfwError) as caught:
        run_quietly(tasks=(write_task(tmp_path),), out=tmp_path / "out", implementations=implementation(tmp_path, body))
    assert words in caught.value.found


def test_a_device_that_is_not_there_is_told_at_once(tmp_path):
    with pytest.raises(CrossfwError, match="--device cpu"):
        run_quietly(
            tasks=(write_task(tmp_path),),
            out=tmp_path / "out",
            device="cuda:7",
            implementations=parse_implementations(["torch-nn"]),
        )


def test_what_was_recorded_before_a_crash_is_compared(tmp_path):
    body = """
class Model(sibling.Model):
    def forward(self, batch, state):
        activations, last = super().forward(batch, state)
        return {**activations, "output": activations["output"] - self.parameters["b_q"]}, last
    def loss(self, output, targets):
        raise RuntimeError("no loss")
"""
    results, code, _ = run_quietly(
        tasks=(write_task(tmp_path),), out=tmp_path / "out", implementations=implementation(tmp_path, body)
    )
    (task,) = results["tasks"]
    assert (code, task["verdict"]) == (1, "disagree")
    assert (task["first_divergence"][0]["stage"], task["first_divergence"][0]["tensor"]) == ("forward", "output")
    assert "no loss (torch-port.py, line 9, in loss)" in task["failures"][0]["reason"]
    assert task["learning"]["verdict"] != "same"


def test_a_model_that_sees_the_future_is_marked(tmp_path):
    body = """
import torch
class Model(sibling.Model):
    def forward(self, batch, state):
        activations, last = super().forward(batch, state)
        output = activations["output"]
        later = torch.cat([output[1:], output[-1:]])
        return {**activations, "output": output + 0.1 * later}, last
"""
    results, code, screen = run_quietly(
        tasks=(write_task(tmp_path),), out=tmp_path / "out", implementations=implementation(tmp_path, body)
    )
    causal = {row["implementation"]: row["causal"] for row in results["tasks"][0]["causality"]}
    assert causal == {"numpy": True, "torch-nn": True, "torch-port": False}
    assert code == 1
    assert "sees the future" in (tmp_path / "out" / "index.html").read_text()


def test_the_implementation_in_the_readme_is_a_true_one(tmp_path):
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    (body,) = [block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "class Model" in block]
    file = tmp_path / "my_rnn.py"
    file.write_text(body)
    results, code, _ = run_quietly(
        tasks=(write_task(tmp_path),),
        out=tmp_path / "out",
        implementations=parse_implementations([f"torch-mine={file}"]),
    )
    assert (code, results["tasks"][0]["reason"]) == (0, "every tensor of every stage agrees")


def test_parameters_are_compared_after_as_many_updates_on_both_sides(tmp_path):
    """A long curve's checkpoint stands further on than the reference's, whose curve ends where comparing does."""
    text = SMALL.replace("quick_epochs = 2", "quick_epochs = 30\ncompared_epochs = 2")
    task_file = write_task(tmp_path, text, epochs="30")
    given = {"implementations": parse_implementations(["torch-nn"]), "dtype": "float64"}
    results, code, _ = run_quietly(tasks=(task_file,), out=tmp_path / "out", **given)
    (task,) = results["tasks"]
    assert (code, task["verdict"]) == (0, "agree"), task["reason"]
    compared = {row["tensor"].rpartition(" after ")[2] for row in task["agreement"] if row["stage"] == "trajectory"}
    assert len(compared) == 1
    assert int(compared.pop().split()[0]) < 100


@pytest.mark.usefixtures("_with_speed")
def test_in_a_full_run_of_the_catalogue_some_are_trained_to_the_end(tmp_path, monkeypatch):
    from crossfw.harness import run as run_module

    text = SMALL.replace("quick_epochs = 2", 'compared_epochs = 2\nfull_implementations = ["torch-nn"]')
    file = write_task(tmp_path, text, epochs="6")
    monkeypatch.setattr(run_module, "task_names", lambda: [file])
    implementations = parse_implementations(["torch-scratch", "torch-nn"])
    results, code, _ = run_quietly(tasks=(), out=tmp_path / "out", suite="full", implementations=implementations)
    (task,) = results["tasks"]
    assert (code, task["verdict"], task["learning"]["verdict"]) == (0, "agree", "same")
    rows = [row for row in task["perplexity"] if row["dtype"] == "float32"]
    ends = {
        name: max(row["epoch"] for row in rows if row["implementation"] == name)
        for name in ("torch-scratch", "torch-nn")
    }
    assert ends == {"torch-scratch": 2, "torch-nn": 6}
    assert {row["implementation"] for row in task["samples"]} == {"torch-nn"}
    assert {row["implementation"] for row in task["throughput"]} == {"torch-scratch", "torch-nn"}
    assert "torch-scratch: 2 epochs" in (tmp_path / "out" / "report.md").read_text()

"""The commands as a person types them: bad input gives one clear error, the right exit code, and no traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tasks import SMALL, write_task


def crossfw(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "crossfw", *arguments], capture_output=True, text=True, cwd=cwd, check=False
    )


def own_text(folder: Path, text: str) -> str:
    (folder / "own.txt").write_text(text)
    return write_task(folder, SMALL.replace('preparation = "d2l-1.0"\n', ""), corpus='"own.txt"')


def own_file(folder: Path) -> Path:
    (folder / "mine.txt").write_text("some text")
    return folder / "mine.txt"


def wrong_corpus(folder: Path) -> list[str]:
    (folder / "timemachine.txt").write_text("The Time Traveller")
    return ["lm_rnn_time_machine", "--data-dir", str(folder)]


BAD = {
    "unknown task": (lambda d: ["lm_rn"], ["task 'lm_rn'", "did you mean 'lm_rnn'"]),
    "no such task file": (lambda d: [str(d / "none.toml")], ["none.toml", "No such file"]),
    "a task file that is no TOML": (lambda d: [write_task(d, "title = [")], ["no TOML"]),
    "unknown key": (
        lambda d: [write_task(d, SMALL.replace("hidden_size", "hiden_size"))],
        ["unknown key 'hiden_size' (did you mean 'hidden_size'?)", "key 'hidden_size' is missing"],
    ),
    "unknown table": (lambda d: [write_task(d, SMALL.replace("[recipe]", "[recipes]"))], ["did you mean 'recipe'"]),
    "wrong type": (lambda d: [write_task(d, hidden_size='"big"')], ["hidden_size = 'big' is a str"]),
    "hidden size 0": (lambda d: [write_task(d, hidden_size="0")], ["hidden_size", "at least 1"]),
    "unknown activation": (lambda d: [write_task(d, activation='"tanth"')], ["did you mean 'tanh'"]),
    "learning rate below zero": (lambda d: [write_task(d, learning_rate="-1.0")], ["learning_rate"]),
    "corpus with the wrong hash": (wrong_corpus, ["SHA-1", "090b5e7e70c295757f55df93cb0a180b9691891a"]),
    "missing text": (lambda d: [write_task(d, corpus='"gone.txt"')], ["gone.txt", "No such file"]),
    "empty text": (lambda d: [own_text(d, "  \n")], ["no text is left"]),
    "vocabulary of one character": (lambda d: [own_text(d, "a" * 500)], ["nothing to predict"]),
    "batch larger than the text": (lambda d: [write_task(d, batch_size="400")], ["needed", "batch"]),
    "text shorter than asked": (lambda d: [write_task(d, max_tokens="999999")], ["999999"]),
    "a folder that is a file": (
        lambda d: ["srn_worked_example", "--out", str(Path(write_task(d)))],
        ["--out", "cannot be written"],
    ),
    "a folder below a file": (
        lambda d: ["srn_worked_example", "--out", str(Path(write_task(d)) / "deeper")],
        ["--out", "cannot be written"],
    ),
    "a folder that is in use": (
        lambda d: ["srn_worked_example", "--out", str(Path(write_task(d)).parent)],
        ["--resume"],
    ),
    "resume of nothing": (lambda d: ["--resume", "--out", str(d / "new")], ["no cells"]),
    "resume without a folder": (lambda d: ["--resume"], ["--out FOLDER"]),
    "unknown implementation": (lambda d: ["lm_rnn", "--implementations", "torch-n"], ["did you mean 'torch-nn'"]),
    "implementation file missing": (lambda d: ["lm_rnn", "--implementations", "torch-x=no.py"], ["no file no.py"]),
    "framework of the file unknown": (lambda d: ["lm_rnn", "--implementations", f"jax-x={__file__}"], ["torch-WORD"]),
    "only the reference": (lambda d: ["lm_rnn", "--implementations", "numpy"], ["nothing to compare"]),
    "unknown suite": (lambda d: ["--suite", "quik"], ["did you mean 'quick'"]),
    "no epochs": (lambda d: ["--epochs", "0"], ["--epochs", "at least 1"]),
    "more threads than cores": (lambda d: ["--threads", "4096"], ["--threads", "at most"]),
    "a prefix with unknown characters": (lambda d: [write_task(d, prefix='"the €"')], ["generate.prefix", "'€'"]),
    "a sweep of nothing known": (lambda d: ["lm_rnn", "--sweep", "hiden=1,2"], ["did you mean 'hidden'", "--sweep"]),
    "a sweep without a task": (lambda d: ["--sweep", "hidden=1,2"], ["no task is named", "crossfw run lm_rnn --sweep"]),
    "a sweep that the model has no place for": (
        lambda d: ["plain_network", "--sweep", "steps=1,2"],
        ["--sweep steps=1 of plain_network", "sweep batch"],
    ),
    "an empty task file": (lambda d: [write_task(d, "")], ["the file is empty"]),
    "a text instead of a task": (lambda d: [str(own_file(d))], ["end in .toml"]),
    "a number in quotes": (lambda d: [write_task(d, learning_rate='"0.1"')], ["wanted is a number"]),
    "two tasks of one name": (lambda d: [write_task(d), write_task(d)], ["two are called small"]),
    "unknown device": (lambda d: ["--device", "tpu"], ["--device tpu"]),
    "interpreter that does not exist": (
        lambda d: ["srn_worked_example", "--torch-python", "/nowhere/python"],
        ["/nowhere/python"],
    ),
    "data folder that does not exist": (lambda d: ["lm_rnn", "--data-dir", str(d / "none")], ["no such folder"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(tmp_path, case):
    arguments, words = BAD[case]
    arguments = arguments(tmp_path)
    if "--out" not in arguments:
        arguments += ["--out", str(tmp_path / "out")] if case != "resume without a folder" else []
    done = crossfw("run", *arguments, cwd=tmp_path)
    assert done.returncode == 2, done
    for word in words:
        assert word in done.stderr, done.stderr
    for part in ("asked: ", "found: ", "to do: "):
        assert done.stderr.count(part) == 1
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback(tmp_path):
    done = crossfw("--debug", "run", "lm_rn", "--out", str(tmp_path / "out"))
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_list_names_every_task_and_implementation():
    done = crossfw("list")
    assert done.returncode == 0
    for word in ("srn_worked_example", "lm_rnn_time_machine", "lm_rnn_markov", "mxnet-gluon", "torch-nn", "numpy"):
        assert word in done.stdout


def test_doctor_finds_everything_here():
    done = crossfw("doctor")
    assert done.returncode == 0, done.stdout
    assert "everything that a run needs is here" in done.stdout


def test_doctor_names_what_is_missing():
    done = crossfw("doctor", "--mxnet-python", "/nowhere/python")
    assert done.returncode == 2
    assert "cannot run: mxnet" in done.stdout


def test_a_disagreement_exits_with_1_and_names_the_stage(tmp_path):
    port = tmp_path / "port.py"
    port.write_text(
        "from crossfw.models.network import torch_scratch\n"
        "class Model(torch_scratch.Model):\n"
        "    def loss(self, *a):\n"
        "        return 2 * super().loss(*a)\n"
    )
    done = crossfw(
        "run", write_task(tmp_path), "--implementations", f"torch-port={port}", "--out", str(tmp_path / "out")
    )
    assert done.returncode == 1, done.stderr
    assert "torch-port differs from numpy first at stage 3 loss" in done.stdout
    assert (tmp_path / "out" / "index.html").is_file()

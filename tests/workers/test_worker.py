"""Workers: separate, warm, killed with the parent, and clear about how they failed."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import psutil
import pytest

from crossfw.harness.workers import InProcess, start_worker
from crossfw.models import IMPLEMENTATIONS, Implementation
from crossfw.models.network.spec import Spec
from crossfw.workers import client
from crossfw.workers.client import (
    PACKAGE,
    CallFailed,
    WorkerDied,
)

SPEC = asdict(Spec(3, 2, 3))
ONE = {"batch": {"inputs": np.array([[0]])}, "state": {"h": np.zeros((1, 2))}}


def build(worker) -> dict:
    return worker.call("build", model="network", spec=SPEC, dtype="float64", device="cpu")


def write(tmp_path: Path, body: str) -> Implementation:
    file = tmp_path / "mine.py"
    file.write_text("from crossfw.models.network.numpy import Model as Plain\nimport os, sys, time\n" + body)
    return Implementation("numpy-mine", str(file))


def test_the_parent_imports_no_framework():
    code = "import sys, crossfw.harness.run, crossfw.cli; print([m for m in ('mxnet', 'torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_threads_are_set_before_import_and_read_back(name):
    with start_worker(Implementation(name), threads=2) as worker:
        build(worker)
        facts = worker.call("environment")
    assert facts["threads"] == 2
    assert set(facts["thread_pools"].values()) == {2}


@pytest.mark.parametrize("name", ["mxnet-scratch", "mxnet-gluon"])
def test_large_arrays_are_copied_without_a_second_team_of_threads(name):
    """With more OpenMP threads than cores those of MXNet's engine would sleep after every operation."""
    threads = []
    with start_worker(Implementation(name), threads=2) as worker:
        for size in (8, 512):
            spec = Spec(3, size, 3)
            worker.call("build", model="network", spec=asdict(spec), dtype="float32", device="cpu")
            worker.call("load", parameters={key: np.zeros(shape) for key, shape in spec.shapes().items()})
            worker.call("forward", batch=ONE["batch"], state={"h": np.zeros((1, size))})
            worker.call("export")
            threads.append(psutil.Process(worker._process.pid).num_threads())
    assert threads[0] == threads[1]


def test_in_process_gives_the_same_as_a_worker(workers):
    batch, state = {"inputs": np.array([[0, 1], [2, 0]])}, {"h": np.zeros((2, 2))}
    answers = []
    for backend in (workers["numpy"], InProcess(Implementation("numpy"))):
        build(backend)
        backend.call("load", parameters={name: np.full(shape, 0.3) for name, shape in Spec(**SPEC).shapes().items()})
        answers.append(backend.call("forward", batch=batch, state=state)["activations"])
    for name in answers[0]:
        np.testing.assert_array_equal(answers[0][name], answers[1][name])


def test_an_exception_leaves_the_worker_alive(workers):
    with pytest.raises(CallFailed, match="no method _native|AttributeError"):
        workers["numpy"].call("_native", array=np.zeros(1))
    with pytest.raises(CallFailed, match="KeyError"):
        workers["numpy"].call("build", model="no such model", spec=SPEC, dtype="float64", device="cpu")
    build(workers["numpy"])


@pytest.mark.parametrize("name", ["numpy", "mxnet-scratch", "mxnet-gluon", "torch-scratch", "torch-nn"])
def test_a_parameter_of_the_wrong_shape_is_refused_and_not_broadcast(workers, name):
    build(workers[name])
    with pytest.raises(CallFailed):
        workers[name].call("load", parameters={"W_hh": np.ones((1, 2))})


def test_printing_does_not_break_the_frames(tmp_path):
    body = """
print('at import')
class Model(Plain):
    def forward(self, *a):
        print('x')
        os.write(1, b'y')
        return super().forward(*a)
"""
    with start_worker(write(tmp_path, body)) as worker:
        build(worker)
        assert worker.call("forward", **ONE)["activations"]["output"].shape == (1, 1, 3)


def test_a_killed_worker_says_by_which_signal(tmp_path):
    body = """
class Model(Plain):
    def forward(self, *a):
        print('last words', flush=True)
        os.kill(os.getpid(), 9)
"""
    with start_worker(write(tmp_path, body)) as worker:
        build(worker)
        with pytest.raises(WorkerDied, match="signal 9 .SIGKILL.") as caught:
            worker.call("forward", **ONE)
        assert "last words" in caught.value.detail
        assert not worker.alive


def test_an_exit_code_is_told(tmp_path):
    with (
        start_worker(write(tmp_path, "os._exit(7)\n")) as worker,
        pytest.raises(WorkerDied, match="exited with code 7"),
    ):
        build(worker)


def test_a_worker_that_hangs_is_killed(tmp_path):
    body = "class Model(Plain):\n    def forward(self, *a):\n        time.sleep(60)\n"
    with start_worker(write(tmp_path, body)) as worker:
        build(worker)
        with pytest.raises(WorkerDied, match="no answer for 0.5 s"):
            worker.call("forward", silence_limit=0.5, **ONE)


def test_a_worker_dies_with_its_parent_in_the_middle_of_a_computation(tmp_path):
    implementation = write(tmp_path, "class Model(Plain):\n    def forward(self, *a):\n        time.sleep(60)\n")
    code = f"""
import numpy as np, sys
from crossfw.harness.workers import start_worker
from crossfw.models import Implementation
worker = start_worker(Implementation({implementation.name!r}, {implementation.file!r}))
worker.call("build", model="network", spec={SPEC!r}, dtype="float64", device="cpu")
print(worker._process.pid, worker.folder, flush=True)
worker.call("forward", batch={{"inputs": np.array([[0]])}}, state={{"h": np.zeros((1, 2))}})
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    pid, folder = parent.stdout.readline().split()
    pid = int(pid)
    assert Path(folder).is_dir()
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the worker outlived its parent"
        time.sleep(0.05)
    assert not Path(folder).exists()


def test_an_answer_that_cannot_be_read_is_told(monkeypatch):
    def out_of_files(*_, **__):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(client, "read_frame", out_of_files)
    with start_worker(Implementation("numpy")) as worker, pytest.raises(WorkerDied, match="Too many open files"):
        worker.call("environment")


def test_a_framework_that_is_missing_is_named(tmp_path):
    blocked = tmp_path / "python"
    blocked.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')  # without site-packages there is no NumPy
    blocked.chmod(0o755)
    with start_worker(Implementation("torch-nn"), str(blocked)) as worker, pytest.raises(WorkerDied) as caught:
        build(worker)
    assert "numpy" in caught.value.detail


WORKER_SIDE = (
    "__init__.py",
    "checks.py",
    "errors.py",
    "frameworks",
    "matching",
    "models",
    "optimizers",
    "ports",
    "workers",
)
WORKER_SIDE += ("harness/__init__.py", "harness/service.py", "throughput/timing.py", "throughput/waiting.py")
WORKER_SIDE += tuple(f"training/{name}.py" for name in ("__init__", "decoding", "divergence", "epoch", "generation"))


@pytest.mark.parametrize("part", WORKER_SIDE)
def test_what_a_worker_imports_is_python_3_9(part):
    place = PACKAGE / part
    files = [place] if place.is_file() else sorted(place.rglob("*.py"))
    assert files
    for file in files:
        ast.parse(file.read_text(), str(file), feature_version=(3, 9))

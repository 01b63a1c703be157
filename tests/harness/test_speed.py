"""The speed of a task as a whole: what is measured is told, and what makes it untrue is found."""

from __future__ import annotations

import pytest

from crossfw.catalogue import find_task
from crossfw.harness.options import RunOptions, parse_implementations
from crossfw.harness.speed import SpeedTest
from crossfw.harness.work import Work
from crossfw.report import measured
from crossfw.throughput.measure import FULL, GLANCE, NAMED
from tests.harness.test_run import run_quietly
from tests.tasks import write_task

NEVER_WAITS = """
from crossfw.frameworks.mxnet import Backend as Plain
from crossfw.models.network.mxnet_scratch import Model

class Backend(Plain):
    def sync(self):
        pass
"""
MORE_THREADS = """
import torch
from crossfw.frameworks.threads import requested_threads
from crossfw.frameworks.torch import Backend as Plain
from crossfw.models.network.torch_scratch import Model

class Backend(Plain):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        torch.set_num_threads(requested_threads() + 1)
"""


def test_a_run_finds_a_sync_that_does_not_wait_and_a_worker_with_more_threads(tmp_path):
    files = {"mxnet-hasty": NEVER_WAITS, "torch-greedy": MORE_THREADS}
    for name, body in files.items():
        (tmp_path / f"{name}.py").write_text(body)
    names = ["torch-nn", "mxnet-gluon", *(f"{name}={tmp_path / name}.py" for name in files)]
    results, code, screen = run_quietly(
        tasks=(write_task(tmp_path),), out=tmp_path / "out", implementations=parse_implementations(names)
    )
    (task,) = results["tasks"]
    (failure,) = task["failures"]
    assert (failure["implementation"], failure["stage"]) == ("mxnet-hasty", "throughput")
    assert "of the work still to be done" in failure["reason"]
    assert (code, task["verdict"]) == (2, "incomplete")
    measured = {row["implementation"] for row in task["throughput"]}
    assert measured == {"mxnet-gluon", "torch-nn", "torch-greedy"}
    unequal = [warning for warning in task["warnings"] if "runs with other threads" in warning]
    assert len(unequal) == 1
    assert unequal[0].startswith("torch-greedy runs with other threads than the 1 that all were given: 2 by")


@pytest.mark.parametrize(
    ("suite", "tasks", "effort"),
    [("quick", (), GLANCE), ("quick", ("lm_rnn",), NAMED), ("full", (), FULL), ("full", ("lm_rnn",), NAMED)],
)
@pytest.mark.usefixtures("_as_asked_for")
def test_tasks_that_are_named_get_the_most_time(tmp_path, suite, tasks, effort):
    options = RunOptions(tasks=tasks, out=tmp_path, suite=suite)
    work = Work(find_task("lm_rnn"), options)
    assert SpeedTest(work, None, set(), lambda: None).effort == effort
    assert GLANCE.budget < FULL.budget < NAMED.budget


@pytest.mark.usefixtures("_as_asked_for")
def test_a_run_tells_how_its_speed_was_measured(tmp_path):
    task_file = write_task(tmp_path, activation='"sigmoid"')
    results, code, _ = run_quietly(tasks=(task_file,), out=tmp_path / "out")
    (task,) = results["tasks"]
    measurement, rows = task["measurement"], task["throughput"]
    assert code == 0
    assert set(measurement["read_back"]) == {
        *("mxnet-scratch", "mxnet-gluon", "torch-scratch", "torch-nn", "torch-nn (A/A)")
    }
    assert {facts["threads"] for facts in measurement["read_back"].values()} == {1}
    assert {tuple(facts["cpus"]) for facts in measurement["read_back"].values()} == {tuple(measurement["cpus"])}
    assert not [warning for warning in task["warnings"] if "threads" in warning or "CPUs" in warning]
    assert set(measurement["rates"]) == {"mxnet", "torch"}
    assert measurement["steps_cells"] == ["mxnet-gluon", "torch-nn"]  # neither library's layer has this activation
    assert measurement["budget_seconds"] == NAMED.budget
    for row in rows:
        assert row["limit_fraction"] > 0
        assert row["limit_by"] in ("operations", "bytes")
        assert row["first_step_seconds"] > 0
        assert row["build_seconds"] > 0
        assert row["memory_per_step_bytes"] is not None
    for mode, found in measurement["modes"].items():
        assert {len(row["samples"]) for row in rows if row["mode"] == mode} == {found["rounds"]}
        assert set(found["small_products"]) == set(measurement["read_back"])
        assert all(1e3 < per_second < 1e6 for per_second in found["small_products"].values())
    assert measurement["modes"]["train"]["operations"] > measurement["modes"]["infer"]["operations"] > 0
    report = (tmp_path / "out" / "report.md").read_text()
    assert "5 workers in turn on the same arrays, each with 1 thread in OpenMP, BLAS and MXNet's operators" in report
    assert all(line in report for line in measured.how(task))

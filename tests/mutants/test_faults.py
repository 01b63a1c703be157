"""The checker is checked: each seeded fault makes `run` exit with 1 and is found at the stage where it is."""

from __future__ import annotations

import io
from unittest import mock

import pytest
from rich.console import Console

from crossfw.harness.options import RunOptions, parse_implementations
from crossfw.harness.run import run
from tests.mutants.faults import FAULTS, write_fault
from tests.mutants.parts import FAULTS as FAULTS_OF_PARTS
from tests.mutants.parts import TASKS, write_part_task
from tests.sampling import sample
from tests.tasks import write_task

pytestmark = pytest.mark.usefixtures("without_speed")
CASES = sample(
    (fault, framework, style) for fault in FAULTS for style in fault.styles for framework in ("torch", "mxnet")
)


@pytest.mark.parametrize(("fault", "framework", "style"), CASES, ids=lambda value: getattr(value, "name", value))
def test_a_seeded_fault_is_found_where_it_is(tmp_path, fault, framework, style):
    with mock.patch("crossfw.harness.run.write_report"):  # those of faults in parts are written
        check(tmp_path, write_task(tmp_path), fault, framework, write_fault(fault, framework, style, tmp_path))


@pytest.mark.parametrize(
    ("name", "optimizer", "fault"), sample(FAULTS_OF_PARTS), ids=lambda value: getattr(value, "name", value)
)
@pytest.mark.parametrize("framework", ["torch", "mxnet"])
def test_a_fault_in_a_part_is_found_where_it_is(tmp_path, name, optimizer, fault, framework):
    model = "encoder_decoder" if name == "translator" else "network"
    file = write_fault(fault, framework, "scratch", tmp_path, model)
    check(tmp_path, write_part_task(tmp_path, name, optimizer), fault, framework, file)
    assert (tmp_path / "report" / "index.html").exists()


def check(tmp_path, task_file, fault, framework, file) -> None:
    """The run exits with 1, and names the stage."""
    options = RunOptions(
        tasks=(task_file,),
        out=tmp_path / "report",
        implementations=parse_implementations([f"{framework}-port={file}"]),
        threads=1,
    )
    results, code = run(options, ["crossfw"], Console(file=io.StringIO()))
    (task,) = results["tasks"]
    assert task["failures"] == []
    assert (code, task["verdict"]) == (1, "disagree")
    assert (
        task["first_divergence"][0]["stage"] == fault.stage if task["first_divergence"] else fault.stage == "trajectory"
    )
    assert f"{framework}-port" in task["reason"]
    assert f" {fault.stage}" in task["reason"]


@pytest.mark.parametrize("framework", ["torch", "mxnet"])
def test_a_true_port_is_not_flagged(tmp_path, framework):
    """The same files without a fault."""
    file = tmp_path / "port.py"
    file.write_text(f"from crossfw.models.network.{framework}_scratch import Model\n")
    options = RunOptions(
        tasks=(write_task(tmp_path),),
        out=tmp_path / "report",
        implementations=parse_implementations([f"{framework}-port={file}"]),
        threads=1,
    )
    results, code = run(options, ["crossfw"], Console(file=io.StringIO()))
    assert (code, results["tasks"][0]["verdict"]) == (0, "agree")


@pytest.mark.parametrize("framework", ["torch", "mxnet"])
@pytest.mark.parametrize("name", TASKS)
def test_a_true_port_of_a_part_is_not_flagged(tmp_path, name, framework):
    """The tasks of the parts, without a fault."""
    file = tmp_path / "port.py"
    model = "encoder_decoder" if name == "translator" else "network"
    file.write_text(f"from crossfw.models.{model}.{framework}_scratch import Model\n")
    options = RunOptions(
        tasks=(write_part_task(tmp_path, name, "adam"),),
        out=tmp_path / "report",
        implementations=parse_implementations([f"{framework}-port={file}"]),
        threads=1,
    )
    results, code = run(options, ["crossfw"], Console(file=io.StringIO()))
    assert (code, results["tasks"][0]["verdict"]) == (0, "agree"), results["tasks"][0]["reason"]

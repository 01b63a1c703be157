"""The D2L audit: every name has a case or a reason, imports work, judgements are strict."""

from __future__ import annotations

import csv
import subprocess
import sys

import pytest

from audits.d2l.case import AuditCase, Known
from audits.d2l.cases import CASES, find, port_of
from audits.d2l.imports import StandIn, missing
from audits.d2l.rows import AGREES, DIFFERS, FAILED, KNOWN, NOT_COMPARED, AuditRow, Finding, exit_code, judge
from audits.d2l.run import port_file
from audits.d2l.sources import in_both
from audits.d2l.write import write_report
from crossfw.errors import CrossfwError
from crossfw.ports.portfile import Port, read_port

PLAIN, EXPECTED = AuditCase("RNN", port={}), AuditCase("RNN", port={}, known=Known("forward", "relu, not tanh"))


def test_every_class_and_function_that_both_define_has_a_case_or_a_reason():
    assert sorted({case.definition for case in CASES}) == sorted(in_both())


def test_a_case_is_compared_or_says_why_not():
    for case in CASES:
        assert (case.kind == "none") == bool(case.reason), case.name


def test_names_are_unique():
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("name", [case.name for case in CASES if case.kind == "model"])
def test_a_model_case_is_a_whole_port(name):
    port = Port(port_of(name), name)
    assert all(callable(port.of(framework, "model")) for framework in ("mxnet", "torch"))
    inputs, _ = port.draw(0, port.sizes[0])
    assert inputs is not None
    if find(name).mended is not None:
        Port(port_of(name, mended=True), name)


@pytest.mark.parametrize("case", [case for case in CASES if case.kind == "model"], ids=lambda case: case.name)
def test_a_model_case_has_its_port_files(case):
    for mended in (False, True) if case.mended is not None else (False,):
        assert read_port(str(port_file(case.name, mended))).setting("inputs", None)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("d2l_mxnet().RNN(4).rnn", "RNN("),
        ("d2l_mxnet().np.zeros(())", "0."),
        ("d2l_torch().RNN(3, 4).rnn", "RNN(3, 4)"),
        ("'torchvision' in (d2l_torch() and __import__('sys').modules)", "False"),
    ],
)
def test_imports_in_a_process_of_their_own(call, words):
    code = f"from audits.d2l.imports import *; print({call})"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert words in done.stdout


def test_what_uses_torchvision_is_told_so():
    with pytest.raises(CrossfwError, match="stand-in for torchvision"):
        _ = StandIn("torchvision.transforms").ToTensor


def test_a_missing_extra_names_the_command():
    assert "crossfw[d2l" in missing("d2l").remedy


@pytest.mark.parametrize(
    ("case", "finding", "mended", "verdict"),
    [
        (PLAIN, Finding(None, ""), None, AGREES),
        (PLAIN, Finding("forward", ""), None, DIFFERS),
        (PLAIN, None, None, NOT_COMPARED),
        (PLAIN, Finding(None, "", failed=True), None, FAILED),
        (EXPECTED, Finding("forward", ""), None, KNOWN),
        (EXPECTED, Finding("forward", ""), Finding(None, ""), KNOWN),
        (EXPECTED, Finding("forward", ""), Finding("loss", ""), DIFFERS),
        (EXPECTED, Finding("loss", ""), Finding(None, ""), DIFFERS),
        (EXPECTED, Finding(None, ""), Finding(None, ""), DIFFERS),
    ],
)
def test_a_known_difference_must_be_found_where_it_is_known_and_gone_without_its_cause(case, finding, mended, verdict):
    assert judge(case, finding, mended) == verdict


def _row(case: AuditCase, finding: Finding | None) -> AuditRow:
    return AuditRow.of(case, in_both()["RNN"], finding, None)


def test_exit_codes():
    agrees, differs = _row(PLAIN, Finding(None, "all")), _row(PLAIN, Finding("loss", "twice"))
    known, failed = _row(EXPECTED, Finding("forward", "")), _row(PLAIN, Finding(None, "gone", failed=True))
    assert exit_code([agrees, known]) == 0
    assert exit_code([agrees, differs, failed]) == 1
    assert exit_code([agrees, failed]) == 2


def test_the_report_holds_every_row_and_cause(tmp_path):
    write_report([_row(EXPECTED, Finding("forward", "error 1.9")), _row(PLAIN, Finding("loss", "a | b"))], tmp_path)
    with open(tmp_path / "audit.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["verdict"] for row in rows] == [KNOWN, DIFFERS]
    for name in ("report.md", "index.html"):
        text = (tmp_path / name).read_text()
        assert "relu, not tanh" in text
        assert "mxnet.py:815" in text

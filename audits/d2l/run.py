"""The D2L audit, run: every case compared, and a folder with the table."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from audits.d2l.case import AuditCase
from audits.d2l.cases import CASES, find
from audits.d2l.compute import MENDED, computations, differences
from audits.d2l.rows import AuditRow, Finding, exit_code
from audits.d2l.sources import in_both
from audits.d2l.write import write_report
from crossfw.errors import CrossfwError
from crossfw.frameworks.threads import environment
from crossfw.verification import verify_file

ROOT, PORTS = Path(__file__).resolve().parents[2], Path(__file__).resolve().parent / "ports"


def run_audit(
    names: Iterable[str],
    out: Path,
    pythons: dict[str, str],
    threads: int = 1,
    advance: Callable[[str], None] = lambda _: None,
) -> tuple[list[AuditRow], int]:
    """Compare the named cases (all without names), write the report into `out`; the rows and the exit code.

    Raises:
        CrossfwError: d2l is missing, there is no case of a name, or a side of the computations ends early.
    """
    cases = [find(name) for name in names] or list(CASES)
    places, findings = in_both(), computed(cases, pythons, threads, advance)
    for case in cases:
        if case.kind == "model":
            advance(case.name)
            findings[case.name] = verified(port_file(case.name), pythons, threads)
            if case.mended is not None:
                findings[case.name + MENDED] = verified(port_file(case.name, mended=True), pythons, threads)
    rows = [
        AuditRow.of(case, places[case.definition], findings.get(case.name), findings.get(case.name + MENDED))
        for case in cases
    ]
    write_report(rows, out)
    return rows, exit_code(rows)


def port_file(name: str, mended: bool = False) -> Path:
    """The port file of a model."""
    return PORTS / (re.sub(r"\W+", "_", name).strip("_") + "_mended" * mended + ".py")


def verified(path: Path, pythons: dict[str, str], threads: int) -> Finding:
    """The verdict on a port file."""
    try:
        verdict = verify_file(path, pythons, threads)
    except CrossfwError as error:
        return Finding(None, f"{error.asked}: {error.found}", failed=True)
    return Finding(verdict.stage, verdict.reason)


def computed(
    cases: list[AuditCase], pythons: dict[str, str], threads: int, advance: Callable[[str], None]
) -> dict[str, Finding]:
    """The findings of all computations among the cases, by name and name + MENDED."""
    wanted = {case.name for case in cases if case.kind == "function"}
    if not wanted:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        sides = {}
        for framework in ("mxnet", "torch"):
            advance(f"computations of {framework}")
            sides[framework] = one_side(framework, Path(folder) / f"{framework}.npz", pythons, threads)
    found = {}
    for name, computation in computations().items():
        if name.replace(MENDED, "") in wanted:
            faults = differences(name, computation.dtype, sides["mxnet"], sides["torch"])
            found[name] = Finding("outputs" if faults else None, "; ".join(faults) or "every output agrees")
    return found


def one_side(framework: str, out: Path, pythons: dict[str, str], threads: int) -> dict[str, np.ndarray]:
    """What `compute.py` gives for a framework, in a process of its own.

    Raises:
        CrossfwError: the process fails; with its last words.
    """
    command = [pythons.get(framework, sys.executable), "-m", "audits.d2l.compute", framework, str(out)]
    variables = {**os.environ, **environment(threads)}
    done = subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        words = (done.stderr.strip().splitlines() or ["no words"])[-3:]
        raise CrossfwError(
            f"the D2L audit's {framework} side", " ".join(words), "pip install 'crossfw[d2l,mxnet,torch]'"
        )
    with np.load(out) as arrays:
        return dict(arrays)

"""`crossfw doctor`: start every framework for real, and say what is missing and how to mend it."""

from __future__ import annotations

import importlib.util
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from crossfw.data.corpora import CORPORA, PARALLEL_CORPORA, locate
from crossfw.data.lyrics import JAY_CHOU
from crossfw.errors import CrossfwError
from crossfw.harness.cells import explain
from crossfw.harness.workers import start_worker
from crossfw.models import Implementation, spec_class
from crossfw.workers.client import WorkerError

PROBES = ("numpy", "mxnet-scratch", "torch-scratch")
OPTIONAL = {"d2l": "d2l", "pytest": "test", "hypothesis": "test"}


@dataclass(frozen=True)
class Finding:
    """One line of the examination; `remedy` is empty where all is well, `needed` says whether a run needs it."""

    what: str
    state: str
    remedy: str = ""
    needed: bool = True


def examine_framework(name: str, python: str | None) -> Finding:
    """Start a worker, build a small model, run a step forward."""
    try:
        with start_worker(Implementation(name), python) as worker:
            spec = asdict(spec_class("network")(input_size=3, hidden_size=2, output_size=3))
            worker.call("build", model="network", spec=spec, dtype="float64", device="cpu")
            facts = worker.call("environment")
    except (WorkerError, OSError) as error:
        reason = explain(error) if isinstance(error, WorkerError) else str(error)
        framework = Implementation(name).framework
        return Finding(framework, f"cannot run: {reason}", f"pip install 'crossfw[{framework}]'")
    framework = Implementation(name).framework
    pools = ", ".join(f"{pool} {threads}" for pool, threads in facts["thread_pools"].items())
    versions = f"{facts[framework]} on Python {facts['python']}, NumPy {facts['numpy']}"
    return Finding(framework, f"runs: {versions}; threads: {facts['threads']}" + (f" ({pools})" if pools else ""))


def examine_corpora(data_dir: Path | None) -> list[Finding]:
    """Where each corpus would come from; none is downloaded."""
    findings = []
    for name in (*CORPORA, *PARALLEL_CORPORA, JAY_CHOU):
        try:
            place = locate(name, data_dir)
        except CrossfwError as error:
            findings.append(Finding(f"corpus {name}", error.found, error.remedy))
            continue
        remedy = "" if place else "name its folder with --data-dir or CROSSFW_DATA, or run where there is a network"
        findings.append(Finding(f"corpus {name}", place or "not here; a run tries to download it", remedy, False))
    return findings


def examine(pythons: dict[str, str], data_dir: Path | None = None) -> int:
    """Print the examination; 0 if everything that a run needs is there, else 2."""
    findings = [examine_framework(name, pythons.get(Implementation(name).framework)) for name in PROBES]
    findings += examine_corpora(data_dir)
    for module, extra in OPTIONAL.items():
        present = importlib.util.find_spec(module) is not None
        remedy = "" if present else f"pip install 'crossfw[{extra}]'"
        findings.append(Finding(module, "installed" if present else "not installed (optional)", remedy, False))
    table = Table("what", "state", "to mend it", title="crossfw doctor", title_justify="left")
    for finding in findings:
        table.add_row(finding.what, finding.state, finding.remedy.replace("[", "\\["))
    console = Console()
    console.print(table)
    broken = [finding.what for finding in findings if finding.remedy and finding.needed]
    absent = [finding.what for finding in findings if finding.remedy and finding.what.startswith("corpus")]
    rest = f"; without {', '.join(absent)} the tasks that read them are skipped" if absent else ""
    console.print(f"cannot run: {', '.join(broken)}" if broken else f"everything that a run needs is here{rest}")
    return 2 if broken else 0

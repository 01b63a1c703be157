"""The cells of one task: which there are, and what each computes. A finished cell is read back, not run again."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Callable

from crossfw.agreement import examples
from crossfw.agreement.causality import change_through_the_future
from crossfw.agreement.record import Interrupted, record
from crossfw.agreement.trace import Trace
from crossfw.harness.crew import Crew, Job
from crossfw.harness.store import Store
from crossfw.harness.work import Work
from crossfw.models import Implementation
from crossfw.results.schema import Failure
from crossfw.training.curves import TrainingPlan, train
from crossfw.workers.client import (
    PACKAGE,
    CallFailed,
    WorkerDied,
    WorkerError,
)

DTYPES = ("float64", "float32")


def plan_name(implementation: str, plan: TrainingPlan) -> str:
    """The file name of a training cell."""
    return (
        f"{implementation}.training.{plan.dtype}.seed{plan.seed}{'.perturbed' if plan.perturbed else ''}"
        f"{'.evaluated' if plan.evaluated else ''}.e{plan.epochs}"
    )


@dataclass
class Cells:
    """Runs the cells of a task's agreement and training, and holds what they gave."""

    work: Work
    store: Store
    crew: Crew
    advance: Callable[[], None]
    traces: dict[str, Trace] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    def jobs(self, implementation: Implementation) -> list[Job]:
        """All cells of one implementation: agreement, then training, the longest first so that it is not last."""
        agreement = [lambda dtype=dtype: self.agreement(implementation, dtype) for dtype in DTYPES]
        longest_first = sorted(self.work.plans(implementation), key=lambda plan: plan.epochs, reverse=True)
        training = [lambda plan=plan: self.training(implementation, plan) for plan in longest_first]
        return agreement + training

    def ticks(self, implementation: Implementation) -> int:
        """How often `advance` is called by its jobs: once per agreement cell and per epoch."""
        return len(DTYPES) + sum(plan.epochs for plan in self.work.plans(implementation))

    def agreement(self, implementation: Implementation, dtype: str) -> None:
        """Stages 0 to 7 in one dtype; in float64 also causality and worked examples."""
        work = self.work

        def compute(worker: Any) -> Trace:
            trace = record(worker, work.task.model.kind, work.shared, dtype, work.options.device)
            if dtype == "float64":
                trace.facts["causality"] = change_through_the_future(worker, work.shared)
                if work.task.example:
                    trace.facts["examples"] = examples.compute(worker, work.task, work.spec, work.options.device)
            return trace

        self._cell(implementation, f"{implementation.name}.agreement.{dtype}", {"dtype": dtype}, compute)
        self.advance()

    def training(self, implementation: Implementation, plan: TrainingPlan) -> None:
        """One training cell."""
        work, ticked = self.work, 0

        def tick() -> None:
            nonlocal ticked
            ticked += 1
            self.advance()

        def compute(worker: Any) -> Trace:
            return train(worker, work.task, work.dataset, work.spec, plan, tick)

        self._cell(implementation, plan_name(implementation.name, plan), asdict(plan), compute)
        for _ in range(plan.epochs - ticked):
            self.advance()

    def _cell(self, implementation: Implementation, name: str, plan: dict, compute: Callable[[Any], Trace]) -> None:
        key = self.work.cell_key(implementation, plan)
        trace = self.store.load(self.work.task.name, name, key)
        if trace is None:
            try:
                with self.crew.lend(implementation) as worker:
                    trace = compute(worker)
            except (WorkerError, Interrupted) as error:
                stage = name[len(implementation.name) + 1 :]
                if isinstance(error, Interrupted):
                    self.traces[name], error = error.trace, error.error
                self.failures.append(Failure(implementation=implementation.name, stage=stage, reason=explain(error)))
                return
            self.store.save(self.work.task.name, name, key, trace)
        self.traces[name] = trace


def explain(error: WorkerError) -> str:
    """One line for the report.

    A framework that cannot be imported gets the command that installs it, one of crossfw's own errors what was found,
    another exception the place where it was raised, a process that died its last words.
    """
    if isinstance(error, CallFailed) and error.kind in ("ModuleNotFoundError", "ImportError"):
        for framework in ("mxnet", "torch"):
            if f"'{framework}'" in error.reason:
                return f"{framework} is not installed in the worker's Python: pip install 'crossfw[{framework}]'"
    if isinstance(error, CallFailed) and error.told:
        asked, found, _ = error.told
        return f"{asked}: {found}"
    reason = error.reason.strip().splitlines()[0]
    if isinstance(error, CallFailed):
        places = re.findall(r'File "([^"]+)", line (\d+), in (\S+)', error.detail)
        own = [place for place in places if PACKAGE not in Path(place[0]).parents and "site-packages" not in place[0]]
        if places:
            file, line, function = (own or places)[-1]
            return f"{reason} ({Path(file).name}, line {line}, in {function})"
    last = error.detail.strip().splitlines()[-1:] if isinstance(error, WorkerDied) else []
    return f"{reason} (its last words: {last[0].strip()})" if last else reason

"""The throughput of a task: a contest of fresh workers, and memory in a pass of its own."""

from __future__ import annotations

from typing import Any, Callable

from crossfw.backends.client import WorkerError
from crossfw.harness.cells import explain
from crossfw.harness.crew import Crew, run_side_by_side
from crossfw.harness.work import Work
from crossfw.models import REFERENCE, Implementation
from crossfw.schema import Failure, ThroughputRow
from crossfw.throughput import measure
from crossfw.throughput.rounds import Contest
from crossfw.training.curves import make_ready, recipe_weights

ROUNDS = {"quick": 5, "full": 30}
BUDGET_SECONDS = {"quick": 1.2, "full": 8.0}  # of a mode


class SpeedTest:
    """Measures the implementations of a task that could be compared."""

    def __init__(self, work: Work, crew: Crew, names: set[str], advance: Callable[[], None]):
        self.work, self.crew, self.advance = work, crew, advance
        self.implementations = [i for i in work.options.implementations if i.name in names and i.name != REFERENCE]
        self.rounds = ROUNDS[work.options.suite]
        self.failures: list[Failure] = []

    @property
    def ticks(self) -> int:
        """How often `advance` is called."""
        return len(measure.MODES) * self.rounds + (len(self.implementations) if self.work.measures_memory else 0)

    def prepare(self, worker: Any) -> None:
        """The task's model with its initial weights, in a worker."""
        work, options = self.work, self.work.options
        make_ready(worker, work.task, work.spec, options.dtype, options.device, recipe_weights(work.task, work.spec, 0))

    def run(self) -> list[ThroughputRow]:
        """All rows; an implementation that fails is left out of a new contest, with a failure in its name."""
        memory = self.memory() if self.work.measures_memory else {i.name: None for i in self.implementations}
        ready = [i for i in self.implementations if i.name in memory]
        while ready:
            try:
                return self.contest(ready, memory)
            except WorkerError as error:
                self.fail(error, "throughput")
                ready = [i for i in ready if i.name != error.implementation]
        return []

    def contest(self, ready: list[Implementation], memory: dict[str, int | None]) -> list[ThroughputRow]:
        """Rounds in both modes, and each framework's own matrix product."""
        control = next((i for i in ready if i.name == "torch-nn"), ready[-1])
        backends = {i.name: self.crew.worker(i) for i in ready}
        backends[control.name + measure.CONTROL] = self.crew.worker(control, measure.CONTROL)
        for worker in backends.values():
            self.prepare(worker)
        contest = Contest(backends, self.work.batch, self.work.spec.tokens(self.work.batch))
        budget = BUDGET_SECONDS[self.work.options.suite]
        samples = [contest.run(mode, self.rounds, budget, self.advance) for mode in measure.MODES]
        limits = {
            i.name: backends[i.name].call("matrix_rate", size=measure.MATRIX_SIZE, repeats=measure.MATRIX_REPEATS)
            for i in ready
        }
        batch, spec = self.work.batch, self.work.spec
        padding = batch["inputs"].shape[0] * batch["inputs"].shape[1] / spec.tokens(batch)  # steps computed for a token
        flops = {mode: count * padding for mode, count in spec.flops_per_step().items()}
        return [row for s in samples for row in measure.rows_of(s, control.name, flops, limits, memory)]

    def fail(self, error: WorkerError, stage: str) -> None:
        """Note a failure in the name of the implementation whose worker it was."""
        self.failures.append(Failure(implementation=error.implementation, stage=stage, reason=explain(error)))

    def memory(self) -> dict[str, int | None]:
        """Peak bytes above the idle worker in training, by implementation, each in a fresh process."""
        found: dict[str, int | None] = {}

        def measure_one(implementation: Implementation) -> None:
            role = " (memory)"
            try:
                worker = self.crew.worker(implementation, role)
                self.prepare(worker)
                worker.call("prepare_timing", batch=self.work.batch)
                seen = worker.call("peak_memory", mode="train", steps=measure.MEMORY_STEPS)
                found[implementation.name] = max(0, seen["peak"] - seen["idle"]) if seen else None
            except WorkerError as error:
                self.fail(error, "memory")
            finally:
                self.crew.dismiss(implementation.name + role)
                self.advance()

        queues = [[lambda i=i: measure_one(i)] for i in self.implementations]
        run_side_by_side(self.crew, queues, self.work.options.threads)
        return found

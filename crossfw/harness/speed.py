"""The throughput of a task: a contest of fresh workers, and memory in a pass of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Any, Callable

import numpy as np

from crossfw.harness.cells import explain
from crossfw.harness.crew import Crew, run_side_by_side
from crossfw.harness.machine import Conditions, disturbances
from crossfw.harness.work import Work
from crossfw.models import REFERENCE, Implementation
from crossfw.models.cost import Cost
from crossfw.results.schema import (
    Failure,
    Measurement,
    ModeMeasurement,
    ThroughputRow,
)
from crossfw.throughput import measure
from crossfw.throughput.fairness import misfits
from crossfw.throughput.measure import Beside
from crossfw.throughput.rounds import Contest, Samples
from crossfw.throughput.timing import LONGER
from crossfw.training.curves import make_ready, recipe_weights
from crossfw.workers.client import WorkerError


@dataclass(frozen=True)
class SpeedResult:
    """The rows of a task, and how they were measured."""

    rows: list[ThroughputRow]
    measurement: Measurement | None

    @property
    def warnings(self) -> list[str]:
        """What a reader must know before believing the rows."""
        if self.measurement is None:
            return []
        noisy = measure.control_warning(self.rows, self.measurement["budget_seconds"])
        return ([noisy] if noisy else []) + self.measurement["warnings"]


class SpeedTest:
    """Measures the implementations of a task that could be compared."""

    def __init__(self, work: Work, crew: Crew, names: set[str], advance: Callable[[], None]):
        self.work, self.crew, self.advance = work, crew, advance
        self.implementations = [i for i in work.options.implementations if i.name in names and i.name != REFERENCE]
        self.effort = work.effort
        self.failures: list[Failure] = []

    @property
    def ticks(self) -> int:
        """How often `advance` is called."""
        return len(measure.MODES) * self.effort.rounds + (len(self.implementations) if self.work.measures_memory else 0)

    def prepare(self, worker: Any) -> None:
        """The task's model with its initial weights, in a worker."""
        work, options = self.work, self.work.options
        make_ready(worker, work.task, work.spec, options.dtype, options.device, recipe_weights(work.task, work.spec, 0))

    def run(self) -> SpeedResult:
        """Everything; an implementation that fails is left out of a new contest, with a failure in its name."""
        memory = self.memory() if self.work.measures_memory else {i.name: Beside() for i in self.implementations}
        ready = [i for i in self.implementations if i.name in memory]
        while ready:
            try:
                return self.contest(ready, memory)
            except WorkerError as error:
                self.fail(error, "throughput")
                ready = [i for i in ready if i.name != error.worker]
        return SpeedResult([], None)

    def contest(self, ready: list[Implementation], memory: dict[str, Beside]) -> SpeedResult:
        """Rounds in both modes, what the machine can do in each framework, and what the workers read back."""
        control = next((i for i in ready if i.name == "torch-nn"), ready[-1])
        new = any(i.name not in self.crew.workers for i in ready)
        workers = {i.name: self.crew.worker(i) for i in ready}
        workers[control.name + measure.CONTROL] = self.crew.worker(control, measure.CONTROL)
        if new:  # together, because each has to import its framework
            with ThreadPoolExecutor(len(workers)) as pool:
                list(pool.map(self.prepare, workers.values()))
        for worker in workers.values():  # alone, because the time to build is told
            self.prepare(worker)
            worker.call("check_sync_of_product")
        batch, spec = self.work.batch, self.work.spec
        enough = partial(measure.narrow_enough, control=control.name)
        effort = self.effort
        contest, before = (
            Contest(workers, batch, spec.tokens(batch), enough, effort.visit),
            Conditions.now(self.crew.cpus),
        )
        samples = [contest.run(mode, effort.rounds, effort.budget, self.advance) for mode in measure.MODES]
        disturbed = disturbances(before, Conditions.now(self.crew.cpus))
        optimizer, itemsize = self.work.task.recipe.optimizer, np.dtype(self.work.options.dtype).itemsize
        costs = spec.counts(batch).costs(itemsize, len(optimizer.state_names()))
        rates = self.rates(ready, measure.copied_bytes(costs["train"], self.work.options.device))
        beside = {
            i.name: replace(
                memory[i.name], build_seconds=workers[i.name].call("build_seconds"), rates=rates[i.framework]
            )
            for i in ready
        }
        rows = [row for s in samples for row in measure.rows_of(s, control.name, costs[s.mode], contest.tokens, beside)]
        read_back = {name: worker.call("environment") for name, worker in workers.items()}
        stepping = [i.name for i in ready if workers[i.name].call("steps_cells")]
        return SpeedResult(rows, self.measurement(samples, costs, rates, read_back, stepping, disturbed))

    def rates(self, ready: list[Implementation], copied: int) -> dict[str, dict[str, float]]:
        """The machine's own speed in each framework, as the first of its implementations sees it."""
        first = {implementation.framework: implementation for implementation in reversed(ready)}
        size = measure.MATRIX_SIZE[self.work.options.device.partition(":")[0]]
        how = {"size": size, "copied": copied, "seconds": measure.RATE_SECONDS}
        return {name: self.crew.worker(first[name]).call("machine_rates", **how) for name in sorted(first)}

    def measurement(
        self,
        samples: list[Samples],
        costs: dict[str, Cost],
        rates: dict[str, dict[str, float]],
        read_back: dict[str, dict[str, Any]],
        stepping: list[str],
        disturbed: list[str],
    ) -> Measurement:
        """How it was done, and what was not as it should be."""
        threads, cpus = self.work.options.threads, list(self.crew.cpus)
        return Measurement(
            budget_seconds=self.effort.budget,
            width=measure.WIDTH,
            threads=threads,
            cpus=cpus,
            read_back=read_back,
            modes={
                s.mode: ModeMeasurement(
                    rounds=len(next(iter(s.by_name.values()))),
                    precise=bool(s.enough),
                    operations=costs[s.mode].operations,
                    bytes=costs[s.mode].bytes,
                    small_products={name: median(seen) for name, seen in s.small_products.items()},
                )
                for s in samples
            },
            rates=rates,
            steps_cells=stepping,
            warnings=[*misfits(read_back, threads, cpus), *disturbed],
        )

    def fail(self, error: WorkerError, stage: str) -> None:
        """Note a failure in the name of the implementation whose worker it was."""
        self.failures.append(Failure(implementation=error.worker, stage=stage, reason=explain(error)))

    def memory(self) -> dict[str, Beside]:
        """Peak bytes above the idle worker in training and their growth, by implementation, each in a fresh process."""
        found: dict[str, Beside] = {}
        added_steps = (LONGER - 1) * len(self.work.batch["inputs"])

        def measure_one(implementation: Implementation) -> None:
            role = " (memory)"
            try:
                worker = self.crew.worker(implementation, role)
                self.prepare(worker)
                worker.call("prepare_timing", batch=self.work.batch)
                seen = worker.call("peak_memory", mode="train", steps=measure.MEMORY_STEPS)
                found[implementation.name] = Beside()
                if seen:
                    growth = (seen["longer"] - seen["peak"]) / added_steps
                    peak = max(0, seen["peak"] - seen["idle"])
                    found[implementation.name] = Beside(peak_memory_bytes=peak, memory_per_step_bytes=growth)
            except WorkerError as error:
                self.fail(error, "memory")
            finally:
                self.crew.dismiss(implementation.name + role)
                self.advance()

        queues = [[lambda i=i: measure_one(i)] for i in self.implementations]
        run_side_by_side(self.crew, queues, self.work.options.threads)
        return found

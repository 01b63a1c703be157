"""`crossfw run`: every task through agreement, training and throughput, and a report that is whole at every moment."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import datetime, timezone

from rich.console import Console

from crossfw import __version__
from crossfw.agreement.examples import broken_examples
from crossfw.agreement.verdict import conclude, first_divergences
from crossfw.catalogue import find_task, task_names
from crossfw.data import CorpusUnavailable
from crossfw.errors import CrossfwError
from crossfw.frameworks.threads import choose_cpus
from crossfw.harness.cells import Cells, explain
from crossfw.harness.conclude import Conclusion
from crossfw.harness.crew import Crew, run_side_by_side
from crossfw.harness.machine import describe_machine
from crossfw.harness.options import RunOptions, missing_frameworks
from crossfw.harness.outcome import empty_result, exit_code, left_out
from crossfw.harness.progress import RunProgress
from crossfw.harness.published import example_rows, trained_rows
from crossfw.harness.speed import SpeedResult, SpeedTest
from crossfw.harness.store import Store
from crossfw.harness.sweep import Outcome, check_sweeps, run_sweeps
from crossfw.harness.work import Work
from crossfw.models import Implementation
from crossfw.report.write import write_report
from crossfw.results.schema import (
    SCHEMA,
    Failure,
    Results,
    TaskResult,
)
from crossfw.workers.client import WorkerError

AGREEMENT_SHARE = 0.5  # of a task's time, roughly; for the time left
REPORT_SHARE = 0.02  # of the time of a run, at most, goes into reports before its last


class Run:
    """One run of `crossfw run`."""

    def __init__(self, options: RunOptions, command: list[str], console: Console, crew: Crew):
        self.options, self.console, self.crew = options, console, crew
        self.named = bool(options.tasks)
        self.skipped: dict[str, str] = {}
        self.work = [Work(find_task(name), options) for name in options.tasks or task_names()]
        self.missing = missing_frameworks(options.implementations, dict(options.pythons))
        if not options.resume:  # else there may be nothing left to do for them
            crew.start(self.present)
        for work in self.work:
            self.load_data(work)
        self.store = Store(options.out, options.resume)
        self.environments: dict[str, dict] = {}
        kept = self.store.earlier_results({work.task.name for work in self.work}) if options.resume else []
        self.results = Results(
            schema=SCHEMA,
            crossfw=__version__,
            created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            command=command,
            environment={
                "machine": describe_machine(),
                "threads_while_speed_is_measured": options.threads,
                "device": options.device,
                "dtype": options.dtype,
                "implementations": self.environments,
            },
            suite=options.suite,
            tasks=kept,
        )
        self.new: list[TaskResult] = []
        self.next_report, self.unreported = 0.0, False

    @property
    def present(self) -> list[Implementation]:
        """The implementations whose framework is here."""
        return [one for one in self.options.implementations if one.framework not in self.missing]

    def load_data(self, work: Work) -> None:
        """Read every task's data before anything runs, so that a mistake is told at once.

        Raises:
            CrossfwError: the data cannot be had; where a corpus is not on this machine and cannot be downloaded,
                only if the task was named, else the task will be skipped.
        """
        try:
            work.check()
            check_sweeps(work)
        except CorpusUnavailable as error:
            if self.named:
                raise
            self.skipped[work.task.name] = f"skipped: {error.found}. {error.remedy}"

    def execute(self) -> Results:
        """Run all tasks; the report is written as they end, and in any case at the end or where the run is ended."""
        pythons, threads = dict(self.options.pythons), self.options.threads
        racers = Crew(pythons, threads, choose_cpus(threads))
        with RunProgress(self.console, len(self.work)) as progress, racers:
            self.try_out()
            for framework, reason in self.missing.items():
                progress.say(f"the implementations of {framework} are left out: {reason}")
            try:
                for work in self.work:
                    result = self.run_task(work, racers, progress)
                    self.results["tasks"].append(result)
                    self.new.append(result)
                    self.unreported = True
                    if time.monotonic() >= self.next_report:
                        self.write_report()
                    progress.task_done(f"{work.task.name}: {result['verdict']}. {result['reason']}")
            finally:
                if self.unreported:
                    self.write_report()
        return self.results

    def write_report(self) -> None:
        """The report of all tasks so far, and when the next is due: with many tasks it takes seconds."""
        begun, self.unreported = time.monotonic(), False
        write_report(self.results, self.options.out)
        self.next_report = time.monotonic() + (time.monotonic() - begun) / REPORT_SHARE

    def try_out(self) -> None:
        """Build the first model with every implementation that is the user's own, or on a device that may be missing.

        MXNet's last release cannot use a card that torch can: it counts as missing then, if there is torch to run.

        Raises:
            CrossfwError: one of them cannot be built; it is told at once and not after the others have been measured.
        """
        torch = any(implementation.framework == "torch" for implementation in self.options.implementations)
        work = next((work for work in self.work if work.task.name not in self.skipped), None)
        for implementation in self.options.implementations if work else ():
            own, elsewhere = implementation.file is not None, self.options.device != "cpu"
            if implementation.framework in self.missing or not (own or elsewhere):
                continue
            arguments = {"model": work.task.model.kind, "spec": asdict(work.spec), "dtype": "float64"}
            try:
                self.crew.worker(implementation).call("build", **arguments, device=self.options.device)
            except WorkerError as error:
                if torch and implementation.framework == "mxnet" and not own:
                    self.missing["mxnet"] = f"mxnet cannot run on {self.options.device}: {explain(error)}"
                    continue
                asked = f"{implementation.name} on {self.options.device}"
                remedy = f"mend {implementation.file}" if own else "use --device cpu, or leave this implementation out"
                raise CrossfwError(asked, f"it cannot be built: {explain(error)}", remedy) from error

    def run_task(self, work: Work, racers: Crew, progress: RunProgress) -> TaskResult:
        """All cells of one task, and what they amount to."""
        task = work.task
        if task.name in self.skipped:
            reason = self.skipped[task.name]
            return empty_result(task, reason, [Failure(implementation="all", stage="data", reason=reason)])
        key = work.conclusion_key(sorted(self.missing))
        finished = self.store.load_conclusion(task.name, key)
        if finished is not None:
            self.environments.update(finished["environments"])
            progress.say(f"{task.name}: finished before, not run again")
            return finished["result"]
        cells = self.run_cells(work, progress)
        result = self.conclude(cells, racers, progress)
        if not result["failures"]:
            kept = {"result": result, "environments": self.environments}
            self.store.conclude(task.name, key, kept, self.options.keep_traces)
        return result

    def run_cells(self, work: Work, progress: RunProgress) -> Cells:
        """Agreement and training of all implementations, side by side.

        The reference comes last: at the end of a task a second process helps with it, and its start is the shortest.
        """
        cells, present = Cells(work, self.store, self.crew, progress.advance), self.present
        for implementation in self.options.implementations:
            if implementation.framework in self.missing:
                reason = self.missing[implementation.framework]
                cells.failures.append(Failure(implementation=implementation.name, stage="start", reason=reason))
        ticks = sum(cells.ticks(implementation) for implementation in present)
        what = "agreement"
        if work.epochs:
            setup = work.setup()
            what += f", and training for {setup['epochs run']} epochs, {setup['updates per epoch']} updates in each"
        progress.phase(f"{work.task.name}: {what}, {len(present)} implementations", ticks, AGREEMENT_SHARE)
        queues = [cells.jobs(implementation) for implementation in reversed(present)]
        run_side_by_side(self.crew, queues, self.options.threads)
        return cells

    def conclude(self, cells: Cells, racers: Crew, progress: RunProgress) -> TaskResult:
        """Compare, then measure the speed of what could be compared, then judge."""
        work, conclusion = cells.work, Conclusion(cells)
        rows, learning = conclusion.agreement(), conclusion.learning()
        if learning:
            rows += conclusion.trajectory_parameters(learning)
        for name, side in conclusion.sides("float64").items():
            self.environments[name] = side.trace.facts["environment"]
        compared = {row["implementation"] for row in rows if row["against"] != row["implementation"]}
        first, measured, swept = first_divergences(rows), SpeedResult([], None), Outcome()
        same = compared - {row["implementation"] for row in first}
        sound = same - {failure["implementation"] for failure in cells.failures}
        if work.epochs and sound:
            speed = SpeedTest(work, racers, sound, progress.advance)
            share = (1 - AGREEMENT_SHARE) / (1 + len(self.options.sweeps))
            what = f"throughput, up to {speed.effort.rounds} rounds or {speed.effort.budget:g} s per mode"
            progress.phase(f"{work.task.name}: {what}", speed.ticks, share)
            measured = speed.run()
            swept = run_sweeps(work, racers, sound, progress, share)
            cells.failures += speed.failures + swept.failures
            rows, first = rows + swept.differences, first + swept.differences
        failures = sorted(cells.failures + conclusion.curves.divergences(), key=conclusion.order_of_failures)
        speeds = {row["implementation"]: row["tokens_per_second"] for row in measured.rows if row["mode"] == "train"}
        worked = example_rows(conclusion)
        verdict = conclude(first, learning, failures, compared, conclusion.names, broken_examples(worked))
        return {
            **empty_result(work.task, verdict.reason, failures),
            "verdict": verdict.word,
            "setup": work.setup(),
            "agreement": rows,
            "perplexity": conclusion.curves.perplexity(),
            "throughput": measured.rows,
            "measurement": measured.measurement,
            "published": worked + trained_rows(conclusion, speeds),
            "first_divergence": list(verdict.first_divergence),
            "learning": learning,
            "causality": conclusion.causality(),
            "floor": work.dataset.floor,
            "measures": conclusion.curves.measures(),
            "samples": conclusion.curves.samples(),
            "notes": conclusion.notes(),
            "sweeps": swept.sweeps,
            "warnings": [*measured.warnings, *swept.warnings, *left_out(compared - same)],
        }


def run(options: RunOptions, command: list[str], console: Console) -> tuple[Results, int]:
    """Run, write the report, and give the results with the exit code.

    Raises:
        CrossfwError: wrong use, or an environment in which nothing can run.
    """
    with Crew(dict(options.pythons), 1) as crew:
        harness = Run(options, command, console, crew)
        results = harness.execute()
    return results, exit_code(harness.new, harness.named)

"""How speed scales: a task at several values of a setting, each first shown to be the same model, then timed."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Callable

from crossfw.agreement.bounds import Size, bound
from crossfw.agreement.compare import Side, compare
from crossfw.agreement.condition import condition_of
from crossfw.agreement.record import record_step
from crossfw.agreement.shared import make_shared
from crossfw.errors import CrossfwError
from crossfw.frameworks.threads import choose_cpus
from crossfw.harness.cells import explain
from crossfw.harness.crew import Crew
from crossfw.harness.machine import Conditions, disturbances
from crossfw.harness.progress import RunProgress
from crossfw.harness.swept import Swept
from crossfw.harness.variants import Variant, variant
from crossfw.harness.work import Work
from crossfw.models import REFERENCE, Implementation
from crossfw.report.facts import severity
from crossfw.results.schema import AgreementRow, Failure
from crossfw.results.schema_sweep import Sweep, SweepPoint, SweepRatio
from crossfw.throughput import measure, sweep
from crossfw.throughput.rounds import Contest, Samples
from crossfw.throughput.statistics import ratio_interval
from crossfw.training.curves import make_ready, recipe_weights
from crossfw.workers.client import WorkerError

EFFORTS = {  # of a value
    "quick": measure.Effort(9, 3.0, measure.GLANCE.visit),
    "full": measure.Effort(30, 10.0, measure.FULL.visit),
}
DTYPE = "float64"  # that decides whether it is the same model


@dataclass
class Outcome:
    """All sweeps of a task, and what went wrong in them.

    Attributes:
        differences: the first tensor of an implementation that differs from the reference at some value.
        warnings: what disturbed the timing at a value.
    """

    sweeps: list[Sweep] = field(default_factory=list)
    differences: list[AgreementRow] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class SweepTest:
    """Sweeps one setting of a task."""

    def __init__(self, work: Work, swept: Swept, crew: Crew, names: set[str], advance: Callable[[], None]):
        self.work, self.swept, self.crew, self.advance = work, swept, crew, advance
        self.implementations = [i for i in work.options.implementations if i.name in names and i.name != REFERENCE]
        self.effort = EFFORTS[work.options.suite]
        self.points: list[SweepPoint] = []
        self.ratios: list[SweepRatio] = []
        self.differences: list[AgreementRow] = []
        self.failures: list[Failure] = []
        self.warnings: list[str] = []

    @property
    def ticks(self) -> int:
        """How often `advance` is called, if nothing fails."""
        return len(self.swept.values) * (self.effort.rounds + len(self.implementations))

    def run(self) -> Sweep:
        """Every value in turn; one that cannot be compared has points without speeds."""
        setting = self.swept.setting
        for value in self.swept.values:
            case = variant(self.work, setting, value)
            own = setting == "threads"  # a process has its threads from its start
            with Crew(self.crew.pythons, value, choose_cpus(value)) if own else nullcontext(self.crew) as crew:
                self.at(case, crew)
        return Sweep(
            setting=setting,
            values=list(self.swept.values),
            exponents=sweep.exponents(self.points),
            points=self.points,
            ratios=self.ratios,
            overtakings=sweep.overtakings(self.ratios),
        )

    def at(self, case: Variant, crew: Crew) -> None:
        """Agreement at one value, then a contest of those that agree."""
        place = f"{self.swept.setting} = {case.value}"
        evidence, reasons = self.agreement(case, crew, place)
        ready = [i for i in self.implementations if i.name in evidence and i.name not in reasons]
        samples = Samples("train", {})
        while ready:
            try:
                samples = self.contest(case, crew, ready, place)
                break
            except WorkerError as error:
                reasons[error.worker] = self.fail(error.worker, place, explain(error))
                ready = [i for i in ready if i.name != error.worker]
        tokens = case.spec.tokens(case.batch)
        for name in (i.name for i in self.implementations):
            seen = sweep.point(self.swept.setting, case.value, name, samples.by_name.get(name, []), tokens)
            worst = evidence.get(name)
            shown = {"error": worst["error"], "bound": worst["bound"]} if worst else {}
            self.points.append({**seen, **shown, "reason": reasons.get(name, "")})
        self.compare_speeds(case, samples)

    def agreement(self, case: Variant, crew: Crew, place: str) -> tuple[dict[str, AgreementRow], dict[str, str]]:
        """By implementation: the tensor nearest to its bound (or furthest beyond it), and why some are not timed."""
        evidence: dict[str, AgreementRow] = {}
        reasons: dict[str, str] = {}
        kind, device = self.work.task.model.kind, self.work.options.device
        try:
            shared = make_shared(kind, case.spec, case.small)
            reference = record_step(crew.worker(Implementation(REFERENCE)), kind, shared, DTYPE, "cpu")
        except (CrossfwError, WorkerError) as error:
            told = explain(error) if isinstance(error, WorkerError) else error.found
            return {}, dict.fromkeys((i.name for i in self.implementations), self.fail(REFERENCE, place, told))
        size = Size.of(case.spec, case.small)

        def limit(stage: str, tensor: str) -> float:
            return bound(stage, DTYPE, size, condition_of(shared.condition, stage, tensor))

        for implementation in self.implementations:
            name = implementation.name
            try:
                trace = record_step(crew.worker(implementation), kind, shared, DTYPE, device)
            except WorkerError as error:
                reasons[name] = self.fail(name, place, explain(error))
                continue
            finally:
                self.advance()
            rows = compare(Side(name, trace), Side(REFERENCE, reference), DTYPE, limit)
            evidence[name] = max(rows, key=severity)
            if different := [row for row in rows if row["grade"] == "different"]:
                reasons[name] = f"not the same model: {different[0]['stage']}, {different[0]['tensor']}"
                if name not in {row["implementation"] for row in self.differences}:
                    self.differences.append({**different[0], "tensor": f"{different[0]['tensor']} at {place}"})
        return evidence, reasons

    def contest(self, case: Variant, crew: Crew, ready: list[Implementation], place: str) -> Samples:
        """Rounds of training steps, with a second process of one implementation as the A/A control."""
        work, options = self.work, self.work.options
        backends = {i.name: crew.worker(i) for i in ready}
        backends[self.control(ready).name + measure.CONTROL] = crew.worker(self.control(ready), measure.CONTROL)
        weights = recipe_weights(work.task, case.spec, 0)
        for worker in backends.values():
            make_ready(worker, work.task, case.spec, options.dtype, options.device, weights)
        effort = self.effort
        contest = Contest(backends, case.batch, case.spec.tokens(case.batch), visit_seconds=effort.visit)
        before = Conditions.now(crew.cpus)
        samples = contest.run("train", effort.rounds, effort.budget, self.advance)
        disturbed = disturbances(before, Conditions.now(crew.cpus))
        self.warnings += [f"sweep, {place}: {words}" for words in disturbed]
        return samples

    @staticmethod
    def control(ready: list[Implementation]) -> Implementation:
        """The one that runs twice."""
        return next((i for i in ready if i.name == "torch-nn"), ready[-1])

    def compare_speeds(self, case: Variant, samples: Samples) -> None:
        """The ratio of every pair at one value, its interval widened by what the control shows of the machine."""
        names = [name for name in samples.by_name if not name.endswith(measure.CONTROL)]
        controls = [name.removesuffix(measure.CONTROL) for name in samples.by_name if name not in names]
        noise = max((measure.control_noise(samples.by_name, name) for name in controls), default=0.0)
        for name, other in sweep.pairs(names):
            found = ratio_interval(samples.by_name[name], samples.by_name[other]).widened(noise)
            self.ratios.append(
                SweepRatio(
                    setting=self.swept.setting,
                    value=case.value,
                    implementation=name,
                    against=other,
                    ratio=found.value,
                    low=found.low,
                    high=found.high,
                )
            )

    def fail(self, implementation: str, place: str, reason: str) -> str:
        """Note a failure, and give its reason back."""
        self.failures.append(Failure(implementation=implementation, stage=f"sweep, {place}", reason=reason))
        return reason


def check_sweeps(work: Work) -> None:
    """Make the task at every value, so that a mistake is told before anything runs.

    Raises:
        CrossfwError: the task's model has no place for a setting or a value.
    """
    for swept in work.options.sweeps:
        for value in swept.values:
            variant(work, swept.setting, value)


def run_sweeps(work: Work, crew: Crew, names: set[str], progress: RunProgress, share: float) -> Outcome:
    """All sweeps of a task.

    Args:
        names: the implementations that are the same model at the task's own size.
        share: of the task's time that each of them is, roughly.
    """
    outcome = Outcome()
    for swept in work.options.sweeps if names - {REFERENCE} else ():
        test = SweepTest(work, swept, crew, names, progress.advance)
        progress.phase(f"{work.task.name}: sweep of {swept}", test.ticks, share)
        outcome.sweeps.append(test.run())
        known = {row["implementation"] for row in outcome.differences}
        outcome.differences += [row for row in test.differences if row["implementation"] not in known]
        outcome.failures += test.failures
        outcome.warnings += test.warnings
    return outcome

"""The finished training cells of a task: curves, what stopped them, and what their models can do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crossfw.agreement.trace import Trace
from crossfw.harness.cells import Cells, plan_name
from crossfw.models import REFERENCE
from crossfw.results.schema import Failure, MeasureRow, PerplexityRow
from crossfw.training.curves import TrainingPlan


@dataclass(frozen=True)
class Curve:
    """A finished training cell."""

    implementation: str
    plan: TrainingPlan
    trace: Trace

    def points(self, split: str) -> dict[int, float]:
        """Perplexity by epoch."""
        return {p["epoch"]: p["perplexity"] for p in self.trace.facts["points"] if p["split"] == split}


class Curves:
    """Reads the training cells of a task."""

    def __init__(self, cells: Cells):
        self.cells, self.work = cells, cells.work
        self.curves = list(self._curves())

    def _curves(self) -> Iterator[Curve]:
        for implementation in self.work.options.implementations:
            for plan in self.work.plans(implementation):
                trace = self.cells.traces.get(plan_name(implementation.name, plan))
                if trace is not None:
                    yield Curve(implementation.name, plan, trace)

    def seed_0(self, dtype: str, perturbed: bool, epochs: int | None = None) -> dict[str, Curve]:
        """The curves of seed 0 in one dtype, by implementation: those of so many epochs, or the longest of each."""
        wanted = (dtype, 0, perturbed)
        fitting = [c for c in self.curves if (c.plan.dtype, c.plan.seed, c.plan.perturbed) == wanted]
        lengths = sorted(fitting, key=lambda curve: curve.plan.epochs)
        return {curve.implementation: curve for curve in lengths if epochs in (None, curve.plan.epochs)}

    def updates(self) -> dict[int, int]:
        """Updates made up to the end of each epoch, the same for all who train from seed 0."""
        curves = self.seed_0("float64", perturbed=False).values()
        return {p["epoch"]: p["updates"] for curve in curves for p in curve.trace.facts["points"]}

    def finals(self) -> dict[str, list[float]]:
        """Final training perplexities over seeds, by implementation, of the runs that reached the last epoch."""
        finals: dict[str, list[float]] = {}
        for curve in self.reported_curves():
            points = curve.points("training")
            if not curve.plan.perturbed and self.work.epochs in points:
                finals.setdefault(curve.implementation, []).append(points[self.work.epochs])
        return finals

    def reported_curves(self) -> list[Curve]:
        """The curves in the dtype that was asked for, without the reference's."""
        plan = (self.work.options.dtype, self.work.epochs)
        return [c for c in self.curves if (c.plan.dtype, c.plan.epochs) == plan and c.implementation != REFERENCE]

    def perplexity(self) -> list[PerplexityRow]:
        """Every point of every curve."""
        return [
            PerplexityRow(
                implementation=curve.implementation,
                seed=curve.plan.seed,
                epoch=point["epoch"],
                split=point["split"],
                perplexity=point["perplexity"],
                loss=point["loss"],
                dtype=curve.plan.dtype,
                perturbed=curve.plan.perturbed,
            )
            for curve in self.curves
            for point in curve.trace.facts["points"]
        ]

    def divergences(self) -> list[Failure]:
        """Training cells whose numbers stopped being finite."""
        failures = []
        for curve in self.curves:
            place = curve.trace.facts["diverged"]
            if place:
                moved = ", one unit in the last place away" if curve.plan.perturbed else ""
                reason = (
                    f"{curve.plan.dtype}, seed {curve.plan.seed}{moved}: {place['value']} first in {place['tensor']}, "
                    f"at epoch {place['epoch']}, step {place['step'] + 1} (update {place['update']}); the cell stopped"
                )
                failures.append(Failure(implementation=curve.implementation, stage="training", reason=reason))
        return failures

    def evaluated(self) -> list[Curve]:
        """The curves whose models were asked for predictions at their end."""
        return [curve for curve in self.curves if curve.plan.evaluated]

    def measures(self) -> list[MeasureRow]:
        """What the trained models can do."""
        return [
            MeasureRow(
                implementation=curve.implementation,
                seed=curve.plan.seed,
                measure=item["measure"],
                value=item["value"],
                dtype=curve.plan.dtype,
            )
            for curve in self.evaluated()
            for item in curve.trace.facts["measures"]
        ]

    def samples(self) -> list[dict]:
        """What the models of the first seed wrote."""
        return [
            {"implementation": curve.implementation, **sample}
            for curve in self.evaluated()
            if curve.plan.seed == 0
            for sample in curve.trace.facts["samples"]
        ]

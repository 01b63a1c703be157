"""What the cells of a task amount to: rows, verdict, and the reason for it."""

from __future__ import annotations

import math
from functools import cache, partial

from crossfw.agreement.bounds import Size, bound
from crossfw.agreement.compare import Side, compare, relative_error, self_agreement
from crossfw.agreement.condition import condition_of
from crossfw.agreement.trajectory import FLOOR_MARGIN, Trajectories, judge, pairs_of
from crossfw.harness.cells import DTYPES, Cells
from crossfw.harness.curves import Curves
from crossfw.harness.mapping import mapping_faults
from crossfw.models import REFERENCE
from crossfw.results.schema import (
    AgreementRow,
    CausalityRow,
    Failure,
    Learning,
)


class Conclusion:
    """Reads the cells of a task and says what they mean."""

    def __init__(self, cells: Cells):
        self.cells, self.work = cells, cells.work
        self.names = [implementation.name for implementation in self.work.options.implementations]
        self.size = Size.of(self.work.spec, self.work.agreement_batch)
        self.condition = self.work.shared.condition
        self.curves = Curves(cells)

    def sides(self, dtype: str) -> dict[str, Side]:
        """The agreement traces in one dtype, by implementation."""
        found = {name: self.cells.traces.get(f"{name}.agreement.{dtype}") for name in self.names}
        return {name: Side(name, trace) for name, trace in found.items() if trace is not None}

    def agreement(self) -> list[AgreementRow]:
        """Every row of every pair: mapping, stages 0 to 7 in both dtypes, and the trajectory's parameters."""
        exact = self.sides("float64")
        rows = [row for side in exact.values() for row in self._mapping(side)]
        for dtype in DTYPES:
            sides = self.sides(dtype)
            reference = exact[REFERENCE].trace if dtype == "float32" and REFERENCE in exact else None
            for side in sides.values():
                rows += self_agreement(side, dtype)
            if dtype == "float32" and reference is None:
                continue
            limit = cache(partial(self.limit, dtype))  # the same for every pair
            for a, b in pairs_of(list(sides)):
                rows += compare(sides[a], sides[b], dtype, limit, reference)
        return rows

    def limit(self, dtype: str, stage: str, tensor: str, updates: int = 1) -> float:
        """The bound for a tensor of a stage."""
        memory = self.work.shared.memory(stage, tensor)
        return bound(stage, dtype, self.size, condition_of(self.condition, stage, tensor), updates, memory)

    def _mapping(self, side: Side) -> list[AgreementRow]:
        facts = side.trace.facts
        if "native_names" not in facts:
            return []  # it could not be built
        faults = mapping_faults(self.work.spec.shapes(), facts["native_names"], facts["native_shapes"])
        row = {"implementation": side.name, "against": REFERENCE, "stage": "parameters", "dtype": "float64"}
        return [
            AgreementRow(**row, tensor=fault, error=math.inf, bound=0.0, grade="different", factor=None)
            for fault in faults
        ]

    def trajectories(self, dtype: str) -> Trajectories:
        """The curves of seed 0 in one dtype, up to the last epoch that is compared."""
        updates = self.work.updates_per_epoch
        curves, perturbed = (
            {
                name: {
                    (point["split"], point["epoch"]): point["perplexity"]
                    for point in curve.trace.facts["points"]
                    if point["epoch"] <= self.work.compared_epochs
                }
                for name, curve in self.curves.seed_0(dtype, moved).items()
            }
            for moved in (False, True)
        )
        return Trajectories(
            curves, perturbed, lambda epoch: self.limit(dtype, "trajectory", "", updates * epoch), dtype
        )

    def learning(self) -> Learning | None:
        """The verdict on learning; None where nothing is trained."""
        if not self.work.epochs:
            return None
        exact, dtype = self.trajectories("float64"), self.work.options.dtype
        reported = exact if dtype == "float64" else self.trajectories(dtype)
        learning = judge(exact, reported, self.curves.finals(), self.work.epochs, self.curves.updates())
        absent = [name for name in self.names if name not in exact.curves]
        if absent and learning["verdict"] == "same":
            learning.update(
                verdict="not tested", text=f"{', '.join(absent)} gave no curve; of the rest, {learning['text']}"
            )
        return learning

    def trajectory_parameters(self, learning: Learning) -> list[AgreementRow]:
        """Parameters where the curves that are compared end, at most about 100 updates on, for each pair.

        They may differ as far as the curves: by the bound, or by the same multiple of the reference's noise floor.
        """
        rows, epochs = [], self.work.compared_epochs
        curves, moved = (self.curves.seed_0("float64", perturbed, epochs) for perturbed in (False, True))
        if REFERENCE not in curves or REFERENCE not in moved:
            return rows
        updates = curves[REFERENCE].trace.facts["checkpoint_updates"]
        if not updates or updates > learning["horizon"] * self.work.updates_per_epoch:
            return rows
        away = moved[REFERENCE].trace.stage("trajectory")
        floors = {
            tensor: relative_error(away[tensor], value)
            for tensor, value in curves[REFERENCE].trace.stage("trajectory").items()
        }
        for a, b in pairs_of(list(curves)):
            ours, theirs = curves[a].trace.stage("trajectory"), curves[b].trace.stage("trajectory")
            for tensor, floor in floors.items():
                limit = max(self.limit("float64", "trajectory", "", updates), FLOOR_MARGIN["float64"] * floor)
                both = tensor in ours and tensor in theirs
                error = relative_error(ours[tensor], theirs[tensor]) if both else math.inf
                rows.append(
                    AgreementRow(
                        implementation=a,
                        against=b,
                        stage="trajectory",
                        tensor=f"{tensor} after {updates} updates",
                        dtype="float64",
                        error=error,
                        bound=limit,
                        grade="equal" if error <= limit else "different",
                        factor=None,
                    )
                )
        return rows

    def order_of_failures(self, failure: Failure) -> tuple[int, str]:
        """Implementations in the order in which they were asked for, then stages."""
        names = [*self.names, failure["implementation"]]
        return names.index(failure["implementation"]), failure["stage"]

    def causality(self) -> list[CausalityRow]:
        """Language models that see the future."""
        found = {name: side.trace.facts.get("causality") for name, side in self.sides("float64").items()}
        return [
            CausalityRow(implementation=name, causal=change == 0.0, change=change)
            for name, change in found.items()
            if change is not None
        ]

    def notes(self) -> list[dict[str, str]]:
        """What implementations told about themselves, each note once."""
        noted = {
            (name, note): None
            for dtype in DTYPES
            for name, side in self.sides(dtype).items()
            for note in side.trace.facts.get("notes", [])
        }
        return [{"implementation": name, "note": note} for name, note in noted]

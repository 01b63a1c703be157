"""Diagnosis: known differences between the frameworks are tried, and named only where they restore agreement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from crossfw.verification.diagnosis import (
    activations,
    inputs,
    layers,
    loss,
    parameters,
    settings,
    steps,
    training,
    weights,
)
from crossfw.verification.diagnosis.case import Case
from crossfw.verification.diagnosis.trying import Bench, Hypothesis
from crossfw.verification.location import Place
from crossfw.verification.own_faults import gradient_causes
from crossfw.verification.row import Cause
from crossfw.verification.stages import Stages

SECONDS = 60.0
NAMES = {"dropout": "dropout rate", "eps": "epsilon"}


@dataclass(frozen=True)
class Diagnosis:
    """What a search found, how many known differences were tried, and how many were left when its time was over."""

    causes: tuple[Cause, ...] = ()
    tried: int = 0
    left: int = 0


def diagnose(stages: Stages, stage: str, place: Place, seconds: float = SECONDS) -> Diagnosis:
    """The causes of a failing stage; none where no known difference restores agreement.

    Args:
        stages: after their run. stage: the first that fails. place: where it does. seconds: that the trials may take.
    """
    if stage == "parameters":
        return Diagnosis(tuple(parameters.causes(stages)))
    told = told_by_settings(stages, stage)
    if told:
        return Diagnosis(tuple(told))
    bench = Bench(stages, stage, seconds)
    nothing = Hypothesis(())
    try:
        if bench.holds(bench.rows(nothing, stages.draws)):
            return Diagnosis()  # it fails in float32 alone: that is rounding, no other computation
        case = Case(stages, stage, place)
        found = bench.first_that_agrees(supposed(case))
    finally:
        stages.pair.torch.call("change", changes=[])
        stages.reset()
    if found:
        return Diagnosis(found.causes, bench.tried)
    own = gradient_causes(stages) if stage == "gradients" else []
    return Diagnosis(tuple(own), bench.tried, bench.left)


def told_by_settings(stages: Stages, stage: str) -> list[Cause]:
    """Settings that differ where no number does: an epsilon too small to show, rates inside recurrent layers.

    Settings of optimizers are tried, as any other difference is.
    """
    if stage in ("update", "several updates"):
        return []
    rows = [row for row in stages.rows if row.stage == stage and row.grade == "different"]
    if not rows or any(row.run != "settings" for row in rows):
        return []
    return [Cause(NAMES[row.tensor.rpartition(".")[2]], row.tensor, row.note, row.note) for row in rows]


def supposed(case: Case) -> Iterator[Hypothesis]:
    """Everything that is tried for a stage, the cheapest and most likely first."""
    families = {
        "forward": (settings, weights, inputs, layers),
        "forward in training": (settings, training, weights, inputs, layers),
    }.get(case.stage)
    if families:
        first, *others = (each.hypotheses(case) for each in families)
        return chain(first, activations.modules(case), *others)
    if case.stage == "loss":
        return loss.hypotheses(case)
    if case.stage == "gradients":
        return training.gradients(case)
    return steps.clipping(case) if case.stage == "clipping" else steps.optimizers(case)

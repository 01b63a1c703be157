"""A pair from its inputs to its verdict: map, give weights, run the stages, find the place and the cause."""

from __future__ import annotations

from typing import Callable

from crossfw.matching.match import (
    Mapping,
    constant_faults,
    coverage_faults,
    crossing_faults,
    match,
    place,
)
from crossfw.verification.coverage import tested, untested
from crossfw.verification.covering import cover_tables
from crossfw.verification.diagnosis import SECONDS, diagnose
from crossfw.verification.divergence import locate
from crossfw.verification.draw import alone
from crossfw.verification.drawn_inputs import draws_of
from crossfw.verification.own_faults import check_graphs
from crossfw.verification.row import STAGES, Cause, Row
from crossfw.verification.sides import Pair
from crossfw.verification.stages import Stages
from crossfw.verification.trial import settle
from crossfw.verification.verdict import PortVerdict


def verify_pair(
    pair: Pair, title: str, advance: Callable[[str], None] = lambda _: None, seconds: float = SECONDS
) -> PortVerdict:
    """The verdict on two sides that are not opened yet.

    Args:
        seconds: that the search for a cause may take.

    Raises:
        CrossfwError: a side cannot be built or run, or nothing can be compared.
    """
    advance("both models")
    pair.open(seed=0)
    if len(pair.outputs["mxnet"]) != len(pair.outputs["torch"]):
        return other_outputs(pair, title)
    names = [slot.name for unit in pair.units["mxnet"] for slot in unit.slots]
    mapping = match(pair.units["mxnet"], pair.units["torch"], pair.mxnet.call("renamed", names=names))
    draws = draws_of(pair.settings["sizes"], pair.heavy)
    start = settle(pair, mapping, draws[0])
    mapping, weights, notes = start.mapping, start.weights, start.notes
    notes += cover_tables(pair, mapping, weights, draws[1])
    faults = (*mapping.faults, *crossing_faults(mapping), *constant_faults(mapping, weights["mxnet"], weights["torch"]))
    for framework, arrays in weights.items():
        sizes = {name: int(array.size) for name, array in arrays.items()}
        faults += tuple(coverage_faults(pair.units[framework], framework, sizes))
    if not mapping.pairs:
        notes.append("no parameters to map: the models are compared as functions")
    stages = Stages(pair, mapping, weights, start.even)
    stages.note(*notes)
    if unmapped(mapping):
        stages.parameters()
        stages.note("with parameters that have no partner no stage after the parameters is compared")
    else:
        stages.run(advance)
    failing = [name for name in STAGES if any(r.stage == name and r.grade == "different" for r in stages.rows)]
    stage = "parameters" if faults else failing[0] if failing else None
    place, where, causes, tried, left = (), "", (), 0, 0
    if stage is None:
        advance("MXNet's graphs")
        rows, causes = check_graphs(stages)
        stages.rows += rows
        stage = rows[0].stage if rows else None
        where = "in MXNet itself, whose graph is not what its operators are" if rows else ""
    else:
        advance("place and cause")
        found = locate(stages, stage)
        place, where = found.lines, found.where
        diagnosis = diagnose(stages, stage, found, seconds)
        causes, tried, left = diagnosis.causes, diagnosis.tried, diagnosis.left
    return PortVerdict(
        title=title,
        rows=tuple(stages.rows),
        faults=faults,
        stage=stage,
        place=place,
        where=where,
        causes=tuple(causes),
        tested=tested(stages),
        untested=untested(stages),
        tried=tried,
        left=left,
        notes=tuple(stages.notes),
        mapping=tuple(mapping.table()),
        versions=pair.versions,
    )


def other_outputs(pair: Pair, title: str) -> PortVerdict:
    """The verdict on models that give different numbers of arrays, which therefore cannot be paired."""
    told = {
        framework: ", ".join(f"{name} {tuple(shape)}" for name, shape in found.items())
        for framework, found in pair.outputs.items()
    }
    counts = {framework: len(found) for framework, found in pair.outputs.items()}
    found = f"torch gives {counts['torch']} ({told['torch']}) where MXNet gives {counts['mxnet']} ({told['mxnet']})"
    remedy = "return the same arrays in the same order from both models, or from wrappers around them"
    dtype = pair.settings["dtype"] or "float64"
    row = Row("forward", "(model)", "(model)", dtype, "outputs", float("inf"), 0.0, "different", note=found)
    return PortVerdict(
        title=title,
        rows=(row,),
        stage="forward",
        causes=(Cause("outputs", "(model)", found, remedy),),
        untested=("everything else: which output is which is not known",),
        versions=pair.versions,
    )


def unmapped(mapping: Mapping) -> bool:
    """Whether parameters on both sides have no partner, or a matrix on one: what is below them cannot be compared.

    A bias that one side lacks leaves models that can be: its cause is known.
    """
    lone = alone(mapping)
    learning = [
        [slot for unit in units for slot in unit.slots if slot.learns and place(slot) in lone[side]]
        for side, units in (("mxnet", mapping.mxnet), ("torch", mapping.torch))
    ]
    return all(learning) or any(len(slot.shape) > 1 for side in learning for slot in side)

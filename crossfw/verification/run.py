"""A pair from its inputs to its verdict: map, give weights, run the stages, find the place and the cause."""

from __future__ import annotations

import time
from typing import Any, Callable

import numpy as np

from crossfw.errors import CrossfwError
from crossfw.verification.bounds import rounding_bound
from crossfw.verification.comparing import by_order, error_of, same_shape
from crossfw.verification.diagnosis import diagnose
from crossfw.verification.divergence import locate
from crossfw.verification.draw import draw_weights
from crossfw.verification.sides import Pair
from crossfw.verification.stages import Draw, Stages, draws_of
from crossfw.verification.verdict import STAGES, PortVerdict
from crossfw.weights.matching import Mapping, constant_faults, coverage_faults, match

TRIALS = 200
TRIAL_SECONDS = 30.0


def verify_pair(pair: Pair, title: str, advance: Callable[[str], None] = lambda _: None) -> PortVerdict:
    """The verdict on two sides that are not opened yet.

    Raises:
        CrossfwError: a side cannot be built or run, or nothing can be compared.
    """
    advance("both models")
    pair.open(seed=0)
    names = [slot.name for unit in pair.units["mxnet"] for slot in unit.slots]
    mapping = match(pair.units["mxnet"], pair.units["torch"], pair.mxnet.call("renamed", names=names))
    draw = draws_of(pair.settings["sizes"])[0]
    mapping, weights, notes = settle(pair, mapping, draw)
    faults = (*mapping.faults, *constant_faults(mapping, weights["mxnet"], weights["torch"]))
    faults += tuple(one for framework, side in pair for one in uncovered(pair, framework, side))
    if not mapping.pairs:
        notes.append("no parameters to map: the models are compared as functions")
    stages = Stages(pair, mapping, weights)
    stages.note(*notes)
    stages.run(advance)
    failing = [name for name in STAGES if any(r.stage == name and r.grade == "different" for r in stages.rows)]
    stage = "parameters" if faults else failing[0] if failing else None
    place, where, causes = (), "", ()
    if stage is not None:
        advance("place and cause")
        found = locate(stages, stage)
        place, where = found.lines, found.where
        causes = tuple(diagnose(stages, stage, found))
    return PortVerdict(
        title=title,
        rows=tuple(stages.rows),
        faults=faults,
        stage=stage,
        place=place,
        where=where,
        causes=causes,
        notes=tuple(stages.notes),
        mapping=tuple(mapping.table()),
        versions=pair.versions,
    )


def settle(pair: Pair, mapping: Mapping, draw: Draw) -> tuple[Mapping, dict[str, dict], list[str]]:
    """The mapping that the outputs bear out, the weights under it, and remarks.

    The first mapping stands where the outputs agree under it, or under none of its alternatives.
    """
    current = pair.both("export")
    weights, notes = starting_weights(pair, mapping, current)
    target = outputs_under(pair.mxnet, weights["mxnet"], draw)
    chosen, started = mapping, time.monotonic()
    if not agrees(pair, weights, target, draw):
        for number, other in enumerate(mapping.alternatives()):
            if number == TRIALS or time.monotonic() - started > TRIAL_SECONDS:
                break
            tried, _ = starting_weights(pair, other, current)
            if agrees(pair, tried, target, draw):
                chosen, weights = other, tried
                notes.append(f"parameters of equal shape were told apart by trial ({number + 1} tried)")
                break
    else:
        chosen = mapping.settled()
        notes += [f"ambiguous: {ambiguity}" for ambiguity in chosen.ambiguous]
    return chosen, weights, notes


def uncovered(pair: Pair, framework: str, side: Any) -> tuple[str, ...]:
    """Arrays of a side that no unit holds."""
    sizes = {name: int(array.size) for name, array in side.call("export").items()}
    return tuple(coverage_faults(pair.units[framework], framework, sizes))


def agrees(pair: Pair, weights: dict[str, dict], target: dict[str, np.ndarray], draw: Draw) -> bool:
    """Whether torch's outputs under the weights are MXNet's."""
    try:
        found = outputs_under(pair.torch, weights["torch"], draw)
    except CrossfwError:
        return False
    limit = rounding_bound("float64", 1, 1)
    return all(error_of(*same_shape(a, b)) <= limit for _, _, a, b in by_order(target, found))


def outputs_under(side: Any, weights: dict[str, np.ndarray], draw: Draw) -> dict[str, np.ndarray]:
    """A side's outputs in inference mode with given weights."""
    side.call("load", values=weights)
    return side.call("forward", **draw.arguments, training=False)["outputs"]


def starting_weights(pair: Pair, mapping: Mapping, current: dict[str, dict]) -> tuple[dict[str, dict], list[str]]:
    """The weights that both sides start from: those of a checkpoint, or random ones.

    Raises:
        CrossfwError: a checkpoint holds NaN.
    """
    files = {framework: path for framework, path in pair.settings["checkpoints"].items() if path}
    for framework, path in files.items():
        require_numbers(current[framework], path)
    if len(files) == 2:
        return current, ["weights: both checkpoints"]
    if "torch" in files:
        return {"torch": current["torch"], "mxnet": mapping.to_mxnet(current["torch"], current["mxnet"])}, [
            "weights: those of the torch checkpoint, on both sides"
        ]
    if "mxnet" in files:
        mxnet, note = current["mxnet"], "weights: those of the MXNet checkpoint, on both sides"
    else:
        mxnet, note = draw_weights(pair.units["mxnet"], current["mxnet"], seed=0), "weights: random ones, seed 0"
    return {"mxnet": mxnet, "torch": mapping.to_torch(mxnet, current["torch"])}, [note]


def require_numbers(arrays: dict[str, np.ndarray], path: str) -> None:
    """Raise CrossfwError where weights are NaN or infinite."""
    broken = [name for name, a in arrays.items() if a.dtype.kind == "f" and not np.isfinite(a).all()]
    if broken:
        found = f"NaN or infinite numbers in {', '.join(broken[:5])}" + (" and more" if len(broken) > 5 else "")
        raise CrossfwError(f"the weights of {path}", found, "give a checkpoint whose weights are numbers")

"""Which parameter is which, borne out by the outputs: the mapping by evidence first, then trials."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, combinations
from typing import Any

import numpy as np

from crossfw.errors import CrossfwError
from crossfw.verification.bounds import longest_sum, rounding_bound
from crossfw.verification.comparing import by_order, error_of, same_shape
from crossfw.verification.draw import draw_weights
from crossfw.verification.sides import Pair
from crossfw.verification.stages import Draw
from crossfw.weights.matching import Mapping, SlotPair
from crossfw.weights.matching import Pair as UnitPair

TRIALS = 400
TRIAL_SECONDS = 10.0


def settle(pair: Pair, mapping: Mapping, draw: Draw) -> tuple[Mapping, dict[str, dict], list[str]]:
    """The mapping that the outputs bear out, the weights under it, and remarks.

    The first mapping stands where the outputs agree under it, or under none of its alternatives.
    """
    current = pair.both("export")
    weights, notes = starting_weights(pair, mapping, current)
    target = outputs_under(pair.mxnet, weights["mxnet"], draw)
    if agrees(pair, weights, target, draw):
        settled = mapping.settled()
        return settled, weights, notes + [f"ambiguous: {ambiguity}" for ambiguity in settled.ambiguous]
    until = time.monotonic() + TRIAL_SECONDS
    for number, other in enumerate(chain(mapping.alternatives(), exchanged(mapping)), 1):
        if number > TRIALS or time.monotonic() > until:
            break
        tried, _ = starting_weights(pair, other, current)
        if agrees(pair, tried, target, draw):
            return other, tried, [*notes, f"parameters of equal shape were told apart by trial ({number} tried)"]
    return mapping, weights, notes


def exchanged(mapping: Mapping) -> Iterator[Mapping]:
    """Mappings in which branches of equal layers have changed places: the longest first, then several at once.

    Where branches run side by side the order of execution says nothing about which is which.
    """
    units = [pair.mxnet for pair in mapping.pairs]
    run = sorted(range(len(units)), key=lambda i: (units[i].order is None, units[i].order or 0))
    signatures = [units[i].signature() for i in run]
    beside, apart = [], []
    for length in range(len(run) // 2, 0, -1):
        for first in range(len(run) - 2 * length + 1):
            for second in range(first + length, len(run) - length + 1):
                if signatures[first : first + length] == signatures[second : second + length]:
                    places = [(run[first + k], run[second + k]) for k in range(length)]
                    (beside if second == first + length else apart).append(places)
    singles = [[one] for one in beside + apart]
    several = (list(chosen) for count in range(2, len(beside) + 1) for chosen in combinations(beside, count))
    for chosen in chain(singles, several):
        touched = [place for places in chosen for both in places for place in both]
        if len(set(touched)) == len(touched):
            yield _exchange(mapping, [both for places in chosen for both in places])


def _exchange(mapping: Mapping, places: list[tuple[int, int]]) -> Mapping:
    pairs = list(mapping.pairs)
    for a, b in places:
        pairs[a], pairs[b] = _joined(mapping.pairs[a], mapping.pairs[b]), _joined(mapping.pairs[b], mapping.pairs[a])
    return replace(mapping, pairs=tuple(pairs))


def _joined(left: UnitPair, right: UnitPair) -> UnitPair:
    """The MXNet unit of one pair with the torch unit of another of the same signature."""
    partners = {slots.mxnet.role: slots for slots in right.slots}
    slots = tuple(
        SlotPair(own.mxnet, partners[own.mxnet.role].torch, partners[own.mxnet.role].transposed)
        for own in left.slots
        if own.mxnet.role in partners
    )
    return UnitPair(left.mxnet, right.torch, slots, "trial")


def agrees(pair: Pair, weights: dict[str, dict], target: dict[str, np.ndarray], draw: Draw) -> bool:
    """Whether torch's outputs under the weights are MXNet's."""
    try:
        found = outputs_under(pair.torch, weights["torch"], draw)
    except CrossfwError:
        return False
    terms = max(longest_sum(pair.units["mxnet"]), pair.positions)
    limit = rounding_bound(pair.settings["dtype"] or "float64", terms, len(pair.units["mxnet"]))
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
        mxnet = pair.keep(mapping.to_mxnet(current["torch"], current["mxnet"]).items())
        return {"torch": current["torch"], "mxnet": mxnet}, ["weights: those of the torch checkpoint, on both sides"]
    if "mxnet" in files:
        mxnet, note = current["mxnet"], "weights: those of the MXNet checkpoint, on both sides"
    else:
        mxnet = pair.keep(draw_weights(pair.units["mxnet"], current["mxnet"], seed=0).items())
        note = "weights: random ones, seed 0"
    return {"mxnet": mxnet, "torch": pair.keep(mapping.to_torch(mxnet, current["torch"]).items())}, [note]


def require_numbers(arrays: dict[str, np.ndarray], path: str) -> None:
    """Raise CrossfwError where weights are NaN or infinite."""
    broken = [name for name, a in arrays.items() if a.dtype.kind == "f" and not np.isfinite(a).all()]
    if broken:
        found = f"NaN or infinite numbers in {', '.join(broken[:5])}" + (" and more" if len(broken) > 5 else "")
        raise CrossfwError(f"the weights of {path}", found, "give a checkpoint whose weights are numbers")

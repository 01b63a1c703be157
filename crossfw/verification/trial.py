"""Which parameter is which, borne out by the outputs: the mapping by evidence first, then trials."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from crossfw.errors import CrossfwError
from crossfw.matching.match import (
    Mapping,
    SlotPair,
    by_names,
    place,
)
from crossfw.matching.units import Unit
from crossfw.verification.bounds import longest_sum, rounding_bound
from crossfw.verification.comparing import by_order, error_of, label, same_shape, values
from crossfw.verification.draw import alone, draw_mxnet, draw_weights
from crossfw.verification.drawn_inputs import Draw
from crossfw.verification.identifying import Identified, identified
from crossfw.verification.sides import Pair

TRIAL_SECONDS, TRIAL_RUNS = 20.0, 300  # trials end when both are over: a slow machine must not decide
NARROW = 1e-4  # outputs behind operators that are computed in float32
SAME = 1e-6  # constants that differ by less were rounded to float32 on one side, or computed in it


@dataclass(frozen=True)
class Start:
    """What the stages of a pair start from.

    Attributes:
        mapping: that the outputs bear out; the first one, where they agree under none of its alternatives.
        weights: by framework. notes: remarks.
        even: whether arrays that could be taken for each other have equal numbers: outputs that differ then do so
            whichever is which, and so is their cause found.
    """

    mapping: Mapping
    weights: dict[str, dict[str, np.ndarray]]
    notes: list[str]
    even: bool


def settle(pair: Pair, mapping: Mapping, draw: Draw) -> Start:
    """Tell the arrays apart, and give both sides their first weights."""
    current = pair.both("export")
    trial = Trial(pair, draw, current, differing(pair, mapping, current))
    settled = trial.settled(mapping)
    if settled is not None and trial.own:  # the models agree with constants of their own: they only have equal names
        settled, trial.own = without(settled, trial.own), []
    elif trial.own:
        trial.own, own = [], trial.own
        settled = trial.settled(mapping)
        trial.own = own
    mapping = settled or by_names(mapping) or trial.found.mapping or mapping  # where no outputs bear out one: names
    even = settled is None and trial.found.elsewhere and not any(pair.settings["checkpoints"].values())
    weights, notes = starting_weights(pair, mapping, current, trial.own, even)
    if trial.tried and settled:
        notes.append(f"parameters of equal shape were told apart by trial ({trial.tried} tried)")
    faults = tuple(constant_fault(slots, current) for slots in trial.own)
    return Start(replace(mapping, faults=(*mapping.faults, *faults)), weights, notes, even)


@dataclass
class Trial:
    """Runs of both models under random weights.

    Args:
        draw: the inputs. current: the arrays as the models have them.
        own: constants that keep the numbers of either side.
        tried: runs so far. found: what came of telling arrays apart.
    """

    pair: Pair
    draw: Draw
    current: dict[str, dict]
    own: list[SlotPair]
    tried: int = 0
    found: Identified = Identified()

    def settled(self, mapping: Mapping) -> Mapping | None:
        """The mapping, or another one, under which the outputs agree; along the names where they tell no difference."""
        self.until = time.monotonic() + TRIAL_SECONDS
        weights = self.weights(mapping)
        if not self.agrees(*weights):

            def under(tried: Mapping) -> tuple[dict, dict]:
                return weights if tried is mapping else self.weights(tried)

            self.found = identified(mapping, under, self.agrees_again, self.inputs)
            if self.found.mapping is None or not self.found.sure:
                return None
            mapping = self.found.mapping
        named = by_names(mapping)
        if named is not None and self.agrees_again(*self.weights(named)):
            mapping = named
        return mapping.settled()

    def weights(self, mapping: Mapping) -> tuple[dict, dict]:
        """Random weights of both sides, as a mapping pairs them; biases without partner are zero."""
        lone = alone(mapping)
        mxnet = draw_weights(list(mapping.mxnet), self.current["mxnet"], 0, lone["mxnet"])
        mxnet = self.pair.keep(zeroed(mxnet, mapping.mxnet, lone["mxnet"]).items())
        torch = mapping.to_torch(mxnet, self.current["torch"])
        torch.update({slots.torch.name: np.array(self.current["torch"][slots.torch.name]) for slots in self.own})
        return mxnet, self.pair.keep(zeroed(torch, mapping.torch, lone["torch"]).items())

    def inputs(self) -> dict[str, dict[str, list]]:
        """Digests of what the layers of both sides are given now."""
        return self.pair.both("layer_inputs", **self.draw.arguments)

    def agrees_again(self, mxnet: dict, torch: dict) -> bool:
        """`agrees`, counted, while there are runs or time left."""
        self.tried += 1
        over = self.tried > TRIAL_RUNS and time.monotonic() > self.until
        return not over and self.agrees(mxnet, torch)

    def agrees(self, mxnet: dict, torch: dict) -> bool:
        """Whether the outputs agree once some arrays of both sides have new numbers."""
        try:
            weights = {"mxnet": mxnet, "torch": torch}
            found = self.pair.each(lambda side: outputs_under(side, weights[side.framework], self.draw))
        except CrossfwError:
            return False
        (target, narrow), (own, _) = found["mxnet"], found["torch"]
        units = self.pair.units["mxnet"]
        terms = max(longest_sum(units), self.pair.positions)
        limit = NARROW if narrow else rounding_bound(self.pair.settings["dtype"] or "float64", terms, len(units))
        return all(error_of(*same_shape(a, b)) <= limit for _, _, a, b in by_order(target, own))


def zeroed(arrays: dict[str, np.ndarray], units: Iterable[Unit], lone: set) -> dict[str, np.ndarray]:
    """The arrays, in place, with zeros for biases without a partner."""
    for slot in (slot for unit in units for slot in unit.slots):
        if place(slot) in lone and slot.learns and len(slot.shape) == 1:
            slot.write(arrays[slot.name], np.zeros(slot.shape))
    return arrays


def differing(pair: Pair, mapping: Mapping, current: dict[str, dict]) -> list[SlotPair]:
    """Pairs of constants that the models have with other numbers.

    One of torch whose numbers are all equal may wait for those of MXNet's checkpoint.
    """
    found = []
    for slots in mapping.slot_pairs():
        if (slots.mxnet.constant or slots.torch.constant) and not (slots.mxnet.learns or slots.torch.learns):
            mxnet, torch = current["mxnet"][slots.mxnet.name], current["torch"][slots.torch.name]
            waits = pair.settings["checkpoints"]["mxnet"] and torch.size > 1 and (torch == torch.flat[0]).all()
            if not waits and error_of(values(slots, "torch", torch), values(slots, "mxnet", mxnet)) > SAME:
                found.append(slots)
    return found


def constant_fault(slots: SlotPair, current: dict[str, dict]) -> str:
    """What a constant is on both sides."""
    ours = values(slots, "torch", current["torch"][slots.torch.name]).reshape(-1)
    theirs = values(slots, "mxnet", current["mxnet"][slots.mxnet.name]).reshape(-1)
    at = int(np.argmax(np.abs(ours.astype(np.float64) - theirs.astype(np.float64))))
    told = f"number {at} of {ours.size} is {ours[at]:g} in torch and {theirs[at]:g} in MXNet"
    return f"the constant {label(slots.torch)} differs from {label(slots.mxnet)} of MXNet: {told}"


def without(mapping: Mapping, left_out: list[SlotPair]) -> Mapping:
    """The mapping without some pairs of constants."""
    pairs = [replace(p, slots=tuple(slots for slots in p.slots if slots not in left_out)) for p in mapping.pairs]
    return replace(mapping, pairs=tuple(pair for pair in pairs if pair.slots or pair.mxnet.kind != "raw"))


def outputs_under(side: Any, weights: dict[str, np.ndarray], draw: Draw) -> tuple[dict[str, np.ndarray], bool]:
    """A side's outputs in inference mode with given weights, and whether some of it was computed in float32."""
    side.call("load", values=weights)
    found = side.call("forward", **draw.arguments, training=False)
    return found["outputs"], bool(found.get("narrow"))


def starting_weights(
    pair: Pair, mapping: Mapping, current: dict[str, dict], own: list[SlotPair], even: bool
) -> tuple[dict[str, dict], list[str]]:
    """The weights that both sides start from: those of a checkpoint, or random ones; but for constants of their own.

    Raises:
        CrossfwError: a checkpoint holds NaN.
    """
    files = {framework: path for framework, path in pair.settings["checkpoints"].items() if path}
    for framework, path in files.items():
        require_numbers(current[framework], path)
    if len(files) == 2:
        return current, ["weights: both checkpoints"]
    if "torch" in files:
        mxnet = mapping.to_mxnet(current["torch"], current["mxnet"])
        mxnet.update({slots.mxnet.name: current["mxnet"][slots.mxnet.name] for slots in own})
        weights = {"torch": current["torch"], "mxnet": pair.keep(mxnet.items())}
        return weights, ["weights: those of the torch checkpoint, on both sides"]
    if "mxnet" in files:
        mxnet, note = current["mxnet"], "weights: those of the MXNet checkpoint, on both sides"
    else:
        mxnet = pair.keep(draw_mxnet(mapping, current["mxnet"], 0, even).items())
        note = "weights: random ones, seed 0" + ", the same in parameters of equal kind and shape" * even
    torch = mapping.to_torch(mxnet, current["torch"])
    torch.update({slots.torch.name: current["torch"][slots.torch.name] for slots in own})
    return {"mxnet": mxnet, "torch": pair.keep(torch.items())}, [note]


def require_numbers(arrays: dict[str, np.ndarray], path: str) -> None:
    """Raise CrossfwError where weights are NaN or infinite."""
    broken = [name for name, a in arrays.items() if a.dtype.kind == "f" and not np.isfinite(a).all()]
    if broken:
        found = f"NaN or infinite numbers in {', '.join(broken[:5])}" + (" and more" if len(broken) > 5 else "")
        raise CrossfwError(f"the weights of {path}", found, "give a checkpoint whose weights are numbers")

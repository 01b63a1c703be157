"""Random weights under which faults show: no zeros, no ones, nothing symmetric, variances positive."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from crossfw.matching.exchange import exchangeable, members_of
from crossfw.matching.match import Mapping, place
from crossfw.matching.units import Slot, Unit

STREAM = 23
STATISTICS = ("running_mean", "running_var")


def draw_weights(
    units: list[Unit], current: dict[str, np.ndarray], seed: int, alone: Collection = (), wide: bool = False
) -> dict[str, np.ndarray]:
    """New values for a model's arrays by name, float64.

    Matrices keep the size of what flows through them (standard deviation 1 / sqrt(inputs)); sizes of scales lie in
    [0.5, 1.5], running variances in [0.5, 2]. Scales and slopes have both signs. A gamma that counts as 1 is 1. Arrays
    of a user's own that do not learn keep what the model gave them, and so do gammas and betas that do not learn and
    have no partner.

    Args:
        alone: (name, offset) of what has no partner on the other side.
        wide: whether biases and shifts have sizes from 0.1 to 100, so that what follows them is taken over its whole
            range: clips, thresholds, saturation.
    """
    rng = np.random.default_rng([seed, STREAM])
    values = {name: np.array(array, np.float64) for name, array in current.items()}
    written: set[tuple[str, int]] = set()
    for unit in units:
        for slot in unit.slots:
            value = drawn(rng, unit, slot, wide)
            own = (unit.kind == "raw" or (slot.name, slot.offset) in alone) and not slot.learns
            if (slot.name, slot.offset) not in written and not (own and slot.role not in STATISTICS):
                slot.write(values[slot.name], value)
                written.add((slot.name, slot.offset))
    return values


def drawn(rng: np.random.Generator, unit: Unit, slot: Slot, wide: bool = False) -> np.ndarray:
    """New values for one slot."""
    shape = slot.shape

    def signs() -> np.ndarray:
        return rng.choice([-1.0, 1.0], shape)

    if slot.role == "running_var":
        return rng.uniform(0.5, 2.0, shape)
    if slot.role == "running_mean":
        return rng.normal(0.0, 0.3, shape)
    if slot.role == "gamma":
        own = rng.uniform(0.5, 1.5, shape) * signs()
        return own if slot.counts_as is None else np.full(shape, slot.counts_as)
    if slot.role == "alpha":
        return rng.uniform(0.1, 0.4, shape) * signs()
    if unit.kind == "embedding":
        return rng.normal(0.0, 1.0, shape)
    if len(shape) < 2 and wide:
        return 10.0 ** rng.uniform(-1.0, 2.0, shape) * signs()
    if len(shape) < 2:
        return rng.normal(0.0, 0.3, shape)
    fan_in = np.prod(shape[1:])
    if unit.kind == "conv_transpose":
        fan_in = shape[0]
    if unit.kind == "raw":  # either way round
        fan_in = max(np.prod(shape[1:]), shape[0])
    return rng.normal(0.0, 1.0 / np.sqrt(fan_in), shape)


def draw_mxnet(
    mapping: Mapping, current: dict[str, np.ndarray], seed: int, even: bool, wide: bool = False
) -> dict[str, np.ndarray]:
    """New values for the arrays of MXNet's side of a mapping; `even`: see `evened`, the rest as for `draw_weights`."""
    values = draw_weights(list(mapping.mxnet), current, seed, alone(mapping)["mxnet"], wide)
    return evened(mapping, values) if even else values


def evened(mapping: Mapping, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """MXNet's arrays, in place, with the same numbers in all that could be taken for each other.

    Whatever then differs is no question of which array is which.
    """
    members = members_of(mapping)
    for group in exchangeable(members):
        first = members[group[0]].slots.mxnet
        value = np.array(first.read(values[first.name]))
        if any(members[number].turnable for number in group):
            value = (value + value.T) / 2
        for slot in (members[number].slots.mxnet for number in group):
            slot.write(values[slot.name], value)
    return values


def alone(mapping: Mapping) -> dict[str, set]:
    """Of both sides the places that have no partner."""
    found = {}
    for side, units in (("mxnet", mapping.mxnet), ("torch", mapping.torch)):
        done = {place(getattr(slots, side)) for slots in mapping.slot_pairs()}
        found[side] = {place(slot) for unit in units for slot in unit.slots} - done
    return found

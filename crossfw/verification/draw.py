"""Random weights under which faults show: no zeros, no ones, nothing symmetric, variances positive."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from crossfw.weights.units import Slot, Unit

STREAM = 23
STATISTICS = ("running_mean", "running_var")


def draw_weights(
    units: list[Unit], current: dict[str, np.ndarray], seed: int, alone: Collection = ()
) -> dict[str, np.ndarray]:
    """New values for a model's arrays by name, float64.

    Matrices keep the size of what flows through them (standard deviation 1 / sqrt(inputs)); scales lie in
    [0.5, 1.5], running variances in [0.5, 2]. A gamma that counts as 1 is 1. Arrays of a user's own that do not learn
    keep what the model gave them, and so do gammas and betas that do not learn and have no partner.

    Args:
        alone: (name, offset) of what has no partner on the other side.
    """
    rng = np.random.default_rng([seed, STREAM])
    values = {name: np.array(array, np.float64) for name, array in current.items()}
    written: set[tuple[str, int]] = set()
    for unit in units:
        for slot in unit.slots:
            value = drawn(rng, unit, slot)
            own = (unit.kind == "raw" or (slot.name, slot.offset) in alone) and not slot.learns
            if (slot.name, slot.offset) not in written and not (own and slot.role not in STATISTICS):
                slot.write(values[slot.name], value)
                written.add((slot.name, slot.offset))
    return values


def drawn(rng: np.random.Generator, unit: Unit, slot: Slot) -> np.ndarray:
    """New values for one slot."""
    shape = slot.shape
    if slot.role == "running_var":
        return rng.uniform(0.5, 2.0, shape)
    if slot.role == "running_mean":
        return rng.normal(0.0, 0.3, shape)
    if slot.role == "gamma":
        return rng.uniform(0.5, 1.5, shape) if slot.counts_as is None else np.full(shape, slot.counts_as)
    if slot.role == "alpha":
        return rng.uniform(0.1, 0.4, shape)
    if unit.kind == "embedding":
        return rng.normal(0.0, 1.0, shape)
    if len(shape) < 2:
        return rng.normal(0.0, 0.3, shape)
    fan_in = np.prod(shape[1:])
    if unit.kind == "conv_transpose":
        fan_in = shape[0]
    if unit.kind == "raw":  # either way round
        fan_in = max(np.prod(shape[1:]), shape[0])
    return rng.normal(0.0, 1.0 / np.sqrt(fan_in), shape)

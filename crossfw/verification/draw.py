"""Random weights under which faults show: no zeros, no ones, nothing symmetric, variances positive."""

from __future__ import annotations

import numpy as np

from crossfw.weights.units import Slot, Unit

STREAM = 23


def draw_weights(units: list[Unit], current: dict[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
    """New values for a model's arrays by name, float64.

    Matrices keep the size of what flows through them (standard deviation 1 / sqrt(inputs)); scales lie in
    [0.5, 1.5], running variances in [0.5, 2]. A gamma that does not learn is 1, which is what MXNet's `fix_gamma` takes
    it for whatever is stored; other arrays that do not learn keep what the model gave them.
    """
    rng = np.random.default_rng([seed, STREAM])
    values = {name: np.array(array, np.float64) for name, array in current.items()}
    written: set[tuple[str, int]] = set()
    for unit in units:
        for slot in unit.slots:
            value = _draw(rng, unit, slot)
            if value is not None and (slot.name, slot.offset) not in written:
                slot.write(values[slot.name], value)
                written.add((slot.name, slot.offset))
    return values


def _draw(rng: np.random.Generator, unit: Unit, slot: Slot) -> np.ndarray | None:
    shape = slot.shape
    if slot.role == "running_var":
        return rng.uniform(0.5, 2.0, shape)
    if slot.role == "running_mean":
        return rng.normal(0.0, 0.3, shape)
    if slot.role == "gamma":
        return rng.uniform(0.5, 1.5, shape) if slot.learns else np.ones(shape)
    if slot.role == "beta" and not slot.learns:
        return np.zeros(shape)
    if not slot.learns and unit.kind == "raw":
        return None
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

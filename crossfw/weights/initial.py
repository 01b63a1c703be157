"""Values to start from, drawn once in NumPy for every implementation.

All are rounded to float32, so that float32 and float64 runs start from the very same numbers.
"""

from __future__ import annotations

import numpy as np

DISTRIBUTIONS = ("normal", "uniform")
Arrays = dict


def round_to_float32(array: np.ndarray) -> np.ndarray:
    """The nearest float32 values, as float64."""
    return array.astype(np.float32).astype(np.float64)


def initial_parameters(shapes: dict, distribution: str, scale: float, seed: int) -> Arrays:
    """A recipe's start: weights N(0, scale^2) or U(-scale, scale), biases (one-dimensional) zero; float64."""
    rng = np.random.default_rng([seed, 1])
    draw = {
        "normal": lambda shape: rng.normal(0.0, scale, shape),
        "uniform": lambda shape: rng.uniform(-scale, scale, shape),
    }[distribution]
    return {
        name: round_to_float32(draw(shape)) if len(shape) > 1 else np.zeros(shape) for name, shape in shapes.items()
    }


def revealing_parameters(shapes: dict, seed: int) -> Arrays:
    """Values under which faults show: none is zero or one, biases count, and no matrix is symmetric.

    Magnitudes are uniform in [0.3, 1] times 1 / sqrt(columns), which keeps a linear recurrence from growing.
    """
    rng = np.random.default_rng([seed, 2])
    values = {}
    for name, shape in shapes.items():
        magnitude = rng.uniform(0.3, 1.0, shape) / np.sqrt(shape[-1] if len(shape) > 1 else 4.0)
        values[name] = round_to_float32(magnitude * rng.choice([-1.0, 1.0], shape))
    return values


def one_ulp_away(parameters: Arrays, dtype: str) -> Arrays:
    """Every nonzero value moved up by one unit in the last place of `dtype`, as float64."""
    moved = {}
    for name, value in parameters.items():
        typed = value.astype(dtype)
        moved[name] = np.where(typed == 0, typed, np.nextafter(typed, np.inf, dtype=dtype)).astype(np.float64)
    return moved

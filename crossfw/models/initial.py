"""Values to start from, drawn once in NumPy for every implementation.

All are rounded to float32, so that float32 and float64 runs start from the very same numbers.
"""

from __future__ import annotations

import re

import numpy as np

DISTRIBUTIONS = ("normal", "uniform", "torch", "xavier")
SCALED = ("normal", "uniform")
Arrays = dict


def round_to_float32(array: np.ndarray) -> np.ndarray:
    """The nearest float32 values, as float64."""
    return array.astype(np.float32).astype(np.float64)


def initial_parameters(shapes: dict, distribution: str, scale: float | None, seed: int) -> Arrays:
    """A recipe's start, float64.

    Args:
        distribution: "normal", weights N(0, scale^2), or "uniform", weights U(-scale, scale); "xavier", weights
            U(-a, a) with a = sqrt(6 / (rows + columns)) (Glorot and Bengio, 2010; gluon's `Xavier`); biases
            (one-dimensional) zero in all three. "torch", PyTorch's defaults: weights and biases of a recurrent cell
            U(-1/sqrt(H), 1/sqrt(H)), of a linear layer the same with its inputs in place of H, embeddings N(0, 1).
    """
    rng = np.random.default_rng([seed, 1])

    def torch_default(name: str, shape: tuple) -> np.ndarray:
        if name.endswith("W_e"):
            return rng.normal(0.0, 1.0, shape)
        return rng.uniform(-1, 1, shape) / np.sqrt(_inputs(name, shapes))

    def draw(name: str, shape: tuple) -> np.ndarray:
        if distribution == "torch":
            return torch_default(name, shape)
        if len(shape) == 1:
            return np.zeros(shape)
        if distribution == "normal":
            return rng.normal(0.0, scale, shape)
        return rng.uniform(-1, 1, shape) * (scale if distribution == "uniform" else np.sqrt(6 / sum(shape)))

    return {name: round_to_float32(draw(name, shape)) for name, shape in shapes.items()}


def _inputs(name: str, shapes: dict) -> int:
    """H of the recurrent cell that a parameter belongs to, or the inputs of its linear layer."""
    linear = re.sub("(W|b)_q|(W|b)_hq", "W_hq", name)
    if linear in shapes and "q" in name:
        return shapes[linear][1]
    recurrent, dense = (re.sub("W_xh|W_hh|b_xh|b_hh|b_h", weight, name) for weight in ("W_hh", "W_xh"))
    return shapes[recurrent if recurrent in shapes else dense][1]


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

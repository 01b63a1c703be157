"""Values to start from, drawn once in NumPy for every implementation.

All are rounded to float32, so that float32 and float64 runs start from the very same numbers.
"""

from __future__ import annotations

import numpy as np

DISTRIBUTIONS = ("normal", "uniform", "torch", "xavier")
SCALED = ("normal", "uniform")
Arrays = dict


def round_to_float32(array: np.ndarray) -> np.ndarray:
    """The nearest float32 values, as float64."""
    return array.astype(np.float32).astype(np.float64)


def initial_parameters(shapes: dict, distribution: str, scale: float | None, seed: int, hidden_size: int = 1) -> Arrays:
    """A recipe's start, float64.

    Args:
        distribution: "normal", weights N(0, scale^2), or "uniform", weights U(-scale, scale); "xavier", weights
            U(-a, a) with a = sqrt(6 / (rows + columns)) (Glorot and Bengio, 2010; gluon's `Xavier`); biases
            (one-dimensional) zero in all three. "torch", PyTorch's defaults: recurrent weights and biases
            U(-1/sqrt(H), 1/sqrt(H)), output layers the same with their inputs in place of H, embeddings N(0, 1).
        hidden_size: H, for "torch".
    """
    rng = np.random.default_rng([seed, 1])

    def torch_default(name: str, shape: tuple) -> np.ndarray:
        if name.endswith("W_e"):
            return rng.normal(0.0, 1.0, shape)
        inputs = shapes[name.replace("b_q", "W_hq")][1] if name.startswith(("W_hq", "b_q")) else hidden_size
        return rng.uniform(-1, 1, shape) / np.sqrt(inputs)

    def draw(name: str, shape: tuple) -> np.ndarray:
        if distribution == "torch":
            return torch_default(name, shape)
        if len(shape) == 1:
            return np.zeros(shape)
        if distribution == "normal":
            return rng.normal(0.0, scale, shape)
        return rng.uniform(-1, 1, shape) * (scale if distribution == "uniform" else np.sqrt(6 / sum(shape)))

    return {name: round_to_float32(draw(name, shape)) for name, shape in shapes.items()}


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

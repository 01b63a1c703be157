"""Random numbers that both frameworks draw alike.

Dropout follows the unit: whether a value is dropped is told by the value itself (to a part in 8,192), so that the same
units are dropped whatever the layout, and whether a layer is run whole or step by step. Ones, of which a mask is made
that is kept, tell nothing: they and what else is drawn are paired by order and size.
"""

from __future__ import annotations

import numpy as np

STREAM, DRAWN = 11, 31
SMALL = 1e-10  # what lies below is as good as zero, and its digits are noise
OFF = "dropout is switched off where float32 computes: units are told by their values; its rates are compared"


class Masks:
    """The random numbers of one run of a model.

    Args:
        seed: of the run.
        on: whether dropout drops anything.
    """

    def __init__(self, seed: int, on: bool = True):
        self.seed, self.on = seed, on
        self.calls: list[tuple[tuple, float]] = []
        self.drawn: list[tuple[str, int]] = []
        self.notes: list[str] = []

    def draw(self, values: np.ndarray, shape: tuple, p: float) -> np.ndarray:
        """A mask, 0 or 1 / (1 - p), float64, of the shape; p is the probability that a unit is dropped.

        Args:
            values: what the mask is for.
            shape: of the mask; where it is 1 and the values' is not, units are dropped together.
        """
        self.calls.append((tuple(shape), float(p)))
        if not self.on:
            self.note(OFF)
            return np.ones(shape)
        axes = tuple(i for i, size in enumerate(shape) if size == 1 and values.shape[i] != 1)
        together = values.sum(axis=axes, keepdims=True) if axes else values
        if values.size > 1 and values.flat[0] and (values == values.flat[0]).all():
            return (self.random("uniform", shape) < 1 - p) / (1 - p) if p < 1 else np.zeros(shape)
        return (uniform_of(together, self.seed) >= p) / (1 - p) if p < 1 else np.zeros(shape)

    def random(self, kind: str, shape: tuple) -> np.ndarray:
        """The next numbers of a kind, "uniform" in [0, 1) or "normal", float64, of the shape."""
        size = int(np.prod(shape, dtype=np.int64))
        rng = np.random.default_rng([self.seed, DRAWN, len(self.drawn)])
        self.drawn.append((kind, size))
        return (rng.random(size) if kind == "uniform" else rng.standard_normal(size)).reshape(shape)

    def note(self, text: str) -> None:
        """Keep a remark, once."""
        if text not in self.notes:
            self.notes.append(text)


def uniform_of(values: np.ndarray, seed: int) -> np.ndarray:
    """A number in [0, 1) for every value, the same for values that agree to a part in 8,192."""
    values = np.nan_to_num(np.asarray(values, np.float64))
    sizes = np.log2(np.maximum(np.abs(values), SMALL))  # steps of equal ratio; round numbers lie within one
    key = 2 * np.floor(sizes * 2**13 + 0.377).astype(np.int64) + (values < -SMALL)
    return _scrambled(key.astype(np.uint64) + np.uint64(seed * 0x9E3779B9 + STREAM)) / 2.0**53


def _scrambled(key: np.ndarray) -> np.ndarray:
    """53 bits of each number, well mixed (splitmix64; Steele, Lea and Flood, 2014)."""
    with np.errstate(over="ignore"):
        key = key + np.uint64(0x9E3779B97F4A7C15)
        key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return ((key ^ (key >> np.uint64(31))) >> np.uint64(11)).astype(np.float64)

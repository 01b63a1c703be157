"""Constants that a user wrote as decimals and a framework holds as float32, in float64.

123.68 held as float32 is 123.68000030517578. Where one side holds it so, and the other has the number itself in its
code, the two are the same model, and in float64 they would differ by 2e-9. So a float32 constant is widened to the
decimal that it stands for: the shortest one that rounds to it.
"""

from __future__ import annotations

import numpy as np

LARGEST = 4096  # tables of more numbers than that are computed, not written


def widened(array: np.ndarray) -> np.ndarray:
    """A float32 array as float64."""
    if array.size > LARGEST:
        return array.astype(np.float64)
    with np.errstate(all="ignore"):
        return np.array([float(str(number)) for number in array.reshape(-1)], np.float64).reshape(array.shape)


def rounded(array: np.ndarray) -> bool:
    """Whether numbers are known to float32 only, widened or not; whole ones and decimals of six digits are known."""
    if array.dtype.kind != "f" or not array.size or (array == np.round(array)).all():
        return False
    narrow = array.astype(np.float32)
    if not (narrow.astype(np.float64) == array).all() and not (widened(narrow) == array).all():
        return False
    return array.size > LARGEST or any(float(f"{number:.6g}") != number for number in array.reshape(-1))


def moved(array: np.ndarray, seed: int) -> np.ndarray:
    """Numbers that are known to float32 only, each moved by a unit in its last place; whole ones stay."""
    if (array == np.round(array)).all():
        return array
    signs = np.random.default_rng([seed, array.size]).choice([-1.0, 1.0], array.shape)
    return array * (1 + float(np.finfo(np.float32).eps) * signs)

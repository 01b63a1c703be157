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

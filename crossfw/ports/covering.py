"""Integers drawn over the whole range of a table, as far as there are places for them."""

from __future__ import annotations

import numpy as np

STREAM = 29


def covering(shape: tuple[int, ...], rows: int, seed: int) -> np.ndarray:
    """Integers from 0 to rows - 1 in an order by chance: each once before any a second time, both ends in any case."""
    rng = np.random.default_rng([seed, STREAM])
    count = int(np.prod(shape, dtype=np.int64))
    inner = rng.permutation(np.arange(1, max(rows - 1, 1)))
    values = np.concatenate([[0, rows - 1], inner, rng.integers(0, rows, count)])[:count]
    return rng.permutation(values).reshape(shape)

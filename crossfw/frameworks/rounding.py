"""The rounding of another implementation, brought into the training of the reference: what the noise floor is made of.

Two right implementations start alike, and then each rounds in its own way at every update. Weights moved by one unit
in the last place stand for inner products that are added up in another order. The norm that clips has a way of its own
to be added up: NumPy adds pairwise, which is nearly exact; a loop over a vector register adds one square after the
other, each lane for itself, as torch's norm does, and over a large gradient that is the coarsest rounding of an update.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

REGISTER_BYTES = 32  # AVX2: the narrowest that frameworks are built for


def sum_of_squares_by_lanes(array: np.ndarray) -> np.ndarray:
    """The sum of an array's squares, each lane of a register added up one after the other, then the lanes."""
    squares, lanes = (array * array).ravel(), REGISTER_BYTES // array.itemsize
    whole = len(squares) - len(squares) % lanes
    return np.add.reduce(squares[:whole].reshape(-1, lanes), axis=0).sum() + squares[whole:].sum()


class OtherRounding:
    """Rounds as another implementation might, anew at every update.

    Args:
        seed: of the directions in which weights are moved.
    """

    def __init__(self, seed: list[int]):
        self.rng = np.random.default_rng(seed)

    @contextmanager
    def of_weights(self, parameters: dict[str, np.ndarray]) -> Iterator[None]:
        """Within, every weight is one unit in the last place away, up or down at random; zeros stay."""
        kept = {name: value.copy() for name, value in parameters.items()}
        for value in parameters.values():
            towards = np.where(self.rng.random(value.shape) < 0.5, -np.inf, np.inf).astype(value.dtype)
            np.nextafter(value, towards, out=value, where=value != 0)
        try:
            yield
        finally:
            for name, value in parameters.items():
                value[...] = kept[name]

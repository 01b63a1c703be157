"""Dropout masks that both frameworks draw alike: by the number of the call and the shape, from one seed."""

from __future__ import annotations

import numpy as np

STREAM = 11


class Masks:
    """The masks of one run of a model.

    Args:
        seed: of the run.
    """

    def __init__(self, seed: int):
        self.seed, self.calls, self.notes = seed, [], []

    def draw(self, shape: tuple, p: float) -> np.ndarray:
        """The next mask, 0 or 1 / (1 - p), float64, of the shape; p is the probability that a unit is dropped."""
        uniform = np.random.default_rng([self.seed, STREAM, len(self.calls)]).random(shape)
        self.calls.append((shape, p))
        return (uniform >= p) / (1 - p) if p < 1 else np.zeros(shape)

    def note(self, text: str) -> None:
        """Keep a remark, once."""
        if text not in self.notes:
            self.notes.append(text)

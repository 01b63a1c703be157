"""Data that a task file holds itself: one small batch of feature vectors, for worked examples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossfw.data.batches import Batch
from crossfw.errors import CrossfwError


@dataclass(frozen=True)
class InlineSpec:
    """`[data]` with the numbers in place.

    Attributes:
        features: (T, N, D), nested sequences of numbers.
        targets: (T, N), class indices from 0.
    """

    features: tuple
    targets: tuple

    def __post_init__(self) -> None:
        self.batch()

    def batch(self) -> Batch:
        """The one batch: inputs (T, N, D) float64, targets (T, N) int64.

        Raises:
            CrossfwError: if the shapes do not fit, or a target is negative.
        """
        asked = "features (T, N, D) and targets (T, N)"
        try:
            features = np.array(self.features, dtype=np.float64)
            targets = np.array(self.targets, dtype=np.int64)
        except (TypeError, ValueError) as error:
            raise CrossfwError(asked, f"ragged or not numbers: {error}", "give equal lengths") from error
        if features.ndim != 3 or features.size == 0 or targets.shape != features.shape[:2] or targets.min() < 0:
            found = f"features of shape {features.shape}, targets of shape {targets.shape}"
            raise CrossfwError(asked, found, "give a target of at least 0 for every step of every sequence")
        return Batch(features, targets)

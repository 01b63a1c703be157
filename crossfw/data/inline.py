"""Data that a task file holds itself: one small batch of feature vectors, for worked examples."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from crossfw.data.batches import Batch
from crossfw.errors import CrossfwError
from crossfw.measures import accuracy


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


@dataclass(frozen=True, eq=False)
class InlineDataset:
    """The one batch with the members that all datasets have."""

    carries_state: ClassVar[bool] = False
    floor: ClassVar[None] = None

    spec: InlineSpec

    def training(self, seed: int, epoch: int) -> list[Batch]:
        """The one batch, whatever the seed and epoch."""
        return [self.spec.batch()]

    def validation(self) -> list[Batch]:
        """None."""
        return []

    def test(self) -> list[Batch]:
        """None."""
        return []

    def batches(self, split: str) -> list[Batch]:
        """The one batch for "training"; the other splits are empty."""
        return [self.spec.batch()] if split == "training" else []

    @property
    def sizes(self) -> dict[str, int]:
        """ "input_size", the features of a step, and "output_size", the classes up to the highest target."""
        batch = self.spec.batch()
        return {"input_size": batch.inputs.shape[-1], "output_size": int(batch.targets.max()) + 1}

    def describe(self) -> dict[str, int]:
        """Sizes of the batch, for a report."""
        steps, sequences, features = self.spec.batch().inputs.shape
        return {"features": features, "steps": steps, "training sequences": sequences}

    def measures(self, predictions: list[np.ndarray], split: str) -> dict[str, float]:
        """The "accuracy" on the one batch."""
        return {"accuracy": accuracy(self.spec.batch().targets.ravel(), predictions[0].ravel())} if predictions else {}

    def show(self, predictions: list[np.ndarray], split: str, count: int) -> list[dict[str, str]]:
        """None: there is no text."""
        return []

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over the batch, to cache by."""
        batch = self.spec.batch()
        shape = repr(batch.inputs.shape).encode()
        content = batch.inputs.astype("<f8").tobytes() + batch.targets.astype("<i8").tobytes()
        return hashlib.sha256(shape + content).hexdigest()

"""Dropout masks, drawn in NumPy: every implementation drops the same units."""

from __future__ import annotations

from typing import Any

import numpy as np


def masks(spec: Any, batch: dict, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The masks of a batch by name, float32 values: 0 with the probability `spec.dropout`, else 1 / (1 - dropout)."""
    kept = np.float32(1 / (1 - spec.dropout))
    return {
        name: np.where(rng.random(shape) < spec.dropout, np.float32(0), kept)
        for name, shape in spec.keep_shapes(batch).items()
    }

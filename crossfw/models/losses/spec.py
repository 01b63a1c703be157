"""Cross-entropy of outputs y (..., Q) and targets (...), in nats, over the positions that a mask shows:

    l = -log softmax(y)[target]

    "mean"            sum of all l / number of positions
    "sum"             sum of all l
    "sequence means"  sum over the sequences of the mean over all T steps, where hidden positions count 0 but stay in T
                      (D2L's masked loss, and torch's CrossEntropyLoss summed over the samples of a batch)

A mask (T, N) shows or hides every output of its step; outputs of one class per sequence have none.
"""

from __future__ import annotations

import numpy as np

REDUCTIONS = ("mean", "sum", "sequence means")


def positions(targets: np.ndarray, mask: np.ndarray | None) -> int:
    """How many outputs the loss is about."""
    if mask is None:
        return int(targets.size)
    return int(mask.sum()) * int(np.prod(targets.shape[mask.ndim :]))


def terms(targets: np.ndarray, mask: np.ndarray | None, reduction: str) -> int:
    """What the sum of all l is divided by."""
    return {"mean": positions(targets, mask), "sum": 1, "sequence means": len(targets)}[reduction]

"""The head in NumPy, and its back-propagation by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from crossfw.models.heads.sequence.numpy import linear_backward


def counts(hidden: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """Real steps of each sequence (N, 1)."""
    return (np.ones(hidden.shape[:2], hidden.dtype) if mask is None else mask).sum(axis=0)[:, None]


def pool(spec: Any, hidden: np.ndarray, last: dict, mask: np.ndarray | None) -> np.ndarray:
    """One vector (N, width) for each sequence; hidden states of masked steps are 0."""
    if spec.pool == "mean":
        return hidden.sum(axis=0) / counts(hidden, mask)
    return np.concatenate([last[name] for name in spec.last_states()], axis=-1)


def apply(spec: Any, p: dict, hidden: np.ndarray, last: dict, mask: np.ndarray | None) -> np.ndarray:
    """Outputs (N, Q) from hidden states (T, N, width) and the last state."""
    return pool(spec, hidden, last, mask) @ p["W_hq"].T + p["b_q"]


def backward(
    spec: Any, p: dict, gradients: dict, hidden: np.ndarray, last: dict, mask: np.ndarray | None, d_output: np.ndarray
) -> tuple[np.ndarray, dict]:
    """The gradients of the hidden states and of the last state."""
    d_vector = linear_backward(p, gradients, "", pool(spec, hidden, last, mask), d_output)
    d_last = {name: np.zeros_like(value) for name, value in last.items()}
    if spec.pool == "mean":
        return np.broadcast_to(d_vector / counts(hidden, mask), hidden.shape), d_last
    parts = np.split(d_vector, np.cumsum(spec.stack.sizes)[:-1], axis=-1)
    d_last.update(zip(spec.last_states(), parts))
    return np.zeros_like(hidden), d_last

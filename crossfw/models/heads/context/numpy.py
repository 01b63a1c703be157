"""The head in NumPy, and its back-propagation by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from crossfw.models.heads.sequence.numpy import linear_backward


def apply(spec: Any, p: dict, hidden: np.ndarray, last: dict, mask: np.ndarray | None) -> np.ndarray:
    """Outputs (T, N, 2, Q) from hidden states (T, N, width)."""
    ahead, behind = np.split(hidden, [spec.stack.sizes[0]], axis=-1)
    return np.stack([ahead @ p["W_hq"].T + p["b_q"], behind @ p["W_hq_reverse"].T + p["b_q_reverse"]], axis=2)


def backward(
    spec: Any, p: dict, gradients: dict, hidden: np.ndarray, last: dict, mask: np.ndarray | None, d_output: np.ndarray
) -> tuple[np.ndarray, dict]:
    """The gradients of the hidden states and of the last state."""
    ahead, behind = np.split(hidden, [spec.stack.sizes[0]], axis=-1)
    d_ahead = linear_backward(p, gradients, "", ahead, d_output[:, :, 0])
    d_behind = linear_backward(p, gradients, "_reverse", behind, d_output[:, :, 1])
    return np.concatenate([d_ahead, d_behind], axis=-1), {name: np.zeros_like(value) for name, value in last.items()}

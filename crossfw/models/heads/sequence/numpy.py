"""The head in NumPy, and its back-propagation by hand."""

from __future__ import annotations

from typing import Any

import numpy as np


def linear_backward(p: dict, gradients: dict, ending: str, vectors: np.ndarray, d_output: np.ndarray) -> np.ndarray:
    """Collect the gradients of W_hq and b_q from those of y = W_hq v + b_q; the gradient of v."""
    flat = d_output.reshape(-1, d_output.shape[-1])
    gradients["W_hq" + ending] += flat.T @ vectors.reshape(-1, vectors.shape[-1])
    gradients["b_q" + ending] += flat.sum(axis=0)
    return d_output @ p["W_hq" + ending]


def apply(spec: Any, p: dict, hidden: np.ndarray, last: dict, mask: np.ndarray | None) -> np.ndarray:
    """Outputs (T, N, Q) from hidden states (T, N, width)."""
    return hidden @ p["W_hq"].T + p["b_q"] if spec.readout else hidden


def backward(
    spec: Any, p: dict, gradients: dict, hidden: np.ndarray, last: dict, mask: np.ndarray | None, d_output: np.ndarray
) -> tuple[np.ndarray, dict]:
    """The gradients of the hidden states and of the last state."""
    d_hidden = linear_backward(p, gradients, "", hidden, d_output) if spec.readout else d_output
    return d_hidden, {name: np.zeros_like(value) for name, value in last.items()}

"""In NumPy, with the gradient by hand."""

from __future__ import annotations

import numpy as np

from crossfw.models.losses.spec import terms


def log_softmax(output: np.ndarray) -> np.ndarray:
    """log softmax over the last axis, shifted by the maximum so that exp cannot overflow."""
    shifted = output - output.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def cross_entropy(output: np.ndarray, targets: np.ndarray, mask: np.ndarray | None, reduction: str) -> np.ndarray:
    """The loss, a scalar in nats, of output (..., Q) and targets (...)."""
    losses = -np.take_along_axis(log_softmax(output), targets[..., None], axis=-1)[..., 0]
    if mask is not None:
        losses = losses * mask.reshape(mask.shape + (1,) * (losses.ndim - mask.ndim))
    return losses.sum() / output.dtype.type(terms(targets, mask, reduction))


def backward(output: np.ndarray, targets: np.ndarray, mask: np.ndarray | None, reduction: str) -> np.ndarray:
    """The gradient of the output: (softmax(y) - onehot(target)) mask / terms.

    What is so small that its products may be subnormal becomes zero (below 1e-31 in float32): it is below any rounding,
    and a matrix product of such numbers takes thirty times as long.
    """
    d_output = np.exp(log_softmax(output))
    chosen = np.take_along_axis(d_output, targets[..., None], axis=-1)
    np.put_along_axis(d_output, targets[..., None], chosen - 1, axis=-1)
    if mask is not None:
        d_output *= mask.reshape(mask.shape + (1,) * (d_output.ndim - mask.ndim))
    d_output /= output.dtype.type(terms(targets, mask, reduction))
    limits = np.finfo(output.dtype)
    d_output[np.abs(d_output) < limits.tiny / limits.eps] = 0
    return d_output

"""From elementary operations."""

from __future__ import annotations

from mxnet import nd


def cross_entropy(output: nd.NDArray, targets: nd.NDArray, mask: nd.NDArray | None, reduction: str) -> nd.NDArray:
    """The loss, a scalar in nats, of output (..., Q) and targets (...)."""
    losses = -nd.pick(nd.log_softmax(output, axis=-1), targets, axis=-1)
    shown = nd.ones_like(losses)
    if mask is not None:
        shown = mask.reshape(mask.shape + (1,) * (losses.ndim - mask.ndim)).broadcast_like(losses)
        losses = losses * shown
    if reduction == "mean":
        return losses.sum() / shown.sum()
    return losses.sum() if reduction == "sum" else losses.sum() / len(targets)

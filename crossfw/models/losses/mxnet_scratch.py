"""From elementary operations."""

from __future__ import annotations

from mxnet import nd


def cross_entropy(output: nd.NDArray, targets: nd.NDArray, mask: nd.NDArray | None, reduction: str) -> nd.NDArray:
    """The loss, a scalar in nats, of output (..., Q) and targets (...)."""
    losses = -nd.pick(nd.log_softmax(output, axis=-1), targets, axis=-1)
    count = losses.size
    if mask is not None:
        shown = mask.reshape(mask.shape + (1,) * (losses.ndim - mask.ndim)).broadcast_like(losses)
        losses, count = losses * shown, shown.sum()
    if reduction == "mean":
        return losses.sum() / count
    return losses.sum() if reduction == "sum" else losses.sum() / len(targets)

"""With gluon.loss.SoftmaxCrossEntropyLoss, over one row per position: it would average each sequence."""

from __future__ import annotations

from mxnet import gluon, nd


def cross_entropy(output: nd.NDArray, targets: nd.NDArray, mask: nd.NDArray | None, reduction: str) -> nd.NDArray:
    """The loss, a scalar in nats, of output (..., Q) and targets (...)."""
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    flat = output.reshape((-1, output.shape[-1])), targets.reshape(-1)
    if mask is None:
        losses = loss(*flat)
        total = losses.mean() if reduction == "mean" else losses.sum()
        return total / len(targets) if reduction == "sequence means" else total
    shown = mask.reshape(mask.shape + (1,) * (targets.ndim - mask.ndim))
    shown = shown.broadcast_to(targets.shape).reshape((-1, 1))
    total = loss(*flat, shown).sum()
    if reduction == "mean":
        return total / shown.sum()
    return total if reduction == "sum" else total / len(targets)

"""From elementary operations."""

from __future__ import annotations

import torch


def cross_entropy(
    output: torch.Tensor, targets: torch.Tensor, mask: torch.Tensor | None, reduction: str
) -> torch.Tensor:
    """The loss, a scalar in nats, of output (..., Q) and targets (...)."""
    losses = -torch.log_softmax(output, dim=-1).gather(-1, targets[..., None])[..., 0]
    count = losses.numel()
    if mask is not None:
        shown = mask.reshape(mask.shape + (1,) * (losses.ndim - mask.ndim)).expand_as(losses)
        losses, count = losses * shown, shown.sum()
    if reduction == "mean":
        return losses.sum() / count
    return losses.sum() if reduction == "sum" else losses.sum() / len(targets)

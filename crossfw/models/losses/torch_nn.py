"""With torch.nn.functional.cross_entropy."""

from __future__ import annotations

import torch
from torch.nn import functional as F


def cross_entropy(
    output: torch.Tensor, targets: torch.Tensor, mask: torch.Tensor | None, reduction: str
) -> torch.Tensor:
    """The loss, a scalar in nats, of output (..., Q) and targets (...)."""
    flat = output.reshape(-1, output.shape[-1]), targets.reshape(-1)
    if mask is None:
        total = F.cross_entropy(*flat, reduction="mean" if reduction == "mean" else "sum")
        return total / len(targets) if reduction == "sequence means" else total
    shown = mask.reshape(mask.shape + (1,) * (targets.ndim - mask.ndim)).expand_as(targets)
    total = (F.cross_entropy(*flat, reduction="none") * shown.reshape(-1)).sum()
    if reduction == "mean":
        return total / shown.sum()
    return total if reduction == "sum" else total / len(targets)

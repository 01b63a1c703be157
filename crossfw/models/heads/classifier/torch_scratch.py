"""The head from tensors and elementary operations."""

from __future__ import annotations

from typing import Any

import torch


def pool(spec: Any, hidden: torch.Tensor, last: dict, mask: torch.Tensor | None) -> torch.Tensor:
    """One vector (N, width) for each sequence; hidden states of masked steps are 0."""
    if spec.pool == "mean":
        count = len(hidden) if mask is None else mask.sum(dim=0)[:, None]
        return hidden.sum(dim=0) / count
    return torch.cat([last[name] for name in spec.last_states()], dim=-1)


def apply(spec: Any, p: dict, hidden: torch.Tensor, last: dict, mask: torch.Tensor | None) -> torch.Tensor:
    """Outputs (N, Q) from hidden states (T, N, width) and the last state."""
    return pool(spec, hidden, last, mask) @ p["W_hq"].T + p["b_q"]

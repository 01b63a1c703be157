"""The head from tensors and elementary operations."""

from __future__ import annotations

from typing import Any

import torch


def apply(spec: Any, p: dict, hidden: torch.Tensor, last: dict, mask: torch.Tensor | None) -> torch.Tensor:
    """Outputs (T, N, 2, Q) from hidden states (T, N, width)."""
    ahead, behind = hidden.split(spec.stack.sizes, dim=-1)
    outputs = ahead @ p["W_hq"].T + p["b_q"], behind @ p["W_hq_reverse"].T + p["b_q_reverse"]
    return torch.stack(outputs, dim=2)

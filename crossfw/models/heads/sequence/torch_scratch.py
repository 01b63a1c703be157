"""The head from tensors and elementary operations."""

from __future__ import annotations

from typing import Any

import torch


def apply(spec: Any, p: dict, hidden: torch.Tensor, last: dict, mask: torch.Tensor | None) -> torch.Tensor:
    """Outputs (T, N, Q) from hidden states (T, N, width)."""
    if not spec.readout:
        return hidden
    return torch.addmm(p["b_q"], hidden.flatten(0, 1), p["W_hq"].T).unflatten(0, hidden.shape[:2])

"""The head from tensors and elementary operations."""

from __future__ import annotations

from typing import Any

import torch

from crossfw.models.torch_products import affine


def apply(spec: Any, p: dict, hidden: torch.Tensor, last: dict, mask: torch.Tensor | None) -> torch.Tensor:
    """Outputs (T, N, 2, Q) from hidden states (T, N, width)."""
    ahead, behind = hidden.split(spec.stack.sizes, dim=-1)
    return torch.stack([affine(ahead, p["W_hq"], p["b_q"]), affine(behind, p["W_hq_reverse"], p["b_q_reverse"])], dim=2)

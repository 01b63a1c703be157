"""The head with nn.Linear."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class Head(nn.Module):
    """The head of `spec.py`."""

    def __init__(self, spec: Any):
        super().__init__()
        self.spec = spec
        self.ahead, self.behind = (nn.Linear(size, spec.output_size) for size in spec.stack.sizes)

    def parameter_names(self) -> dict[str, nn.Parameter]:
        """The parameters by canonical name."""
        names = ("W_hq", "b_q", "W_hq_reverse", "b_q_reverse")
        return dict(zip(names, (*self.ahead.parameters(), *self.behind.parameters())))

    def forward(self, hidden: torch.Tensor, last: dict, mask: torch.Tensor | None) -> torch.Tensor:
        """Outputs (T, N, 2, Q) from hidden states (T, N, width)."""
        ahead, behind = hidden.split(self.spec.stack.sizes, dim=-1)
        return torch.stack([self.ahead(ahead), self.behind(behind)], dim=2)

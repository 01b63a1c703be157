"""The head with nn.Linear."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from crossfw.models.heads.classifier.torch_scratch import pool


class Head(nn.Module):
    """The head of `spec.py`."""

    def __init__(self, spec: Any):
        super().__init__()
        self.spec = spec
        self.dense = nn.Linear(spec.width, spec.output_size)

    def parameter_names(self) -> dict[str, nn.Parameter]:
        """The parameters by canonical name."""
        return dict(zip(("W_hq", "b_q"), self.dense.parameters()))

    def forward(self, hidden: torch.Tensor, last: dict, mask: torch.Tensor | None) -> torch.Tensor:
        """Outputs (N, Q) from hidden states (T, N, width) and the last state."""
        return self.dense(pool(self.spec, hidden, last, mask))

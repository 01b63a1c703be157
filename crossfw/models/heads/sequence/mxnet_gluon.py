"""The head with gluon.nn.Dense."""

from __future__ import annotations

from typing import Any

from mxnet import gluon, nd
from mxnet.gluon import nn


class Head(gluon.Block):
    """The head of `spec.py`."""

    def __init__(self, spec: Any):
        super().__init__()
        self.dense = nn.Dense(spec.output_size, in_units=spec.width, flatten=False) if spec.readout else None

    def parameter_names(self) -> dict[str, gluon.Parameter]:
        """The parameters by canonical name."""
        return {"W_hq": self.dense.weight, "b_q": self.dense.bias} if self.dense else {}

    def forward(self, hidden: nd.NDArray, last: dict, mask: nd.NDArray | None) -> nd.NDArray:
        """Outputs (T, N, Q) from hidden states (T, N, width)."""
        return self.dense(hidden) if self.dense else hidden

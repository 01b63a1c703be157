"""The head with gluon.nn.Dense."""

from __future__ import annotations

from typing import Any

from mxnet import gluon, nd
from mxnet.gluon import nn


class Head(gluon.Block):
    """The head of `spec.py`."""

    def __init__(self, spec: Any):
        super().__init__()
        self.spec = spec
        self.ahead, self.behind = (
            nn.Dense(spec.output_size, in_units=size, flatten=False) for size in spec.stack.sizes
        )

    def parameter_names(self) -> dict[str, gluon.Parameter]:
        """The parameters by canonical name."""
        ahead, behind = self.ahead, self.behind
        return {
            "W_hq": ahead.weight,
            "b_q": ahead.bias,
            "W_hq_reverse": behind.weight,
            "b_q_reverse": behind.bias,
        }

    def forward(self, hidden: nd.NDArray, last: dict, mask: nd.NDArray | None) -> nd.NDArray:
        """Outputs (T, N, 2, Q) from hidden states (T, N, width)."""
        size = self.spec.stack.sizes[0]
        ahead, behind = nd.slice_axis(hidden, -1, 0, size), nd.slice_axis(hidden, -1, size, None)
        return nd.stack(self.ahead(ahead), self.behind(behind), axis=2)

"""The head from arrays and elementary operations."""

from __future__ import annotations

from typing import Any

from mxnet import nd


def apply(spec: Any, p: dict, hidden: nd.NDArray, last: dict, mask: nd.NDArray | None) -> nd.NDArray:
    """Outputs (T, N, Q) from hidden states (T, N, width)."""
    if not spec.readout:
        return hidden
    return nd.FullyConnected(hidden, p["W_hq"], p["b_q"], num_hidden=spec.output_size, flatten=False)

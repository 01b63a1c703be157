"""The head from arrays and elementary operations."""

from __future__ import annotations

from typing import Any

from mxnet import nd


def apply(spec: Any, p: dict, hidden: nd.NDArray, last: dict, mask: nd.NDArray | None) -> nd.NDArray:
    """Outputs (T, N, 2, Q) from hidden states (T, N, width)."""
    size, Q = spec.stack.sizes[0], spec.output_size
    ahead, behind = nd.slice_axis(hidden, -1, 0, size), nd.slice_axis(hidden, -1, size, None)
    return nd.stack(
        nd.FullyConnected(ahead, p["W_hq"], p["b_q"], num_hidden=Q, flatten=False),
        nd.FullyConnected(behind, p["W_hq_reverse"], p["b_q_reverse"], num_hidden=Q, flatten=False),
        axis=2,
    )

"""The head from arrays and elementary operations."""

from __future__ import annotations

from typing import Any

from mxnet import nd


def pool(spec: Any, hidden: nd.NDArray, last: dict, mask: nd.NDArray | None) -> nd.NDArray:
    """One vector (N, width) for each sequence; hidden states of masked steps are 0."""
    if spec.pool == "mean":
        count = nd.full((1, 1), len(hidden), dtype=hidden.dtype, ctx=hidden.context)
        count = count if mask is None else mask.sum(axis=0).expand_dims(1)
        return nd.broadcast_div(hidden.sum(axis=0), count)
    return nd.concat(*[last[name] for name in spec.last_states()], dim=-1)


def apply(spec: Any, p: dict, hidden: nd.NDArray, last: dict, mask: nd.NDArray | None) -> nd.NDArray:
    """Outputs (N, Q) from hidden states (T, N, width) and the last state."""
    return nd.FullyConnected(pool(spec, hidden, last, mask), p["W_hq"], p["b_q"], num_hidden=spec.output_size)

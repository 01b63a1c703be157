"""One output for a whole sequence (many-to-one):

y = W_hq v + b_q        v: the last state of every direction of the last layer, or the mean of h_t over real steps
"""

from __future__ import annotations

from typing import Any

PER_STEP = False


def shapes(spec: Any) -> dict[str, tuple[int, ...]]:
    """The head's parameters by canonical name."""
    return {"W_hq": (spec.output_size, spec.width), "b_q": (spec.output_size,)}


def output_shape(spec: Any, steps: int, batch_size: int) -> tuple[int, ...]:
    """(N, Q)."""
    return batch_size, spec.output_size

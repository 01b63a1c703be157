"""Contextual word vectors: each direction of a bidirectional network predicts what lies ahead of it.

    y_t = W_hq h_t + b_q                          the forward direction predicts the next token
    y'_t = W_hq_reverse h'_t + b_q_reverse        the backward direction the one before

So no direction sees what it has to predict, and [h_t, h'_t] is the vector of a word in its context (Peters et al.,
"Deep contextualized word representations", 2018).
"""

from __future__ import annotations

from typing import Any

PER_STEP = True


def shapes(spec: Any) -> dict[str, tuple[int, ...]]:
    """The head's parameters by canonical name."""
    Q, (h1, h2) = spec.output_size, spec.stack.sizes
    return {"W_hq": (Q, h1), "b_q": (Q,), "W_hq_reverse": (Q, h2), "b_q_reverse": (Q,)}


def output_shape(spec: Any, steps: int, batch_size: int) -> tuple[int, ...]:
    """(T, N, 2, Q)."""
    return steps, batch_size, 2, spec.output_size

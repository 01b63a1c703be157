"""An output for every step: language model, tagger, generator.

    y_t = W_hq h_t + b_q        or, without a readout, y_t = h_t

A language model predicts the token that follows, a tagger says what the token is, a generator is a language model whose
first input says what kind of sequence is wanted and whose own outputs are fed back when it runs freely.
"""

from __future__ import annotations

from typing import Any

PER_STEP = True


def shapes(spec: Any) -> dict[str, tuple[int, ...]]:
    """The head's parameters by canonical name."""
    return {"W_hq": (spec.output_size, spec.width), "b_q": (spec.output_size,)} if spec.readout else {}


def output_shape(spec: Any, steps: int, batch_size: int) -> tuple[int, ...]:
    """(T, N, Q)."""
    return steps, batch_size, spec.output_size

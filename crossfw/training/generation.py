"""Text from a trained language model, step by step through the cell."""

from __future__ import annotations

from typing import Any

import numpy as np


def choose(output: np.ndarray, temperature: float, rng: np.random.Generator) -> int:
    """The next token from its logits (V,): the most probable at temperature 0, else drawn by inverse CDF.

    The draw is made in NumPy float64 from the same random numbers for every implementation, so that two that
    agree write the same text.
    """
    if temperature == 0:
        return int(output.argmax())
    scaled = output.astype(np.float64) / temperature
    cumulative = np.cumsum(np.exp(scaled - scaled.max()))
    return int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))


def generate(backend: Any, prefix: np.ndarray, count: int, temperature: float, seed: int) -> np.ndarray:
    """`count` tokens after `prefix` (int64, at least one), from the zero state.

    Args:
        temperature: 0 for greedy decoding; 1 samples from the model's own distribution.
        seed: of the random draws.

    Raises:
        ValueError: for an empty prefix.
    """
    if len(prefix) == 0:
        raise ValueError("a prefix of at least one token is needed")
    rng = np.random.default_rng(seed)
    state = backend.model.initial_state(1)
    for token in prefix:
        output, state = backend.single_step(backend.native(np.array([token])), state)
    tokens = []
    for _ in range(count):
        tokens.append(choose(backend.numpy(output)[0], temperature, rng))
        output, state = backend.single_step(backend.native(np.array(tokens[-1:])), state)
    return np.array(tokens, dtype=np.int64)

"""Free-running decoding of an encoder-decoder: its own outputs are fed back, greedily or by beam search.

Everything but the model's steps is NumPy float64, so that implementations that agree write the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from crossfw.models.losses.numpy import log_softmax


class Decoder:
    """The decoder of a model after it has read some sources, as steps over several hypotheses at once."""

    def __init__(self, backend: Any, source: np.ndarray, source_mask: np.ndarray | None):
        self.backend, model = backend, backend.model
        arrays = {"source": source} if source_mask is None else {"source": source, "source_mask": source_mask}
        native = {name: backend.native(value) for name, value in arrays.items()}
        _, state = backend.encode(native, model.initial_state(source.shape[1]))
        self.state = {name: backend.numpy(value) for name, value in state.items()}
        self.context = self.state[model.spec.top]

    def step(self, tokens: np.ndarray, state: dict, sources: np.ndarray) -> tuple[np.ndarray, dict]:
        """Log-probabilities (R, Q) and the next state, from tokens (R,), a state, and which source each row is of."""
        backend = self.backend
        native = {name: backend.native(value) for name, value in state.items()}
        context = backend.native(self.context[sources])
        output, last = backend.decode({"inputs": backend.native(tokens[None])}, native, context)
        scores = log_softmax(backend.numpy(output)[0].astype(np.float64))
        return scores, {name: backend.numpy(value) for name, value in last.items()}


def greedy(decoder: Decoder, start: int, steps: int) -> np.ndarray:
    """The most probable token at every step, int64 (steps, N)."""
    count = len(decoder.context)
    tokens, state, written = np.full(count, start), decoder.state, []
    for _ in range(steps):
        scores, state = decoder.step(tokens, state, np.arange(count))
        tokens = scores.argmax(axis=-1)
        written.append(tokens)
    return np.array(written, dtype=np.int64).reshape(steps, count)


def beam_search(decoder: Decoder, start: int, end: int, steps: int, beam: int) -> np.ndarray:
    """The best sequence of at most `steps` tokens for every source, int64 (steps, N), filled up with `end`.

    Hypotheses are ranked by their log-probability divided by length^0.75 (Wu et al., 2016, as in D2L 10.8). All sources
    have `beam` rows at every step, and a row without a hypothesis has the score -inf: arrays keep their shape.
    """
    count = len(decoder.context)
    source = np.arange(count)[:, None]
    score = np.where(np.arange(beam) == 0, np.zeros((count, beam)), -np.inf)
    written = np.empty((steps, count, beam), dtype=np.int64)
    best, chosen = np.full(count, -np.inf), np.full((steps, count), end)
    last, sources = np.full((count, beam), start), np.repeat(np.arange(count), beam)
    state = {name: value[sources] for name, value in decoder.state.items()}

    def choose(ranked: np.ndarray, length: int) -> None:
        """Keep the best of (N, beam) finished sequences where none was better."""
        first = ranked.argmax(axis=1)
        better = np.flatnonzero(ranked.max(axis=1) > best)
        best[better] = ranked.max(axis=1)[better]
        chosen[:, better] = end
        chosen[:length, better] = written[:length, better, first[better]]

    for length in range(1, steps + 1):
        scores, state = decoder.step(last.ravel(), state, sources)
        total = (score[:, :, None] + scores.reshape(count, beam, -1)).reshape(count, -1)
        order = np.argsort(-total, axis=1, kind="stable")[:, :beam]
        score = np.take_along_axis(total, order, axis=1)
        row, last = np.divmod(order, scores.shape[1])
        written[: length - 1] = written[: length - 1, source, row]
        written[length - 1] = last
        state = {name: value[(source * beam + row).ravel()] for name, value in state.items()}
        ranked, over = score / length**0.75, last == end
        choose(np.where(over, ranked, -np.inf), length)
        score = np.where(over, -np.inf, score)
        if np.isneginf(score).all():
            break
    choose(score / steps**0.75, steps)
    return chosen


def decode(
    backend: Any, source: np.ndarray, source_mask: np.ndarray | None, start: int, end: int, steps: int, beam: int
) -> np.ndarray:
    """Target tokens int64 (steps, N) for sources (S, N).

    Args:
        start, end: the tokens that begin and end a target.
        beam: hypotheses kept; 1 is greedy decoding.
    """
    decoder = Decoder(backend, source, source_mask)
    return greedy(decoder, start, steps) if beam == 1 else beam_search(decoder, start, end, steps, beam)

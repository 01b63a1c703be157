"""Free-running decoding of an encoder-decoder: its own outputs are fed back, greedily or by beam search.

Everything but the model's steps is NumPy float64, so that implementations that agree write the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from crossfw.models.losses.numpy import log_softmax


class Decoder:
    """The decoder of a model after it has read one source, as steps over several hypotheses at once."""

    def __init__(self, backend: Any, source: np.ndarray, source_mask: np.ndarray | None):
        self.backend, model = backend, backend.model
        arrays = {"source": source} if source_mask is None else {"source": source, "source_mask": source_mask}
        native = {name: backend.native(value) for name, value in arrays.items()}
        _, state = backend.encode(native, model.initial_state(source.shape[1]))
        self.state = {name: backend.numpy(value) for name, value in state.items()}
        self.context = self.state[model.spec.top]

    def step(self, tokens: np.ndarray, state: dict) -> tuple[np.ndarray, dict]:
        """Log-probabilities (N, Q) and the next state, from tokens (N,) and a state."""
        backend = self.backend
        native = {name: backend.native(value) for name, value in state.items()}
        context = backend.native(np.broadcast_to(self.context, (len(tokens), self.context.shape[1])).copy())
        output, last = backend.decode({"inputs": backend.native(tokens[None])}, native, context)
        scores = log_softmax(backend.numpy(output)[0].astype(np.float64))
        return scores, {name: backend.numpy(value) for name, value in last.items()}


def greedy(decoder: Decoder, start: int, steps: int) -> np.ndarray:
    """The most probable token at every step, int64 (steps, N)."""
    count = len(decoder.context)
    tokens, state, written = np.full(count, start), decoder.state, []
    for _ in range(steps):
        scores, state = decoder.step(tokens, state)
        tokens = scores.argmax(axis=-1)
        written.append(tokens)
    return np.array(written, dtype=np.int64).reshape(steps, count)


def beam_search(decoder: Decoder, start: int, end: int, steps: int, beam: int) -> np.ndarray:
    """The best sequence of at most `steps` tokens, int64 (steps,), filled with `end`.

    Hypotheses are ranked by their log-probability divided by length^0.75 (Wu et al., 2016, as in D2L 10.8).
    """
    live: list[tuple[float, list[int]]] = [(0.0, [])]
    state, finished = decoder.state, []
    for _ in range(steps):
        last = np.array([tokens[-1] if tokens else start for _, tokens in live])
        scores, state = decoder.step(last, state)
        total = scores + np.array([score for score, _ in live])[:, None]
        order = np.argsort(-total, axis=None, kind="stable")[:beam]
        rows, tokens = np.unravel_index(order, total.shape)
        grown = [(float(total[r, t]), [*live[r][1], int(t)]) for r, t in zip(rows, tokens)]
        finished += [hypothesis for hypothesis in grown if hypothesis[1][-1] == end]
        going_on = [i for i, (_, written) in enumerate(grown) if written[-1] != end]
        if not going_on:
            live = []
            break
        live = [grown[i] for i in going_on]
        state = {name: value[rows[going_on]] for name, value in state.items()}
    best = max([*finished, *live], key=lambda hypothesis: hypothesis[0] / len(hypothesis[1]) ** 0.75)[1]
    return np.array(best + [end] * (steps - len(best)), dtype=np.int64)


def decode(
    backend: Any, source: np.ndarray, source_mask: np.ndarray | None, start: int, end: int, steps: int, beam: int
) -> np.ndarray:
    """Target tokens int64 (steps, N) for sources (S, N).

    Args:
        start, end: the tokens that begin and end a target.
        beam: hypotheses kept; 1 is greedy decoding.
    """
    if beam == 1:
        return greedy(Decoder(backend, source, source_mask), start, steps)
    columns = []
    for n in range(source.shape[1]):
        mask = None if source_mask is None else source_mask[:, n : n + 1]
        columns.append(beam_search(Decoder(backend, source[:, n : n + 1], mask), start, end, steps, beam))
    return np.stack(columns, axis=1)

"""One pass over the batches of an epoch, in native arrays: training, or evaluation.

Perplexity is exp(total negative log-likelihood / tokens), so batches of different sizes count by their
tokens; a mean of each batch's exp would not be the perplexity of the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from crossfw.training import divergence

LOOK_EVERY = 16  # steps; reading a loss makes an asynchronous framework wait


@dataclass(frozen=True)
class EpochResult:
    """Negative log-likelihood in nats over so many tokens, and where the numbers stopped being finite."""

    nll: float
    tokens: int
    steps: int
    diverged: dict | None = None


def train(backend: Any, batches: list, carry_state: bool) -> EpochResult:
    """Train on every batch once.

    Args:
        backend: a `Backend` with a model and an optimizer.
        batches: pairs of inputs (T, N) or (T, N, D) and targets (T, N), in NumPy.
        carry_state: hand the (detached) last state of a batch to the next; else each starts from zeros.

    Training stops soon after a loss that is not finite.
    """
    snapshot = divergence.Snapshot(backend)
    losses, tokens, state = [], [], None
    for inputs, targets in batches:
        if state is None or not carry_state:
            state = backend.model.initial_state(inputs.shape[1])
        loss, state = backend.step(backend.native(inputs), backend.native(targets), state)
        losses.append(loss)
        tokens.append(targets.size)
        if len(losses) % LOOK_EVERY == 0 and not np.isfinite(backend.numpy(loss)).all():
            break
    losses = np.array([float(backend.numpy(loss).reshape(())) for loss in losses])
    diverged = None
    if not np.isfinite(losses).all():
        first = int(np.flatnonzero(~np.isfinite(losses))[0])
        unexplained = {
            "step": first,
            "tensor": "loss, and not again when the epoch was replayed",
            "value": "NaN or inf",
        }
        diverged = snapshot.locate(batches[: first + 1], carry_state) or unexplained
    return EpochResult(float(losses @ np.array(tokens)), int(sum(tokens)), len(losses), diverged)


def evaluate(backend: Any, batches: list, carry_state: bool) -> EpochResult:
    """The negative log-likelihood of every batch under the model as it is; arguments as for `train`."""
    nll, tokens, state = 0.0, 0, None
    for inputs, targets in batches:
        if state is None or not carry_state:
            state = backend.model.initial_state(inputs.shape[1])
        activations, state = backend.forward(backend.native(inputs), state)
        loss = backend.loss(activations["output"], backend.native(targets))
        nll += float(backend.numpy(loss).reshape(())) * targets.size
        tokens += targets.size
    return EpochResult(nll, tokens, len(batches))

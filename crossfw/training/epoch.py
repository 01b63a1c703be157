"""One pass over the batches of an epoch: training, or evaluation, or prediction.

Perplexity is exp(total negative log-likelihood / tokens), so batches of different sizes count by their
tokens; a mean of each batch's exp would not be the perplexity of the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from crossfw.models.dropout import masks
from crossfw.models.losses.spec import terms
from crossfw.training import divergence

LOOK_EVERY = 16  # steps; reading a loss makes an asynchronous framework wait


@dataclass(frozen=True)
class EpochResult:
    """Negative log-likelihood in nats over so many tokens, and where the numbers stopped being finite.

    `loss` is the mean over the batches of the loss that is minimised, as its reduction says.
    """

    nll: float
    tokens: int
    steps: int
    loss: float
    diverged: dict | None = None


class Walk:
    """The batches of an epoch one after the other, in native arrays, each with the state that it starts from."""

    def __init__(self, backend: Any, carry_state: bool):
        self.backend, self.carry_state, self.state = backend, carry_state, None

    def native(self, arrays: dict) -> dict:
        """A batch in native arrays."""
        return {name: self.backend.native(value) for name, value in arrays.items()}

    def start(self, batch: dict) -> dict:
        """The state for a batch: the last one's, detached, where it is carried over; else zeros."""
        if self.state is None or not self.carry_state:
            self.state = self.backend.model.initial_state(batch["inputs"].shape[1])
        return self.state


def total_nll(spec: Any, losses: list[float], batches: list) -> tuple[float, int]:
    """The sum of all negative log-likelihoods, and the number of tokens, from the losses of batches."""
    nll = tokens = 0
    for loss, batch in zip(losses, batches):
        nll += loss * terms(batch["targets"], spec.loss_mask(batch), spec.reduction)
        tokens += spec.positions(batch)
    return float(nll), int(tokens)


def train(backend: Any, batches: list, carry_state: bool, seed: list) -> EpochResult:
    """Train on every batch once.

    Args:
        backend: a `Backend` with a model and an optimizer.
        batches: dicts of NumPy arrays.
        carry_state: hand the (detached) last state of a batch to the next; else each starts from zeros.
        seed: of the dropout masks, integers that no other epoch has.

    Training stops soon after a loss that is not finite.
    """
    spec, rng = backend.model.spec, np.random.default_rng(seed)
    snapshot, walk, losses, given = divergence.Snapshot(backend), Walk(backend, carry_state), [], []
    for batch in batches:
        given.append({**batch, **masks(spec, batch, rng)})
        loss, walk.state = backend.step(walk.native(given[-1]), walk.start(batch))
        losses.append(loss)
        if not spec.dropout:
            given[-1] = batch
        if len(losses) % LOOK_EVERY == 0 and not np.isfinite(backend.numpy(loss)).all():
            break
    losses = [float(backend.numpy(loss).reshape(())) for loss in losses]
    diverged = None
    if not np.isfinite(losses).all():
        first = int(np.flatnonzero(~np.isfinite(losses))[0])
        unexplained = {
            "step": first,
            "tensor": "loss, and not again when the epoch was replayed",
            "value": "NaN or inf",
        }
        diverged = snapshot.locate(given[: first + 1], carry_state) or unexplained
    nll, tokens = total_nll(spec, losses, batches)
    return EpochResult(nll, tokens, len(losses), float(np.mean(losses)), diverged)


def evaluate(backend: Any, batches: list, carry_state: bool) -> EpochResult:
    """The negative log-likelihood of every batch under the model as it is; arguments as for `train`."""
    walk, losses = Walk(backend, carry_state), []
    for batch in batches:
        native = walk.native(batch)
        activations, walk.state = backend.forward(native, walk.start(batch))
        losses.append(float(backend.numpy(backend.loss(activations["output"], native)).reshape(())))
    nll, tokens = total_nll(backend.model.spec, losses, batches)
    return EpochResult(nll, tokens, len(batches), float(np.mean(losses)))


def predict(backend: Any, batches: list) -> list[np.ndarray]:
    """The most probable class of every output, int64 in the shape of the targets, for each batch from a zero state."""
    predictions = []
    for batch in batches:
        walk = Walk(backend, False)
        activations, _ = backend.forward(walk.native(batch), walk.start(batch))
        predictions.append(backend.numpy(activations["output"]).argmax(axis=-1).astype(np.int64))
    return predictions

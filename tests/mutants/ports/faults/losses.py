"""Faults of losses."""

from __future__ import annotations

import torch
from torch.nn import functional

from tests.mutants.ports.faults.changes import PortFault, loss


def ctc(blank=5, reduction="none"):
    """The loss of the recognizer, changed in one place."""

    def torch_loss(output, targets):
        steps = torch.full((output.shape[0],), output.shape[1])
        lengths = torch.full((output.shape[0],), targets.shape[1])
        scores = output.log_softmax(-1).swapaxes(0, 1)
        labels = targets + 1 if blank == 0 else targets
        return functional.ctc_loss(scores, labels, steps, lengths, blank, reduction).mean()

    return torch_loss


def smoothed_over_others(output, targets):
    """The smoothed part is shared by the wrong labels only."""
    scores = output.log_softmax(1)
    right = scores.gather(1, targets[:, None])[:, 0]
    return -(0.875 * right + 0.125 / 5 * (scores.sum(1) - right)).mean()


def distances_not_squared(output):
    return functional.triplet_margin_loss(*output, margin=2.0, eps=0.0)


def margin_one(output):
    anchor, positive, negative = output
    return (((positive - anchor) ** 2 - (negative - anchor) ** 2).sum(1) + 1).relu().mean()


def padding_counted(output, targets):
    return functional.cross_entropy(output.flatten(0, 1), targets.flatten())


def softmax_twice(output, targets):
    return functional.cross_entropy(output.softmax(1), targets)


def sigmoid_twice(output, targets):
    return functional.binary_cross_entropy_with_logits(output.sigmoid(), targets)


def sum_over_time(output, targets):
    return functional.cross_entropy(output.flatten(0, 1), targets.flatten(), reduction="sum") / len(targets)


def divergence(reduction="batchmean", swapped=False):
    """The loss of the network with pooling, changed in one place."""

    def torch_loss(output, targets):
        scores = output.log_softmax(1)
        if swapped:
            scores, targets = targets.log(), scores.exp()
        return functional.kl_div(scores, targets, reduction=reduction)

    return torch_loss


def of_sums(factor):
    return loss(lambda output, targets: factor * functional.mse_loss(output, targets, reduction="sum"))


ROWS = (
    ("error not halved", "grouped", "loss factor", 3, loss(functional.mse_loss)),
    (
        "divided by the batch once more",
        "mlp",
        "loss factor, loss reduction",
        1,
        loss(lambda o, t: functional.cross_entropy(o, t) / 8),
    ),
    ("halved twice", "branches", "loss factor", 3, loss(lambda o, t: functional.mse_loss(o, t) / 4)),
    ("sum for mean", "autoencoder", "loss reduction", 2, loss(lambda o, t: functional.l1_loss(o, t, reduction="sum"))),
    ("sum over features", "grouped", "loss reduction", 3, of_sums(1 / 6)),
    ("mean over labels", "pooling", "loss reduction", 5, loss(divergence("mean"))),
    ("sum over time", "translator", "loss reduction", 4, loss(sum_over_time)),
    ("mean over the labels' lengths", "recognizer", "loss reduction, loss factor", 8, loss(ctc(reduction="mean"))),
    ("blank first", "recognizer", None, 8, loss(ctc(blank=0))),
    ("no label smoothing", "lenet", "label smoothing", None, loss(functional.cross_entropy)),
    ("smoothed over the other labels", "lenet", "label smoothing", 31, loss(smoothed_over_others)),
    (
        "twice the smoothing",
        "lenet",
        "label smoothing",
        None,
        loss(lambda o, t: functional.cross_entropy(o, t, label_smoothing=0.25)),
    ),
    (
        "Huber's loss of the other library",
        "volumes",
        "loss kind, loss factor",
        6,
        loss(lambda o, t: functional.huber_loss(o, t, delta=0.5)),
    ),
    ("squared error for Huber's", "volumes", "loss kind", None, loss(functional.mse_loss)),
    ("squared error for absolute", "autoencoder", "loss kind", None, loss(functional.mse_loss)),
    ("distances not squared", "faces", "loss kind", 7, loss(distances_not_squared)),
    ("another margin", "faces", None, None, loss(margin_one)),
    ("padding counted", "tagger", None, 4, loss(padding_counted)),
    ("softmax twice", "sentiment", None, None, loss(softmax_twice)),
    ("sigmoid twice", "classifier", None, None, loss(sigmoid_twice)),
    ("divergence the other way", "pooling", None, None, loss(divergence(swapped=True))),
)

FAULTS = tuple(
    PortFault(name, architecture, "loss", tuple(causes.split(", ")) if causes else (), trap, change)
    for name, architecture, causes, trap, change in ROWS
)

"""Faults of clipping and of optimizers."""

from __future__ import annotations

import torch
from torch import nn
from torch.optim import SGD, Adagrad, Adam, RMSprop

from tests.mutants.ports.faults.changes import PortFault, clip, optimizer, optimizer_of, rates
from tests.mutants.ports.faults.optimizers import (
    Decoupled,
    Forgetful,
    Halving,
    Late,
    Slowing,
    Uncorrected,
    average,
    forget,
    slower,
)


def norm_of(parameters) -> torch.Tensor:
    return sum((p.grad * p.grad).sum() for p in parameters) ** 0.5


def to_norm(threshold: float, names=lambda name: True):
    """Clipping of the global norm of some parameters."""

    def torch_clip(model: nn.Module) -> None:
        parameters = [p for name, p in model.named_parameters() if names(name)]
        scale = (threshold / norm_of(parameters)).clamp(max=1.0)
        for p in parameters:
            p.grad *= scale

    return torch_clip


def each_alone(model: nn.Module) -> None:
    for p in model.parameters():
        p.grad *= (0.25 / norm_of([p])).clamp(max=1.0)


def each_number(model: nn.Module) -> None:
    nn.utils.clip_grad_value_(model.parameters(), 0.03125)


def not_at_all(model: nn.Module) -> None:
    """Nothing is clipped."""


def decayed(kind: str, **settings):
    """An optimizer that decays weights, or biases too."""

    def build(model: nn.Module) -> torch.optim.Optimizer:
        groups = [{"params": [p]} for p in model.parameters()]
        for group, (name, _) in zip(groups, model.named_parameters()):
            group["weight_decay"] = settings["weight_decay"] if kind == "all" or not name.endswith("bias") else 0.0
        return SGD(groups, **{**settings, "weight_decay": 0.0})

    return build


ROWS = (
    ("another threshold", "lenet", "clipping", "clip threshold", None, clip(to_norm(0.5))),
    ("half the threshold", "scratch_gru", "clipping", "clip threshold", None, clip(to_norm(0.015625))),
    ("no clipping", "scratch_gru", "clipping", "clip threshold", None, clip(not_at_all)),
    ("each parameter clipped alone", "lenet", "clipping", None, None, clip(each_alone)),
    ("each number clipped", "scratch_gru", "clipping", None, None, clip(each_number)),
    ("biases not clipped", "lenet", "clipping", None, None, clip(to_norm(0.25, lambda name: "weight" in name))),
    ("another rate", "mlp", "update", "learning rate", None, rates(lr=0.25)),
    ("a tenth of the rate", "tagger", "update", "learning rate", None, rates(lr=0.05)),
    ("rate divided by the batch", "cells", "update", "learning rate", 1, rates(lr=0.125 / 3)),
    (
        "weights decayed, not biases",
        "lenet",
        "update",
        "weight decay on biases",
        17,
        optimizer_of(decayed("weights", lr=0.5, weight_decay=0.0625)),
    ),
    (
        "biases decayed too",
        "faces",
        "update",
        "weight decay on biases",
        17,
        optimizer_of(decayed("all", lr=0.03125, momentum=0.5, weight_decay=0.25)),
    ),
    ("weights not decayed", "style", "update", None, None, rates(weight_decay=0.0)),
    ("twice the decay", "branches", "update", None, None, rates(weight_decay=0.25)),
    ("momentum for Nesterov's", "residual", "update", "optimizer kind", 15, rates(nesterov=False)),
    (
        "gradient descent for Adam",
        "translator",
        "update",
        "optimizer kind",
        None,
        optimizer(lambda p: SGD(p, lr=0.015625)),
    ),
    (
        "Adam for gradient descent",
        "transformer",
        "update",
        "optimizer kind",
        None,
        optimizer(lambda p: Adam(p, lr=0.125)),
    ),
    ("RMSProp for AdaGrad", "sentiment", "update", "optimizer kind", None, optimizer(lambda p: RMSprop(p, lr=0.0625))),
    ("AdaGrad for RMSProp", "branches", "update", "optimizer kind", None, optimizer(lambda p: Adagrad(p, lr=0.03125))),
    (
        "epsilon inside the correction",
        "translator",
        "update",
        "optimizer epsilon",
        11,
        optimizer(lambda p: Adam(p, lr=0.015625, betas=(0.875, 0.96875), eps=2**-10)),
    ),
    ("epsilon of RMSProp", "classifier", "update", "optimizer epsilon", 12, rates(eps=2**-7)),
    ("epsilon of AdaGrad", "scratch_lstm", "update", "optimizer epsilon", 13, rates(eps=2**-7)),
    (
        "averages not corrected",
        "translator",
        "update",
        None,
        11,
        optimizer(lambda p: Uncorrected(p, lr=0.015625, eps=2**-10)),
    ),
    ("the other library's alpha", "classifier", "update", None, 12, rates(alpha=0.99)),
    (
        "RMSProp about its mean",
        "classifier",
        "update",
        None,
        12,
        optimizer(lambda p: RMSprop(p, lr=0.015625, alpha=0.875, eps=1e-30, centered=True)),
    ),
    (
        "squares that do not start from zero",
        "sentiment",
        "update",
        None,
        None,
        optimizer(lambda p: Adagrad(p, lr=0.0625, eps=1e-30, initial_accumulator_value=0.125)),
    ),
    ("no momentum", "mlp", "update", "momentum", None, rates(momentum=0.0)),
    ("less momentum", "transformer", "update", "momentum", None, rates(momentum=0.75)),
    ("momentum lost", "cells", "update", "momentum", None, optimizer(lambda p: Forgetful(p, lr=0.125, momentum=0.5))),
    ("dampening", "mlp", "update", "momentum", None, rates(dampening=0.875)),
    (
        "decay beside the gradient",
        "grouped",
        "update",
        None,
        13,
        optimizer(lambda p: Decoupled(p, lr=0.25, momentum=0.5)),
    ),
    (
        "rate outside the momentum",
        "language",
        "update",
        "momentum",
        14,
        optimizer(lambda p: Halving(p, lr=1.0, momentum=0.75)),
    ),
    (
        "rate that falls",
        "symbol",
        "update",
        "learning rate",
        None,
        optimizer(lambda p: Slowing(p, lr=0.125, momentum=0.5)),
    ),
    (
        "rate that does not fall",
        "language",
        "update",
        "learning rate",
        None,
        optimizer(lambda p: SGD(p, lr=1.0, momentum=0.75)),
    ),
    ("rate of AdaGrad that falls", "scratch_lstm", "update", None, None, rates(lr_decay=0.5)),
    (
        "rate that falls after two updates",
        "symbol",
        "several updates",
        "learning rate",
        None,
        optimizer(lambda p: Late(p, slower, lr=0.125, momentum=0.5)),
    ),
    (
        "momentum lost after two updates",
        "cells",
        "several updates",
        None,
        None,
        optimizer(lambda p: Late(p, forget, lr=0.125, momentum=0.5)),
    ),
    (
        "slow weights",
        "transformer",
        "several updates",
        None,
        None,
        optimizer(lambda p: Late(p, average, lr=0.125, momentum=0.875)),
    ),
    (
        "rate that falls late",
        "volumes",
        "several updates",
        "learning rate",
        None,
        optimizer(lambda p: Late(p, slower, lr=0.25, momentum=0.75)),
    ),
)

FAULTS = tuple(
    PortFault(name, architecture, stage, (cause,) if cause else (), trap, change)
    for name, architecture, stage, cause, trap, change in ROWS
)

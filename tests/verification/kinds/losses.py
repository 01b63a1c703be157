"""Losses of Gluon against torch's, right ones and wrong ones."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import torch
from mxnet.gluon import loss as gloss
from mxnet.gluon import nn as gnn
from torch import nn
from torch.nn import functional as f

from tests.verification.kinds import Kind, normal


def kind(
    name, mxnet_loss, torch_loss, targets=None, word="agrees", stage=None, causes=(), units=3, inputs=None, **more
):
    """A Dense and a loss."""
    settings = {"mxnet_loss": mxnet_loss, "torch_loss": torch_loss, **more}
    if targets is not None:
        settings["targets"] = targets
    return Kind(
        name,
        lambda: gnn.Dense(units, in_units=4, flatten=False),
        lambda: nn.Linear(4, units),
        inputs or normal(4),
        word,
        stage,
        causes,
        more=settings,
    )


class Two(gnn.HybridBlock):
    """What it is given, and what a layer makes of it."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def hybrid_forward(self, F, x):
        return x, self.layer(x)


class TorchTwo(nn.Module):
    """The same."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return x, self.layer(x)


def classes(rng, n):
    return rng.integers(0, 3, n)


def soft(rng, n):
    made = rng.uniform(0.1, 1, (n, 3))
    return made / made.sum(1, keepdims=True)


def zero_one(rng, n):
    return rng.integers(0, 2, (n, 3)).astype(float)


def real(rng, n):
    return 2 * rng.standard_normal((n, 3))


def signs(rng, n):
    return rng.choice([-1.0, 1.0], (n, 3))


def bad_classes(rng, n):
    return rng.integers(0, 3, (n, 5))


def labels(rng, n):
    return np.stack([rng.permutation(np.arange(1, 5))[:3] for _ in range(n)])


def ctc_mxnet(where):
    def loss(out, targets):
        if where == "gluon":
            return gloss.CTCLoss(layout="NTC", label_layout="NT")(out, targets - 1).mean()
        return mx.nd.CTCLoss(out.transpose((1, 0, 2)), targets, blank_label=where).mean()

    return loss


def ctc_torch(blank, mean=False):
    def loss(out, targets):
        n = len(out)
        given = targets if blank == 0 else targets - 1
        each = f.ctc_loss(
            out.log_softmax(-1).transpose(0, 1),
            given,
            torch.full((n,), out.shape[1]),
            torch.full((n,), 3),
            blank,
            "none",
        )
        return (each / 3).mean() if mean else each.mean()

    return loss


SEQ = {"units": 6, "inputs": normal(8, 4)}


def triplet(mxnet=True, margin=1.0):
    def gluon_loss(out):
        return gloss.TripletLoss(margin)(out, out[::-1], 0.5 * out).mean()

    def torch_loss(out):
        a, p, q = out, out.flip(0), 0.5 * out
        return ((a - p).pow(2).sum(1) - (a - q).pow(2).sum(1) + margin).relu().mean()

    return gluon_loss if mxnet else torch_loss


def cosine(out, targets):
    return gloss.CosineEmbeddingLoss(margin=0.2)(
        out, targets, mx.nd.array([1, -1, 1][: len(out)], dtype=out.dtype)
    ).mean()


def torch_cosine(margin):
    def loss(out, targets):
        return f.cosine_embedding_loss(out, targets, torch.tensor([1, -1, 1][: len(out)]), margin)

    return loss


def sce(**more):
    return lambda out, y: gloss.SoftmaxCrossEntropyLoss(**more)(out, y).mean()


def weights(out):
    return mx.nd.array([[1.0], [0.5], [2.0]], dtype=out.dtype)[: len(out)]


def torch_weights(out):
    return torch.tensor([1.0, 0.5, 2.0])[: len(out)]


KINDS = [
    kind("softmax", sce(), lambda o, y: f.cross_entropy(o, y), classes),
    kind(
        "softmax, sum",
        sce(),
        lambda o, y: f.cross_entropy(o, y, reduction="sum"),
        classes,
        "differs",
        "loss",
        ("loss reduction",),
    ),
    kind(
        "softmax of probabilities",
        lambda o, y: gloss.SoftmaxCrossEntropyLoss(from_logits=True)(o.softmax().log(), y).mean(),
        lambda o, y: f.nll_loss(o.log_softmax(1), y),
        classes,
    ),
    kind("soft labels", sce(sparse_label=False), lambda o, y: f.cross_entropy(o, y), soft),
    kind(
        "soft labels, smoothed",
        sce(sparse_label=False),
        lambda o, y: f.cross_entropy(o, y, label_smoothing=0.1),
        soft,
        "differs",
        "loss",
        ("label smoothing",),
    ),
    kind(
        "labels smoothed by hand",
        lambda o, y: -(mx.nd.one_hot(y, 3, on_value=0.9 + 0.1 / 3, off_value=0.1 / 3) * mx.nd.log_softmax(o)).sum(1),
        lambda o, y: f.cross_entropy(o, y, label_smoothing=0.1),
        classes,
    ),
    Kind(
        "the second of two outputs, smoothed",
        lambda: Two(gnn.Dense(3, in_units=4)),
        lambda: TorchTwo(nn.Linear(4, 3)),
        normal(4),
        "differs",
        "loss",
        ("label smoothing",),
        more={
            "mxnet_loss": lambda o, y: sce()(o[1], y),
            "torch_loss": lambda o, y: f.cross_entropy(o[1], y, label_smoothing=0.1),
            "targets": classes,
        },
    ),
    kind(
        "hard labels, smoothed",
        sce(),
        lambda o, y: f.cross_entropy(o, y, label_smoothing=0.1),
        classes,
        "differs",
        "loss",
        ("label smoothing",),
    ),
    kind(
        "softmax along another axis",
        lambda o, y: gloss.SoftmaxCrossEntropyLoss(axis=1)(o.transpose((0, 2, 1)), y).mean(),
        lambda o, y: f.cross_entropy(o.transpose(1, 2), y),
        bad_classes,
        inputs=normal(5, 4),
    ),
    kind(
        "softmax, weights",
        lambda o, y: gloss.SoftmaxCrossEntropyLoss()(o, y, weights(o)).mean(),
        lambda o, y: (f.cross_entropy(o, y, reduction="none") * torch_weights(o)).mean(),
        classes,
    ),
    kind(
        "softmax, weights forgotten",
        lambda o, y: gloss.SoftmaxCrossEntropyLoss()(o, y, weights(o)).mean(),
        lambda o, y: f.cross_entropy(o, y),
        classes,
        "differs",
        "loss",
    ),
    kind(
        "softmax, weights divided by",
        lambda o, y: gloss.SoftmaxCrossEntropyLoss(weight=2.0)(o, y).mean(),
        lambda o, y: 2 * f.cross_entropy(o, y),
        classes,
    ),
    kind(
        "sigmoid",
        lambda o, y: gloss.SigmoidBCELoss()(o, y).mean(),
        lambda o, y: f.binary_cross_entropy_with_logits(o, y),
        zero_one,
    ),
    kind(
        "from sigmoid",
        lambda o, y: gloss.SigmoidBCELoss(from_sigmoid=True)(o.sigmoid(), y).mean(),
        lambda o, y: f.binary_cross_entropy(o.sigmoid(), y),
        zero_one,
    ),
    kind(
        "sigmoid, positive weight",
        lambda o, y: gloss.SigmoidBCELoss()(o, y, None, mx.nd.array([2.0], dtype=o.dtype)).mean(),
        lambda o, y: f.binary_cross_entropy_with_logits(o, y, pos_weight=torch.tensor(2.0)),
        zero_one,
    ),
    kind(
        "sigmoid twice",
        lambda o, y: gloss.SigmoidBCELoss()(o, y).mean(),
        lambda o, y: f.binary_cross_entropy_with_logits(o.sigmoid(), y),
        zero_one,
        "differs",
        "loss",
        ("loss kind",),
    ),
    kind(
        "divergence",
        lambda o, y: gloss.KLDivLoss(from_logits=False)(o, y).mean(),
        lambda o, y: f.kl_div(o.log_softmax(1), y, reduction="batchmean"),
        soft,
    ),
    kind(
        "divergence by number",
        lambda o, y: gloss.KLDivLoss(from_logits=False)(o, y).mean(),
        lambda o, y: f.kl_div(o.log_softmax(1), y),
        soft,
        "differs",
        "loss",
        ("loss reduction",),
    ),
    kind(
        "huber", lambda o, y: gloss.HuberLoss(rho=0.7)(o, y).mean(), lambda o, y: f.smooth_l1_loss(o, y, beta=0.7), real
    ),
    kind(
        "huber, delta",
        lambda o, y: gloss.HuberLoss(rho=0.7)(o, y).mean(),
        lambda o, y: f.huber_loss(o, y, delta=0.7),
        real,
        "differs",
        "loss",
    ),
    kind("hinge", lambda o, y: gloss.HingeLoss()(o, y).mean(), lambda o, y: (1 - o * y).relu().mean(), signs),
    kind(
        "hinge, squared",
        lambda o, y: gloss.SquaredHingeLoss()(o, y).mean(),
        lambda o, y: (1 - o * y).relu().mean(),
        signs,
        "differs",
        "loss",
        ("loss kind",),
    ),
    kind("logistic", lambda o, y: gloss.LogisticLoss()(o, y).mean(), lambda o, y: f.soft_margin_loss(o, y), signs),
    kind("l2", lambda o, y: gloss.L2Loss()(o, y).mean(), lambda o, y: 0.5 * f.mse_loss(o, y), real),
    kind(
        "l2 without half",
        lambda o, y: gloss.L2Loss()(o, y).mean(),
        lambda o, y: f.mse_loss(o, y),
        real,
        "differs",
        "loss",
        ("loss factor",),
    ),
    kind("l1 summed", lambda o, y: gloss.L1Loss()(o, y).sum(), lambda o, y: (o - y).abs().mean(1).sum(), real),
    kind("poisson", lambda o, y: gloss.PoissonNLLLoss()(o, y).mean(), lambda o, y: f.poisson_nll_loss(o, y), zero_one),
    kind("triplet", triplet(), triplet(False), None),
    kind("triplet, margin", triplet(), triplet(False, 0.5), None, "differs", "loss"),
    kind("cosine", cosine, torch_cosine(0.2), real),
    kind("cosine, margin", cosine, torch_cosine(0.0), real, "differs", "loss"),
    kind("ctc, blank last", ctc_mxnet("gluon"), ctc_torch(5), labels, **SEQ),
    kind("ctc, blank first", ctc_mxnet("first"), ctc_torch(0), labels, **SEQ),
    kind("ctc, the other blank", ctc_mxnet("first"), ctc_torch(5), labels, "differs", "loss", **SEQ),
    kind("ctc, divided by lengths", ctc_mxnet("gluon"), ctc_torch(5, True), labels, "differs", "loss", **SEQ),
    kind("own loss", lambda o, y: ((o - y) ** 2).sum() / o.shape[0], lambda o, y: (o - y).pow(2).sum(1).mean(), real),
    kind(
        "own loss, summed",
        lambda o, y: ((o - y) ** 2).sum(),
        lambda o, y: (o - y).pow(2).mean(),
        real,
        "differs",
        "loss",
        ("loss reduction",),
    ),
    kind("no targets", lambda o: o.square().mean(), lambda o: o.square().mean(), None),
    kind(
        "focal",
        lambda o, y: -(0.25 * (1 - o.softmax().pick(y)) ** 2 * o.log_softmax().pick(y)).mean(),
        lambda o, y: (
            -(0.25 * (1 - o.softmax(1).gather(1, y[:, None])) ** 2 * o.log_softmax(1).gather(1, y[:, None])).mean()
        ),
        classes,
    ),
    kind(
        "a part of the loss is cut off",
        lambda o, y: ((o - y) ** 2).mean() + 1e-3 * o.square().mean(),
        lambda o, y: f.mse_loss(o, y) + 1e-3 * o.detach().square().mean(),
        real,
        "differs",
        "gradients",
    ),
    kind(
        "a part of tiny weight is missing",
        lambda o, y: ((o - y) ** 2).mean() + 1e-7 * o.square().mean(),
        lambda o, y: f.mse_loss(o, y),
        real,
        "differs",
        "loss",
    ),
]

PENDING: list[tuple[str, Kind]] = []

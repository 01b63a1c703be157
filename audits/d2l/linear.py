"""Linear models of d2l: regression and softmax regression."""

from __future__ import annotations

from audits.d2l.adapters import adopt_mxnet, adopt_torch
from audits.d2l.case import AuditCase, Known, port
from audits.d2l.imports import d2l_mxnet, d2l_torch

INPUTS, CLASSES, RATE = 5, 4, 0.125

OWN_OPTIMIZER = {"optimizer": lambda model: model.configure_optimizers()}


def own_losses(name: str) -> dict:
    """The losses of a d2l class; `loss` uses nothing of the model that it is called on."""
    return {
        "mxnet_loss": lambda output, y: getattr(d2l_mxnet(), name).loss(None, output, y),
        "torch_loss": lambda output, y: getattr(d2l_torch(), name).loss(None, output, y),
    }


def _regression_targets(rng, batch):
    return rng.standard_normal((batch, 1))


def _features(rng, batch):
    return rng.standard_normal((batch, INPUTS))


CASES = (
    AuditCase(
        "LinearRegression",
        port=port(
            mxnet=lambda: d2l_mxnet().LinearRegression(RATE),
            torch=lambda: d2l_torch().LinearRegression(RATE),
            inputs=_features,
            targets=_regression_targets,
            **own_losses("LinearRegression"),
            **OWN_OPTIMIZER,
        ),
        known=Known(
            "loss",
            "gluon.loss.L2Loss is half of the squared error (mxnet.py:431), nn.MSELoss the whole (torch.py:417): "
            "torch's loss and gradients are twice MXNet's, so the same lr learns twice as fast",
        ),
        mended={"torch_loss": lambda output, y: d2l_torch().LinearRegression.loss(None, output, y) / 2},
        aside="initial values: torch fills a lazy layer that has no shape yet (torch.py:408-409), and the first "
        "forward draws it anew from U(+-1/sqrt(in)): N(0, 0.01) and bias 0 are lost; MXNet keeps them (mxnet.py:423)",
    ),
    AuditCase(
        "LinearRegression (images)",
        port=port(
            mxnet=lambda: d2l_mxnet().LinearRegression(RATE),
            torch=lambda: d2l_torch().LinearRegression(RATE),
            inputs=lambda rng, batch: rng.standard_normal((batch, 2, 3)),
        ),
        known=Known(
            "parameters",
            "nn.Dense flattens all axes but the first (mxnet.py:422), nn.LazyLinear works on the last axis alone "
            "(torch.py:407): (1, 6) weights against (1, 3). Only for inputs of more than two axes",
        ),
    ),
    AuditCase(
        "LinearRegressionScratch",
        port=port(
            mxnet=lambda: adopt_mxnet(d2l_mxnet().LinearRegressionScratch(INPUTS, RATE)),
            torch=lambda: adopt_torch(d2l_torch().LinearRegressionScratch(INPUTS, RATE)),
            inputs=_features,
            targets=_regression_targets,
            **own_losses("LinearRegressionScratch"),
        ),
        note="plain arrays were made Parameters under their own names; its optimizer d2l.SGD is a case of its own",
    ),
    AuditCase(
        "SoftmaxRegression",
        port=port(
            mxnet=lambda: d2l_mxnet().SoftmaxRegression(CLASSES, RATE),
            torch=lambda: d2l_torch().SoftmaxRegression(CLASSES, RATE),
            inputs=lambda rng, batch: rng.standard_normal((batch, 2, 3)),
            targets=lambda rng, batch: rng.integers(0, CLASSES, batch),
            **own_losses("SoftmaxRegression"),
            **OWN_OPTIMIZER,
        ),
        note="verifies Classifier.loss and Module.configure_optimizers too",
        aside="initial values: Gluon's Uniform(+-0.07) and bias 0 (mxnet.py:525), torch U(+-1/sqrt(in)) for both",
    ),
)

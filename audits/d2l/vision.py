"""Convolutional models of d2l."""

from __future__ import annotations

from audits.d2l.case import AuditCase, port
from audits.d2l.imports import d2l_mxnet, d2l_torch
from audits.d2l.linear import OWN_OPTIMIZER, own_losses

CLASSES, RATE = 10, 0.125

RUNNING = (
    "running variance: Gluon's BatchNorm keeps the biased variance, torch's the unbiased one, n / (n - 1) as large "
    "(mxnet.py:{}, torch.py:{}); after training it shows in inference"
)


def _images(channels: int, size: int):
    return lambda rng, batch: rng.standard_normal((batch, channels, size, size))


CASES = (
    AuditCase(
        "LeNet",
        port=port(
            mxnet=lambda: d2l_mxnet().LeNet(RATE, CLASSES),
            torch=lambda: d2l_torch().LeNet(RATE, CLASSES),
            inputs=_images(1, 28),
            targets=lambda rng, batch: rng.integers(0, CLASSES, batch),
            **own_losses("LeNet"),
            **OWN_OPTIMIZER,
        ),
        aside="initial values: MXNet's class is Xavier, bias 0 by itself (mxnet.py:588); torch's is U(+-1/sqrt(in)) "
        "unless the caller applies init_cnn (torch.py:557), and its biases are never 0",
    ),
    AuditCase(
        "Residual",
        port=port(
            mxnet=lambda: d2l_mxnet().Residual(4),
            torch=lambda: d2l_torch().Residual(4),
            inputs=_images(4, 6),
        ),
        aside=RUNNING.format("604-605", "595-596"),
    ),
    AuditCase(
        "Residual (1x1 convolution, stride 2)",
        port=port(
            mxnet=lambda: d2l_mxnet().Residual(6, True, 2),
            torch=lambda: d2l_torch().Residual(6, True, 2),
            inputs=_images(3, 6),
        ),
        aside=RUNNING.format("604-605", "595-596"),
    ),
    AuditCase(
        "ResNeXtBlock",
        port=port(
            mxnet=lambda: d2l_mxnet().ResNeXtBlock(8, 2, 1),
            torch=lambda: d2l_torch().ResNeXtBlock(8, 2, 1),
            inputs=_images(8, 6),
        ),
        note="groups counts the channels of a group in both: the convolution has bot_channels // groups groups "
        "(mxnet.py:625, torch.py:617)",
        aside=RUNNING.format("628-630", "619-621"),
    ),
    AuditCase(
        "ResNeXtBlock (1x1 convolution, stride 2)",
        port=port(
            mxnet=lambda: d2l_mxnet().ResNeXtBlock(8, 4, 2, True, 2),
            torch=lambda: d2l_torch().ResNeXtBlock(8, 4, 2, True, 2),
            inputs=_images(3, 6),
        ),
        aside=RUNNING.format("628-630", "619-621"),
    ),
    AuditCase(
        "resnet18",
        port=port(
            mxnet=lambda: d2l_mxnet().resnet18(CLASSES),
            torch=lambda: d2l_torch().resnet18(CLASSES),
            inputs=lambda rng: rng.standard_normal((2, 1, 16, 16)),
            updates=1,
        ),
        note="torch takes in_channels, by default 1; MXNet infers them",
        aside=RUNNING.format("1463", "1468"),
    ),
)

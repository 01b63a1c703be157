"""Training steps of d2l, on dense layers with given weights."""

from __future__ import annotations

from typing import Any

from audits.d2l.case import AuditCase, Computation, Known
from audits.d2l.dense import BATCH, RATE, WIDTH, mxnet_dense, mxnet_weights, torch_dense, torch_weights


def _dense(rng: Any) -> dict:
    return {
        "X": rng.standard_normal((BATCH, WIDTH)),
        "y": rng.integers(0, 3, BATCH),
        "weight": rng.standard_normal((3, WIDTH)),
    }


def _mxnet_batch(d2l: Any, a: dict) -> Any:
    net, trainer = mxnet_dense(d2l, a["weight"])
    loss = d2l.gluon.loss.SoftmaxCrossEntropyLoss()
    total, right = d2l.train_batch_ch13(net, a["X"], a["y"], loss, trainer, [d2l.cpu()])
    return [total, right, mxnet_weights(net)]


def _torch_batch(rate: float) -> Any:
    def call(d2l: Any, a: dict) -> Any:
        net, trainer = torch_dense(d2l, a["weight"], rate)
        loss = d2l.nn.CrossEntropyLoss(reduction="none")
        total, right = d2l.train_batch_ch13(net, a["X"], a["y"], loss, trainer, [d2l.cpu()])
        return [total, right, torch_weights(net)]

    return call


def _adversaries(rng: Any) -> dict:
    return {
        "X": rng.standard_normal((BATCH, WIDTH)),
        "Z": rng.standard_normal((BATCH, WIDTH)),
        "D": rng.standard_normal((1, WIDTH)),
        "G": rng.standard_normal((WIDTH, WIDTH)),
    }


def _mxnet_adversary(which: str) -> Any:
    def call(d2l: Any, a: dict) -> Any:
        (net_d, trainer_d), (net_g, trainer_g) = mxnet_dense(d2l, a["D"]), mxnet_dense(d2l, a["G"])
        loss = d2l.gluon.loss.SigmoidBCELoss()
        if which == "D":
            return [d2l.update_D(a["X"], a["Z"], net_d, net_g, loss, trainer_d), mxnet_weights(net_d)]
        return [d2l.update_G(a["Z"], net_d, net_g, loss, trainer_g), mxnet_weights(net_g)]

    return call


def _torch_adversary(which: str, rate: float) -> Any:
    def call(d2l: Any, a: dict) -> Any:
        (net_d, trainer_d), (net_g, trainer_g) = torch_dense(d2l, a["D"], rate), torch_dense(d2l, a["G"], rate)
        loss = d2l.nn.BCEWithLogitsLoss(reduction="sum")
        if which == "D":
            return [d2l.update_D(a["X"], a["Z"], net_d, net_g, loss, trainer_d), torch_weights(net_d)]
        return [d2l.update_G(a["Z"], net_d, net_g, loss, trainer_g), torch_weights(net_g)]

    return call


def _adversary(which: str, lines: str) -> AuditCase:
    return AuditCase(
        f"update_{which}",
        computation=Computation(_adversaries, _mxnet_adversary(which), _torch_adversary(which, RATE), dtype="float32"),
        known=Known(
            "outputs",
            "trainer.step(batch_size) divides MXNet's gradients by the batch size, torch's step does not "
            f"({lines}): torch's are batch-size times as large. Under the book's Adam the factor all but cancels",
        ),
        mended=Computation(
            _adversaries, _mxnet_adversary(which), _torch_adversary(which, RATE / BATCH), dtype="float32"
        ),
        note="with the losses of the book's section: SigmoidBCELoss, BCEWithLogitsLoss(reduction='sum'); SGD",
    )


CASES = (
    AuditCase(
        "train_batch_ch13",
        computation=Computation(_dense, _mxnet_batch, _torch_batch(RATE)),
        known=Known(
            "outputs",
            "trainer.step(labels.shape[0]) divides MXNet's gradients by the batch size (mxnet.py:1502), torch's "
            "l.sum().backward() with a plain step does not (torch.py:1493-1494): torch's step is batch-size times as "
            "large",
        ),
        mended=Computation(_dense, _mxnet_batch, _torch_batch(RATE / BATCH)),
        note="with the book's losses: SoftmaxCrossEntropyLoss, CrossEntropyLoss(reduction='none'); SGD",
    ),
    _adversary("D", "mxnet.py:2615, torch.py:2792"),
    _adversary("G", "mxnet.py:2631, torch.py:2808"),
)

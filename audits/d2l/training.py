"""Losses, metrics and optimizers of d2l, on fixed numbers in place of trained models."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from audits.d2l.boxes import alike
from audits.d2l.case import AuditCase, Computation, Known
from audits.d2l.dense import RATE

VOCABULARY = 5


def _scores(rng: Any) -> dict:
    return {"y_hat": rng.standard_normal((6, 4)), "y": rng.integers(0, 4, 6)}


def _regression(rng: Any) -> dict:
    return {"X": rng.standard_normal((6, 3)), "w": rng.standard_normal((3, 1)), "b": np.ones(1), "y": np.arange(6.0)}


def _attention(rng: Any) -> dict:
    return {"X": rng.standard_normal((2, 3, 7)), "lengths": np.array([2, 5])}


def _sequences(rng: Any) -> dict:
    return {
        "pred": rng.standard_normal((3, 4, VOCABULARY)),
        "label": rng.integers(0, VOCABULARY, (3, 4)),
        "lengths": np.array([4, 2, 0]),
    }


def _bert(rng: Any) -> dict:
    return {
        "mlm": rng.standard_normal((2, 3, VOCABULARY)),
        "nsp": rng.standard_normal((2, 2)),
        "weights": np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]),
        "labels": rng.integers(0, VOCABULARY, (2, 3)),
        "next": np.array([0, 1]),
        "lengths": np.array([4.0, 5.0]),
    }


def _mxnet_bert(d2l: Any, a: dict) -> Any:
    net = lambda *_: (None, a["mlm"], a["nsp"])  # noqa: E731
    shards = [[a[name]] for name in ("labels", "labels", "lengths", "labels", "weights", "labels", "next")]
    mlm, following, both = d2l._get_batch_loss_bert(net, d2l.gluon.loss.SoftmaxCELoss(), VOCABULARY, *shards)
    return [mlm[0], following[0], both[0]]


def _torch_bert(loss: Any) -> Any:
    def call(d2l: Any, a: dict) -> Any:
        net = lambda *_: (None, a["mlm"], a["nsp"])  # noqa: E731
        given = [a[name] for name in ("labels", "labels", "lengths", "labels", "weights", "labels", "next")]
        return [value.mean() for value in d2l._get_batch_loss_bert(net, loss(d2l), VOCABULARY, *given)]

    return call


def _mean_loss(d2l: Any) -> Any:
    return d2l.nn.CrossEntropyLoss()


def _column_loss(d2l: Any) -> Any:
    """A loss of one column, one row for each prediction, that a column of weights can multiply."""
    return lambda y_hat, y: d2l.F.cross_entropy(y_hat, y, reduction="none").reshape(-1, 1)


def _mxnet_array(d2l: Any, a: dict) -> Any:
    """An array with the gradient 2 w."""
    w = a["w"]
    w.attach_grad()
    with d2l.autograd.record():
        loss = (w**2).sum()
    loss.backward()
    return w


def _torch_array(d2l: Any, a: dict) -> Any:
    """A tensor with the gradient 2 w."""
    w = a["w"].requires_grad_()
    (w**2).sum().backward()
    return w


def _clip(array: Any) -> Any:
    def call(d2l: Any, a: dict) -> Any:
        w = array(d2l, a)
        d2l.grad_clipping(SimpleNamespace(params=[w]), 0.5)
        return w.grad

    return call


def _step(array: Any) -> Any:
    def call(d2l: Any, a: dict) -> Any:
        w = array(d2l, a)
        d2l.sgd([w], RATE, 4)
        return w

    return call


def _mxnet_sgd(d2l: Any, a: dict) -> Any:
    w = _mxnet_array(d2l, a)
    d2l.SGD([w], RATE).step(1)
    return w


def _torch_sgd(d2l: Any, a: dict) -> Any:
    w = _torch_array(d2l, a)
    optimizer = d2l.SGD([w], RATE)
    with d2l.torch.no_grad():
        optimizer.step()
    optimizer.zero_grad()
    return w


def _accumulated(d2l: Any, a: dict) -> Any:
    metric = d2l.Accumulator(2)
    metric.add(1, a["y"][0])
    metric.add(2, a["y"][1])
    return metric.data


def _trace(d2l: Any, _: dict) -> Any:
    return d2l.train_2d(lambda x1, x2, s1, s2, f: (x1 - 0.1 * f(x1), x2, s1, s2), 5, lambda x: 2 * x)


CASES = (
    AuditCase(
        "masked_softmax",
        computation=alike(_attention, lambda d2l, a: d2l.masked_softmax(a["X"], a["lengths"])),
    ),
    AuditCase(
        "masked_softmax (its argument afterwards)",
        computation=alike(_attention, lambda d2l, a: [d2l.masked_softmax(a["X"], a["lengths"]), a["X"]]),
        known=Known(
            "outputs",
            "torch's writes the mask into the caller's array (X[~mask] = value on a view, torch.py:1076 and 1089), "
            "MXNet's sequence_mask gives a new one (mxnet.py:1082). d2l's own calls do not use the array again",
        ),
        mended=Computation(
            _attention,
            lambda d2l, a: [d2l.masked_softmax(a["X"], a["lengths"]), a["X"]],
            lambda d2l, a: [d2l.masked_softmax(a["X"].clone(), a["lengths"]), a["X"]],
        ),
    ),
    AuditCase("squared_loss", computation=alike(_regression, lambda d2l, a: d2l.squared_loss(a["X"] @ a["w"], a["y"]))),
    AuditCase("linreg", computation=alike(_regression, lambda d2l, a: d2l.linreg(a["X"], a["w"], a["b"]))),
    AuditCase("accuracy", computation=alike(_scores, lambda d2l, a: d2l.accuracy(a["y_hat"], a["y"]))),
    AuditCase("Accumulator", computation=alike(_scores, _accumulated)),
    AuditCase(
        "evaluate_accuracy_gpu",
        computation=alike(
            _scores, lambda d2l, a: d2l.evaluate_accuracy_gpu(lambda X: X, [(a["y_hat"], a["y"])] * 2, d2l.cpu())
        ),
    ),
    AuditCase(
        "evaluate_loss",
        computation=alike(
            _regression,
            lambda d2l, a: d2l.evaluate_loss(lambda X: d2l.matmul(X, a["w"]), [(a["X"], a["y"])] * 2, d2l.squared_loss),
        ),
    ),
    AuditCase("train_2d", computation=alike(lambda rng: {}, _trace)),
    AuditCase(
        "MaskedSoftmaxCELoss",
        computation=alike(_sequences, lambda d2l, a: d2l.MaskedSoftmaxCELoss()(a["pred"], a["label"], a["lengths"])),
        note="both divide by the number of steps, padding included",
    ),
    AuditCase(
        "_get_batch_loss_bert",
        computation=Computation(_bert, _mxnet_bert, _torch_bert(_mean_loss)),
        known=Known(
            "outputs",
            "MXNet's loss takes the weights of the predictions (mxnet.py:2453-2456); torch multiplies a loss that is "
            "already the mean over all predictions by them (torch.py:2460-2462), and their sum cancels: predictions of "
            "padding count as much as real ones. An unreduced loss does not help: (N,) times (N, 1) is (N, N)",
        ),
        mended=Computation(_bert, _mxnet_bert, _torch_bert(_column_loss)),
        note="with the book's losses, SoftmaxCELoss and nn.CrossEntropyLoss; MXNet's takes a list of shards",
    ),
    AuditCase(
        "sgd",
        computation=Computation(_regression, _step(_mxnet_array), _step(_torch_array)),
        note="torch's also zeroes the gradients, which MXNet overwrites",
    ),
    AuditCase(
        "SGD",
        computation=Computation(_regression, _mxnet_sgd, _torch_sgd),
        note="step(batch_size) ignores its argument in MXNet (mxnet.py:411); torch's step takes none",
    ),
    AuditCase("grad_clipping", computation=Computation(_regression, _clip(_mxnet_array), _clip(_torch_array))),
)

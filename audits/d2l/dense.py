"""A dense layer without a bias, with given weights and plain SGD, for training steps that want a net and a trainer."""

from __future__ import annotations

from typing import Any

WIDTH, BATCH, RATE = 4, 8, 0.125


def mxnet_dense(d2l: Any, weight: Any) -> tuple:
    """(nn.Dense, gluon.Trainer) with the weight (out, in)."""
    net = d2l.nn.Dense(weight.shape[0], in_units=weight.shape[1], use_bias=False)
    net.initialize()
    net.cast(weight.dtype)
    net.weight.set_data(weight)
    return net, d2l.gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": RATE})


def torch_dense(d2l: Any, weight: Any, rate: float = RATE) -> tuple:
    """(nn.Linear, torch.optim.SGD) with the weight (out, in)."""
    net = d2l.nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    net.weight = d2l.nn.Parameter(weight.clone())
    return net, d2l.torch.optim.SGD(net.parameters(), lr=rate)


def mxnet_weights(net: Any) -> Any:
    """The weight as it is now."""
    return net.weight.data()


def torch_weights(net: Any) -> Any:
    """The weight as it is now."""
    return net.weight.detach()

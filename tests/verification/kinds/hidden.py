"""Wrong ports whose fault hardly shows in the numbers."""

from __future__ import annotations

import torch
from mxnet.gluon import nn as gnn
from torch import nn
from torch.nn import functional as f

from tests.verification.kinds import Kind, gluon, module, normal

AB = {"a": lambda: gnn.Dense(6, in_units=4, flatten=False), "b": lambda: gnn.Dense(3, in_units=6, flatten=False)}
ab = {"a": lambda: nn.Linear(4, 6), "b": lambda: nn.Linear(6, 3)}


def between(op):
    return gluon(lambda s, F, x: s.b(op(F, s.a(x))), **AB)


def torch_between(op):
    return module(lambda s, x: s.b(op(s.a(x))), **ab)


def layers(*made):
    def build():
        net = gnn.HybridSequential()
        net.add(*[one() for one in made])
        return net

    return build


def conv():
    return gnn.Conv2D(4, 3, in_channels=3)


def pooled(make):
    return lambda: nn.Sequential(nn.Conv2d(3, 4, 3), make())


def tied_mxnet():
    class Net(gnn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.a = gnn.Dense(4, in_units=4, use_bias=False)
            self.b = gnn.Dense(4, in_units=4, use_bias=False, params=self.a.params)

        def hybrid_forward(self, F, x):
            return self.b(F.tanh(self.a(x)))

    return Net()


def torch_tied(tied):
    def build():
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
                if tied:
                    self.b.weight = self.a.weight

            def forward(self, x):
                return self.b(self.a(x).tanh())

        return Net()

    return build


def attention(self, F, x):
    q, k, v = self.query(x), self.key(x), self.value(x)
    return F.batch_dot(F.softmax(F.batch_dot(q, k, transpose_b=True) / 2, axis=-1), v)


def torch_attention(crossed=False, causal=False):
    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        q, k = (k, q) if crossed else (q, k)
        return f.scaled_dot_product_attention(q, k, v, is_causal=causal)

    return module(forward, **{name: (lambda: nn.Linear(4, 4)) for name in ("query", "key", "value")})


QKV = {name: (lambda: gnn.Dense(4, in_units=4, flatten=False)) for name in ("query", "key", "value")}
DROPPED = layers(
    lambda: gnn.Dense(6, in_units=4),
    lambda: gnn.Activation("relu"),
    lambda: gnn.Dropout(0.3),
    lambda: gnn.Dense(3, in_units=6),
)
LEAKY = layers(lambda: gnn.Dense(6, in_units=4), lambda: gnn.LeakyReLU(0.25), lambda: gnn.Dense(3, in_units=6))
EMBED = layers(lambda: gnn.Embedding(7, 4), lambda: gnn.Dense(3, in_units=20))


def words(rng, n):
    return rng.integers(0, 7, (n, 5))


def linear(*inside):
    return lambda: nn.Sequential(nn.Linear(4, 6), *[one() for one in inside], nn.Linear(6, 3))


def pool(make, **more):
    return layers(conv, lambda: make(**more))


KINDS = [
    Kind("tied", tied_mxnet, torch_tied(True), normal(4)),
    Kind("tied on one side", tied_mxnet, torch_tied(False), normal(4), "differs", "parameters"),
    Kind(
        "a branch of tiny weight",
        between(lambda F, x: F.tanh(x) + 1e-6 * F.sigmoid(x)),
        torch_between(lambda x: x.tanh() + 1e-6 * x.sigmoid()),
        normal(4),
    ),
    Kind(
        "a branch of tiny weight is missing",
        between(lambda F, x: F.tanh(x) + 1e-8 * F.sigmoid(x)),
        torch_between(lambda x: x.tanh()),
        normal(4),
        "differs",
        "forward",
    ),
    Kind(
        "a branch of tiny weight is cut off",
        between(lambda F, x: F.tanh(x) + 1e-6 * F.sigmoid(x)),
        torch_between(lambda x: x.tanh() + 1e-6 * x.detach().sigmoid()),
        normal(4),
        "differs",
        "gradients",
    ),
    Kind(
        "gelu by tanh",
        between(lambda F, x: F.LeakyReLU(x, act_type="gelu")),
        torch_between(lambda x: f.gelu(x, approximate="tanh")),
        normal(4),
        "differs",
        "forward",
        ("gelu",),
    ),
    Kind("slope", LEAKY, linear(nn.LeakyReLU), normal(4), "differs", "forward", ("slope",)),
    Kind("slope, right", LEAKY, linear(lambda: nn.LeakyReLU(0.25)), normal(4)),
    Kind(
        "eps of a norm, large numbers",
        layers(lambda: gnn.LayerNorm(in_channels=4, epsilon=1e-12)),
        lambda: nn.LayerNorm(4),
        normal(4, times=1e4),
        "differs",
        "forward",
        ("epsilon",),
    ),
    Kind(
        "eps of a norm by hand, large numbers",
        layers(lambda: gnn.LayerNorm(in_channels=4, epsilon=1e-5)),
        module(lambda s, x: f.layer_norm(x, (4,), s.n.weight, s.n.bias, 1e-6), n=lambda: nn.LayerNorm(4)),
        normal(4, times=1e3),
        "differs",
        "forward",
        ("epsilon",),
    ),
    Kind("query and key", gluon(attention, **QKV), torch_attention(), normal(5, 4)),
    Kind("query and key crossed", gluon(attention, **QKV), torch_attention(True), normal(5, 4), "differs"),
    Kind("causal", gluon(attention, **QKV), torch_attention(causal=True), normal(5, 4), "differs", "forward"),
    Kind("dropout", DROPPED, linear(nn.ReLU, lambda: nn.Dropout(0.3)), normal(4)),
    Kind("dropout before relu", DROPPED, linear(lambda: nn.Dropout(0.3), nn.ReLU), normal(4)),
    Kind("dropout missing", DROPPED, linear(nn.ReLU), normal(4), "differs", "forward in training"),
    Kind(
        "dropout before the layer",
        DROPPED,
        lambda: nn.Sequential(nn.Dropout(0.3), nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)),
        normal(4),
        "differs",
        "forward in training",
    ),
    Kind(
        "padding index",
        EMBED,
        lambda: nn.Sequential(nn.Embedding(7, 4, padding_idx=0), nn.Flatten(), nn.Linear(20, 3)),
        words,
        "differs",
        "gradients",
        ("padding index",),
    ),
    Kind("embedding", EMBED, lambda: nn.Sequential(nn.Embedding(7, 4), nn.Flatten(), nn.Linear(20, 3)), words),
    Kind(
        "average with its border",
        pool(gnn.AvgPool2D, pool_size=3, strides=2, padding=1),
        pooled(lambda: nn.AvgPool2d(3, 2, 1)),
        normal(3, 10, 9),
    ),
    Kind(
        "average without its border",
        pool(gnn.AvgPool2D, pool_size=3, strides=2, padding=1, count_include_pad=False),
        pooled(lambda: nn.AvgPool2d(3, 2, 1)),
        normal(3, 10, 9),
        "differs",
        "forward",
        ("pooling convention",),
    ),
    Kind(
        "ceil",
        pool(gnn.MaxPool2D, pool_size=2, strides=2, ceil_mode=True),
        pooled(lambda: nn.MaxPool2d(2, 2)),
        normal(3, 9, 9),
        "differs",
        "forward",
        ("pooling convention",),
    ),
    Kind(
        "ceil, right",
        pool(gnn.MaxPool2D, pool_size=2, strides=2, ceil_mode=True),
        pooled(lambda: nn.MaxPool2d(2, 2, ceil_mode=True)),
        normal(3, 9, 9),
    ),
    Kind(
        "a tiny output is wrong",
        gluon(lambda s, F, x: F.concat(s.a(x), 1e-9 * s.b(F.tanh(s.a(x))), dim=1), **AB),
        module(lambda s, x: torch.cat([s.a(x), 1e-9 * s.b(s.a(x).relu())], 1), **ab),
        normal(4),
        "differs",
    ),
    Kind(
        "nothing has a gradient in torch",
        gluon(lambda s, F, x: s.b(F.tanh(s.a(x))), **AB),
        module(lambda s, x: s.b(s.a(x).tanh()).detach(), **ab),
        normal(4),
        "differs",
        "gradients",
    ),
    Kind(
        "nothing has a gradient on either side",
        gluon(lambda s, F, x: F.BlockGrad(s.b(F.tanh(s.a(x)))), **AB),
        module(lambda s, x: s.b(s.a(x).tanh()).detach(), **ab),
        normal(4),
    ),
    Kind(
        "relu6 forgotten",
        layers(
            lambda: gnn.Dense(6, in_units=4),
            lambda: gnn.HybridLambda(lambda F, x: F.clip(x, 0, 6)),
            lambda: gnn.Dense(3, in_units=6),
        ),
        linear(nn.ReLU),
        normal(4),
        "differs",
    ),
    Kind(
        "relu6 forgotten where nothing has a bias",
        layers(
            lambda: gnn.Dense(6, in_units=4, use_bias=False),
            lambda: gnn.HybridLambda(lambda F, x: F.clip(x, 0, 6)),
            lambda: gnn.Dense(3, in_units=6, use_bias=False),
        ),
        lambda: nn.Sequential(nn.Linear(4, 6, bias=False), nn.ReLU(), nn.Linear(6, 3, bias=False)),
        normal(4),
        "differs",
        "forward",
    ),
    Kind(
        "inputs clipped",
        layers(lambda: gnn.HybridLambda(lambda F, x: F.clip(x, -10, 10)), lambda: gnn.Dense(3, in_units=4)),
        lambda: nn.Linear(4, 3),
        normal(4),
        "differs",
        "forward",
    ),
    Kind(
        "a threshold at small numbers",
        layers(
            lambda: gnn.Dense(6, in_units=4, use_bias=False),
            lambda: gnn.HybridLambda(lambda F, x: F.where(F.abs(x) < 0.005, F.zeros_like(x), x)),
            lambda: gnn.Dense(3, in_units=6),
        ),
        lambda: nn.Sequential(nn.Linear(4, 6, bias=False), nn.Linear(6, 3)),
        normal(4),
        "differs",
        "forward",
    ),
    Kind(
        "numbers that overflow beyond the user's range in torch alone",
        layers(lambda: gnn.Dense(6, in_units=4), lambda: gnn.HybridLambda(lambda F, x: F.softmax(3 * x))),
        module(lambda s, x: (3 * s.a(x)).exp() / (3 * s.a(x)).exp().sum(-1, keepdim=True), a=lambda: nn.Linear(4, 6)),
        normal(4),
    ),
]

PENDING: list[tuple[str, Kind]] = []

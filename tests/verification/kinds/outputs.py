"""Dtypes in a user's code, constants held on one side, outputs of every kind, masks."""

from __future__ import annotations

import math
from collections import namedtuple

import mxnet as mx
import numpy as np
import torch
from mxnet.gluon import nn as gnn
from torch import nn
from torch.nn import functional as f

from tests.verification.kinds import Kind, gluon, module, normal

Two = namedtuple("Two", "logits hidden")
AB = {"a": lambda: gnn.Dense(6, in_units=4, flatten=False), "b": lambda: gnn.Dense(3, in_units=6, flatten=False)}
ab = {"a": lambda: nn.Linear(4, 6), "b": lambda: nn.Linear(6, 3)}


def table(length, width, dtype="float64"):
    at = np.arange(length)[:, None] / 10000 ** (np.arange(0, width, 2) / width)
    made = np.zeros((length, width))
    made[:, 0::2], made[:, 1::2] = np.sin(at), np.cos(at)
    return made.astype(dtype)


def held(dtype):
    class Net(gnn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.a, self.b = AB["a"](), AB["b"]()
            self.position = self.params.get_constant("position", table(5, 6, dtype))

        def hybrid_forward(self, F, x, position):
            return self.b(F.broadcast_add(F.tanh(self.a(x)), position))

    return lambda: Net()


def computed(times=1.0):
    def forward(self, x):
        at = torch.arange(5)[:, None] / 10000 ** (torch.arange(0, 6, 2) / 6)
        position = torch.stack([at.sin(), at.cos()], -1).flatten(1)
        return self.b(self.a(x).tanh() + times * position)

    return module(forward, **ab)


def buffered(base=10000.0):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = ab["a"](), ab["b"]()
            at = torch.arange(5)[:, None] * torch.exp(torch.arange(0, 6, 2) * (-math.log(base) / 6))
            self.register_buffer("position", torch.stack([at.sin(), at.cos()], -1).flatten(1))

        def forward(self, x):
            return self.b(self.a(x).tanh() + self.position)

    return lambda: Net()


def in_code(self, F, x):
    at = F.arange(5).reshape((5, 1)) / 10000 ** (F.arange(0, 6, 2) / 6).reshape((1, 3))
    return self.b(F.broadcast_add(F.tanh(self.a(x)), F.stack(F.sin(at), F.cos(at), axis=2).reshape((5, 6))))


def in_numpy(self, F, x):
    return self.b(F.broadcast_add(F.tanh(self.a(x)), F.array(table(5, 6, "float32"))))


def plain(between=lambda x: x):
    return module(lambda s, x: s.b(between(s.a(x)).tanh()), **ab)


def half(x):
    return x.to(torch.float16).to(x.dtype)


def accumulated(self, F, x):
    total = F.zeros((x.shape[0], 6))
    for step in range(5):
        total = total + F.tanh(self.a(F.slice_axis(x, axis=1, begin=step, end=step + 1).reshape((-1, 4))))
    return self.b(total)


def torch_accumulated(scale=1.0):
    def forward(self, x):
        total = torch.zeros(len(x), 6)
        for step in range(5):
            total += self.a(x[:, step]).tanh() * scale
        return self.b(total)

    return module(forward, **ab)


def masked(value):
    def forward(self, F, x, valid):
        scores = F.broadcast_add(self.a(x), (1 - valid) * value)
        return self.b(F.softmax(scores, axis=-1))

    return gluon(forward, **AB)


def torch_masked(value):
    return module(lambda s, x, valid: s.b(s.a(x).masked_fill(valid == 0, value).softmax(-1)), **ab)


def with_mask(rng, batch_size):
    return rng.standard_normal((batch_size, 4)), np.tile((np.arange(6) < 4).astype(float), (batch_size, 1))


def both(self, F, x):
    hidden = F.tanh(self.a(x))
    return self.b(hidden), hidden


def torch_both(make):
    return module(lambda s, x: make(s.b(s.a(x).tanh()), s.a(x).tanh()), **ab)


def eps_by_dtype(x):
    eps = torch.finfo(torch.float32).eps if x.dtype == torch.float32 else torch.finfo(x.dtype).eps
    return x / (x.pow(2).sum(-1, keepdim=True) + eps).sqrt()


def unit(self, F, x):
    y = self.a(x)
    return self.b(F.tanh(F.broadcast_div(y, F.sqrt(F.sum(F.square(y), axis=-1, keepdims=True) + 2.0**-52))))


def loss_of_labels(shift):
    def loss(out, labels):
        return f.cross_entropy(out.flatten(0, 1), torch.roll(labels, shift, 1).flatten().long())

    return loss


def mx_loss_of_labels(out, labels):
    return mx.gluon.loss.SoftmaxCrossEntropyLoss()(out, labels).mean()


LABELS = {"targets": lambda rng, n: rng.integers(0, 3, (n, 5)), "mxnet_loss": mx_loss_of_labels}
SEQ = normal(5, 4)

KINDS = [
    Kind("positions held in float32 on both sides", held("float32"), buffered(), SEQ),
    Kind("positions computed twice", gluon(in_code, **AB), computed(), SEQ),
    Kind("positions held in float32, computed in code", held("float32"), computed(), SEQ),
    Kind("positions held in float64, computed in code", held("float64"), computed(), SEQ),
    Kind("positions computed, held in torch", gluon(in_code, **AB), buffered(), SEQ),
    Kind("positions of numpy, computed", gluon(in_numpy, **AB), computed(), SEQ),
    Kind("positions a hundred-thousandth too large", held("float32"), computed(1.00001), SEQ, "differs", "forward"),
    Kind("positions of another base", held("float32"), buffered(1000.0), SEQ, "differs"),
    Kind("positions computed, of another base", gluon(in_code, **AB), buffered(1000.0), SEQ, "differs", "forward"),
    Kind("positions a thousandth too large", held("float32"), computed(1.001), SEQ, "differs", "forward"),
    Kind("float", gluon(lambda s, F, x: s.b(F.tanh(s.a(x))), **AB), plain(lambda x: x.float()), SEQ),
    Kind(
        "to float32",
        gluon(lambda s, F, x: s.b(F.tanh(s.a(x).astype("float32"))), **AB),
        plain(lambda x: x.to(torch.float32)),
        SEQ,
    ),
    Kind(
        "to dtype",
        gluon(lambda s, F, x: s.b(F.tanh(F.cast(s.a(x), "float32"))), **AB),
        plain(lambda x: x.to(dtype=torch.float32)),
        SEQ,
    ),
    Kind("type", gluon(lambda s, F, x: s.b(F.tanh(s.a(x))), **AB), plain(lambda x: x.type(torch.float32)), SEQ),
    Kind(
        "FloatTensor",
        gluon(lambda s, F, x: s.b(F.tanh(s.a(x) * 0.5)), **AB),
        plain(lambda x: x * torch.FloatTensor([0.5])),
        SEQ,
    ),
    Kind("half inside", gluon(lambda s, F, x: s.b(F.tanh(s.a(x))), **AB), plain(half), SEQ, "differs", "forward"),
    Kind("zeros of the default dtype", gluon(accumulated, **AB), torch_accumulated(), SEQ),
    Kind(
        "zeros of the default dtype, scaled",
        gluon(accumulated, **AB),
        torch_accumulated(0.5),
        SEQ,
        "differs",
        "forward",
    ),
    Kind(
        "a constant that is another one",
        gluon(lambda s, F, x: s.b(F.tanh(s.a(x) * 0.1)), **AB),
        plain(lambda x: x * 0.1001),
        SEQ,
        "differs",
        "forward",
    ),
    Kind("mask of -1e4 against -1e9", masked(-1e4), torch_masked(-1e9), with_mask),
    Kind("mask of -1e4 against -inf", masked(-1e4), torch_masked(-math.inf), with_mask),
    Kind("mask of -1 against -1e9", masked(-1.0), torch_masked(-1e9), with_mask, "differs", "forward"),
    Kind("tuple and namedtuple", gluon(both, **AB), torch_both(Two), normal(4)),
    Kind("tuple and dict", gluon(both, **AB), torch_both(lambda x, y: {"x": x, "y": y}), normal(4)),
    Kind("tuple and nest", gluon(both, **AB), torch_both(lambda x, y: (x, [y])), normal(4)),
    Kind("an output that is None", gluon(both, **AB), torch_both(lambda x, y: (x, None, y)), normal(4)),
    Kind(
        "integers beside logits",
        gluon(lambda s, F, x: (s.b(s.a(x)), F.argmax(s.b(s.a(x)), axis=-1)), **AB),
        module(lambda s, x: (s.b(s.a(x)), s.b(s.a(x)).argmax(-1)), **ab),
        normal(4),
    ),
    Kind(
        "integers that are others",
        gluon(lambda s, F, x: (s.b(s.a(x)), F.argmax(s.b(s.a(x)), axis=-1)), **AB),
        module(lambda s, x: (s.b(s.a(x)), s.b(s.a(x)).argmin(-1)), **ab),
        normal(4),
        "differs",
        "forward",
    ),
    Kind(
        "booleans",
        gluon(lambda s, F, x: (s.b(s.a(x)), s.a(x) > 0), **AB),
        module(lambda s, x: (s.b(s.a(x)), s.a(x) > 0), **ab),
        normal(4),
    ),
    Kind(
        "integers alone",
        gluon(lambda s, F, x: F.argmax(s.b(s.a(x)), axis=-1), **AB),
        module(lambda s, x: s.b(s.a(x)).argmax(-1), **ab),
        normal(4),
    ),
    Kind(
        "a number",
        gluon(lambda s, F, x: F.mean(s.b(s.a(x))), **AB),
        module(lambda s, x: s.b(s.a(x)).mean(), **ab),
        normal(4),
    ),
    Kind("epsilon of the dtype", gluon(unit, **AB), plain(eps_by_dtype), normal(4)),
    Kind(
        "labels",
        gluon(lambda s, F, x: s.b(s.a(x)), **AB),
        module(lambda s, x: s.b(s.a(x)), **ab),
        SEQ,
        more={**LABELS, "torch_loss": loss_of_labels(0)},
    ),
    Kind(
        "labels shifted",
        gluon(lambda s, F, x: s.b(s.a(x)), **AB),
        module(lambda s, x: s.b(s.a(x)), **ab),
        SEQ,
        "differs",
        "loss",
        more={**LABELS, "torch_loss": loss_of_labels(1)},
    ),
    Kind(
        "outputs exchanged, of one shape",
        gluon(lambda s, F, x: (F.tanh(s.b(s.a(x))), F.relu(s.b(s.a(x)))), **AB),
        module(lambda s, x: (s.b(s.a(x)).relu(), s.b(s.a(x)).tanh()), **ab),
        normal(4),
        "differs",
        "forward",
        ("outputs",),
    ),
]

PENDING: list[tuple[str, Kind]] = [
    (
        "differs by 2e-8: a number of float32 against that of float64",
        Kind(
            "numpy's constant",
            gluon(lambda s, F, x: s.b(F.tanh(s.a(x) * float(np.float32(0.1)))), **AB),
            plain(lambda x: x * 0.1),
            SEQ,
        ),
    ),
]

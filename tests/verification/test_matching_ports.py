"""Ports whose parameters are held differently on the two sides: right ones agree, wrong ones are told by names."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
import torch
from mxnet.gluon import nn as gluon_nn
from mxnet.gluon import rnn
from torch import nn

import crossfw
from crossfw.verification import trial


def gluon(forward, dense=(), others=None, arrays=None):
    """A block with Dense layers by name (units, inputs), other layers, and arrays of its own."""

    class Net(gluon_nn.HybridBlock):
        def __init__(self):
            super().__init__()
            for name, (units, inputs) in dict(dense).items():
                setattr(self, name, gluon_nn.Dense(units, flatten=False, in_units=inputs))
            for name, make in (others or {}).items():
                setattr(self, name, make())
            for name, make in (arrays or {}).items():
                setattr(self, name, make(self.params, name))

        def hybrid_forward(self, F, x, **own):
            return forward(self, F, x, **own)

    return Net


class FrozenNorm(nn.Module):
    """A detector's: four buffers."""

    def __init__(self, size):
        super().__init__()
        for name, value in (("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)):
            self.register_buffer(name, torch.full((1, size, 1, 1), value))

    def forward(self, x):
        return (x - self.running_mean) * (self.running_var + 1e-5).rsqrt() * self.weight + self.bias


def frozen_norm():
    norm = gluon_nn.BatchNorm(in_channels=8, use_global_stats=True)
    for parameter in (norm.gamma, norm.beta):
        parameter.grad_req = "null"
    return norm


def module(forward, linear=(), others=None, arrays=None, buffers=None):
    """A module with Linear layers by name (outputs, inputs), other modules, parameters and buffers."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            for name, (units, inputs) in dict(linear).items():
                setattr(self, name, nn.Linear(inputs, units))
            for name, make in (others or {}).items():
                setattr(self, name, make())
            for name, shape in (arrays or {}).items():
                setattr(self, name, nn.Parameter(torch.empty(shape)))
            for name, value in (buffers or {}).items():
                self.register_buffer(name, value)

        def forward(self, x):
            return forward(self, x)

    return Net


def sequences(rng):
    return rng.standard_normal((2, 5, 8))


def maps(rng):
    return rng.standard_normal((2, 8, 3, 3))


def attention(F, q, k, v, scale=1.0):
    return F.batch_dot(F.softmax(F.batch_dot(q, k, transpose_b=True) * scale), v)


def torch_attention(q, k, v, scale=1.0):
    return (q @ k.transpose(1, 2) * scale).softmax(-1) @ v


QKV = {"q": (8, 8), "k": (8, 8), "v": (8, 8), "o": (8, 8)}


def packed_order(order):
    def forward(s, x):
        parts = s.qkv(x).chunk(3, -1)
        return s.out(torch_attention(*(parts[i] for i in order)))

    return module(forward, {"qkv": (24, 8), "out": (8, 8)})


def interleaved(s, F, x):
    qkv = F.reshape(s.qkv(x), (0, 0, 2, 3, 4))
    parts = (F.squeeze(F.slice_axis(qkv, axis=3, begin=i, end=i + 1), axis=3) for i in range(3))
    q, k, v = (F.reshape(F.transpose(part, (0, 2, 1, 3)), (-3, 0, 0)) for part in parts)
    y = F.reshape(attention(F, q, k, v, 0.5), (-4, -1, 2, 0, 0))
    return s.out(F.reshape(F.transpose(y, (0, 2, 1, 3)), (0, 0, -3)))


def separate_heads(s, x):
    q, k, v = (f(x).view(2, 5, 2, 4).transpose(1, 2).reshape(4, 5, 4) for f in (s.q, s.k, s.v))
    return s.o(torch_attention(q, k, v, 0.5).view(2, 2, 5, 4).transpose(1, 2).reshape(2, 5, 8))


def separate(s, F, x):
    return s.o(attention(F, s.q(x), s.k(x), s.v(x)))


def lstm_of_linears(gates):
    def forward(s, x):
        h = c = x.new_zeros(len(x), 4)
        found = []
        for xt in x.unbind(1):
            i, f, g, o = gates(s, xt, h)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            found.append(h)
        return torch.stack(found, 1)

    return forward


EIGHT = {f"{side}_{gate}": (4, 8 if side == "x" else 4) for gate in "fogi" for side in "xh"}


def eight(s, xt, h):
    return [getattr(s, f"x_{gate}")(xt) + getattr(s, f"h_{gate}")(h) for gate in "ifgo"]


def turned(s, F, x):
    pairs = F.reshape(s.fc(x), (0, 0, 4, 2))
    a, b = F.slice_axis(pairs, axis=3, begin=0, end=1), F.slice_axis(pairs, axis=3, begin=1, end=2)
    return F.reshape(F.concat(-b, a, dim=3), (0, 0, -3))


def constant(value):
    return lambda params, name: params.get_constant(name, mx.nd.array(value))


def lstm():
    return gluon(lambda s, F, x: s.lstm(x), others={"lstm": lambda: rnn.LSTM(4, input_size=8, layout="NTC")})


HEADS = dict.fromkeys("abcde", (1, 8))

RIGHT = {
    "separate against packed": (gluon(separate, QKV), packed_order((0, 1, 2)), sequences),
    "packed in another order": (gluon(separate, QKV), packed_order((2, 0, 1)), sequences),
    "interleaved heads": (gluon(interleaved, {"qkv": (24, 8), "out": (8, 8)}), module(separate_heads, QKV), sequences),
    "interleaved against in_proj": (
        gluon(interleaved, {"qkv": (24, 8), "out": (8, 8)}),
        module(lambda s, x: s.a(x, x, x)[0], others={"a": lambda: nn.MultiheadAttention(8, 2, batch_first=True)}),
        sequences,
    ),
    "eight linears against an LSTM": (lstm(), module(lstm_of_linears(eight), EIGHT), sequences),
    "two linears against an LSTM": (
        lstm(),
        module(lstm_of_linears(lambda s, x, h: (s.x(x) + s.h(h)).chunk(4, 1)), {"x": (16, 8), "h": (16, 4)}),
        sequences,
    ),
    "five heads in another order": (
        gluon(lambda s, F, x: F.concat(*((k + 1) * F.tanh(getattr(s, n)(x)) for k, n in enumerate("abcde"))), HEADS),
        module(
            lambda s, x: torch.cat([(k + 1) * torch.tanh(getattr(s, n)(x)) for k, n in enumerate("trpqs")], 1),
            dict.fromkeys("pqrst", (1, 8)),
        ),
        lambda rng: rng.standard_normal((3, 8)),
    ),
    "a convolution over the whole map": (
        gluon(lambda s, F, x: F.flatten(s.conv(x)), others={"conv": lambda: gluon_nn.Conv2D(4, 3, in_channels=8)}),
        module(lambda s, x: s.fc(x.flatten(1)), {"fc": (4, 72)}),
        maps,
    ),
    "squeeze and excitation by convolutions": (
        gluon(
            lambda s, F, x: F.broadcast_mul(x, F.sigmoid(s.up(F.relu(s.down(F.mean(x, (2, 3), keepdims=True)))))),
            others={
                "down": lambda: gluon_nn.Conv2D(8, 1, in_channels=8),
                "up": lambda: gluon_nn.Conv2D(8, 1, in_channels=8),
            },
        ),
        module(
            lambda s, x: x * torch.sigmoid(s.up(torch.relu(s.down(x.mean((2, 3))))))[:, :, None, None],
            {"up": (8, 8), "down": (8, 8)},
        ),
        maps,
    ),
    "a frozen norm": (
        gluon(lambda s, F, x: s.norm(s.conv(x)), others={"conv": lambda: gluon_nn.Conv2D(8, 1), "norm": frozen_norm}),
        module(
            lambda s, x: s.norm(s.conv(x)),
            others={"conv": lambda: nn.Conv2d(8, 8, 1), "norm": lambda: FrozenNorm(8)},
        ),
        maps,
    ),
    "buffers without a counterpart": (
        gluon(turned, {"fc": (8, 8)}),
        module(
            lambda s, x: torch.view_as_real(torch.view_as_complex(s.fc(x).view(2, 5, 4, 2)) * s.freqs).flatten(2),
            {"fc": (8, 8)},
            buffers={
                "position_ids": torch.arange(5).expand(2, -1),
                "mask": torch.ones(8, 8, dtype=torch.bool),
                "freqs": torch.full((4,), 1j),
                "scale": torch.tensor(2.0),
            },
        ),
        sequences,
    ),
    "a number instead of a constant": (
        gluon(lambda s, F, x, c: F.broadcast_mul(s.fc(x), c), {"fc": (8, 8)}, arrays={"c": constant([3.0])}),
        module(lambda s, x: 3 * s.fc(x), {"fc": (8, 8)}),
        sequences,
    ),
    "one name, another use": (
        gluon(
            lambda s, F, x, mask: s.fc(F.broadcast_add(x, mask)),
            {"fc": (8, 8)},
            arrays={"mask": constant([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -9.0])},
        ),
        module(
            lambda s, x: s.fc(x - 9.0 * s.mask),
            {"fc": (8, 8)},
            buffers={"mask": torch.tensor([0, 0, 0, 0, 0, 0, 0, 1])},
        ),
        sequences,
    ),
    "names tell nothing where sums do not": (
        gluon(lambda s, F, x: F.tanh(s.left(x)) + F.tanh(s.right(x)), {"left": (8, 8), "right": (8, 8)}),
        module(lambda s, x: torch.tanh(s.right(x)) + torch.tanh(s.left(x)), {"right": (8, 8), "left": (8, 8)}),
        sequences,
    ),
}


@pytest.mark.parametrize("case", RIGHT)
def test_right_ports_agree(case):
    mxnet_model, torch_model, inputs = RIGHT[case]
    found = crossfw.verify(mxnet_model, torch_model, inputs)
    assert found, str(found)


def scaled(values):
    return gluon(
        lambda s, F, x, mean: s.fc(F.broadcast_sub(x, mean)), {"fc": (8, 8)}, arrays={"mean": constant(values)}
    )


MEAN = np.arange(8.0)
WRONG = {
    "another mean": (
        scaled(MEAN),
        module(lambda s, x: s.fc(x - s.mean), {"fc": (8, 8)}, buffers={"mean": torch.arange(8.0) / 255}),
        ("mean",),
    ),
    "query for key": (
        gluon(
            lambda s, F, x: attention(F, s.query(x), s.key(x), s.value(x)),
            {"query": (8, 8), "key": (8, 8), "value": (8, 8)},
        ),
        module(
            lambda s, x: torch_attention(s.key(x), s.query(x), s.value(x)),
            {"query": (8, 8), "key": (8, 8), "value": (8, 8)},
        ),
        ("query", "key"),
    ),
    "three names in a circle": (
        gluon(
            lambda s, F, x: attention(F, s.query(x), s.key(x), s.value(x)),
            {"query": (8, 8), "key": (8, 8), "value": (8, 8)},
        ),
        module(
            lambda s, x: torch_attention(s.key(x), s.value(x), s.query(x)),
            {"query": (8, 8), "key": (8, 8), "value": (8, 8)},
        ),
        ("query", "key", "value"),
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_ports_are_told_by_the_names_of_their_arrays(case):
    mxnet_model, torch_model, words = WRONG[case]
    found = crossfw.verify(mxnet_model, torch_model, sequences)
    assert found.stage == "parameters"
    assert found.word == "differs"
    assert all(any(word in fault for fault in found.faults) for word in words), found.faults


def test_without_partners_nothing_below_the_parameters_is_compared():
    found = crossfw.verify(
        gluon(lambda s, F, x: s.b(s.a(x)), {"a": (6, 8), "b": (3, 6)}),
        module(lambda s, x: s.b(s.a(x)), {"a": (7, 8), "b": (3, 7)}),
        sequences,
    )
    assert found.stage == "parameters"
    assert {row.stage for row in found.rows} <= {"parameters"}


def test_blocks_that_run_in_another_order_are_exchanged_whole(monkeypatch):
    monkeypatch.setattr(trial, "TRIAL_SECONDS", 0.0)
    monkeypatch.setattr(trial, "TRIAL_RUNS", 60)  # one array at a time it takes more

    class Block(gluon_nn.HybridSequential):
        def __init__(self):
            super().__init__()
            for _ in range(3):
                self.add(gluon_nn.Dense(4, flatten=False, in_units=4), gluon_nn.LayerNorm(in_channels=4))
            self.add(gluon_nn.Activation("tanh"))

    class Net(gluon_nn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.first, self.second, self.third, self.fourth = (Block() for _ in range(4))

        def hybrid_forward(self, F, x):
            return self.first(x) + 2 * self.second(x) - 3 * self.third(self.fourth(x))

    class Part(nn.Module):
        def __init__(self):
            super().__init__()
            self.linears = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
            self.norms = nn.ModuleList(nn.LayerNorm(4) for _ in range(3))

        def forward(self, x):
            for linear, norm in zip(self.linears, self.norms):
                x = norm(linear(x))
            return torch.tanh(x)

    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = nn.ModuleList(Part() for _ in range(4))

        def forward(self, x):
            a, b, c, d = self.parts
            return -3 * b(a(x)) + 2 * c(x) + d(x)

    found = crossfw.verify(Net, Whole, lambda rng: rng.standard_normal((5, 4)))
    assert found, str(found)
    assert any("told apart by trial" in note for note in found.notes)

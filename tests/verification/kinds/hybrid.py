"""Hybridized blocks, code in blocks, random numbers, cells, dropout."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import torch
from mxnet import autograd
from mxnet import gluon as mx_gluon
from mxnet.gluon import nn as gnn
from mxnet.gluon import rnn
from torch import nn
from torch.nn import functional as f

from tests.verification.kinds import Kind, gluon, module, normal


def hybridized(make, **flags):
    def build():
        net = make()
        net.hybridize(**flags)
        return net

    return build


def partly():
    net = gnn.HybridSequential()
    net.add(
        gnn.Conv2D(4, 3, in_channels=3),
        gnn.BatchNorm(in_channels=4),
        gnn.Activation("relu"),
        gnn.Flatten(),
        gnn.Dense(3, in_units=36),
    )
    net[0].hybridize()
    net[4].hybridize(static_alloc=True, static_shape=True)
    return net


def convolved(*changed):
    def build():
        layers = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(36, 3)]
        for number, layer in changed:
            layers[number] = layer()
        return nn.Sequential(*layers)

    return build


def numpy_net():
    class Net(gnn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.a = gnn.Dense(6, in_units=4)
            self.scale = self.params.get("scale", shape=(6,), init="ones")
            self.b = gnn.Dense(3, in_units=6)

        def hybrid_forward(self, F, x, scale):
            y = F.npx.relu(self.a(x)) * scale
            return self.b(y - F.np.mean(y, axis=-1, keepdims=True))

    net = Net()
    net.initialize()
    net.hybridize()
    return net


def torch_numpy(keep=True):
    def build():
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b, self.scale = nn.Linear(4, 6), nn.Linear(6, 3), nn.Parameter(torch.ones(6))

            def forward(self, x):
                y = self.a(x).relu() * self.scale
                return self.b(y - y.mean(-1, keepdim=True) if keep else y)

        return Net()

    return build


def numpy_var():
    class Net(gnn.Block):
        def __init__(self):
            super().__init__()
            self.a = gnn.Dense(6, in_units=4)

        def forward(self, x):
            y = self.a(x)
            return (y - y.mean(-1, keepdims=True)) / mx.np.sqrt(
                ((y - y.mean(-1, keepdims=True)) ** 2).mean(-1, keepdims=True) + 1e-5
            )

    return Net()


def lambdas():
    net = gnn.HybridSequential()
    net.add(
        gnn.Dense(6, in_units=4),
        gnn.HybridLambda(lambda F, x: F.LeakyReLU(x, slope=0.1)),
        gnn.HybridLambda("tanh"),
        gnn.Dense(3, in_units=6),
    )
    return net


def torch_lambdas(slope):
    return lambda: nn.Sequential(nn.Linear(4, 6), nn.LeakyReLU(slope), nn.Tanh(), nn.Linear(6, 3))


def plain_lambda():
    net = gnn.Sequential()
    net.add(gnn.Dense(6, in_units=4), gnn.Lambda(lambda x: mx.nd.clip(x, 0, 6)), gnn.Dense(3, in_units=6))
    return net


class Swish(autograd.Function):
    def forward(self, x):
        y = mx.nd.sigmoid(x)
        self.save_for_backward(x, y)
        return x * y

    def backward(self, dy):
        x, y = self.saved_tensors
        return dy * (y + x * y * (1 - y))


class Straight(autograd.Function):
    def forward(self, x):
        return x.sign()

    def backward(self, dy):
        return dy


def with_function(kind):
    def build():
        class Net(gnn.Block):
            def __init__(self):
                super().__init__()
                self.a, self.b = gnn.Dense(6, in_units=4), gnn.Dense(3, in_units=6)

            def forward(self, x):
                return self.b(kind()(self.a(x)))

        return Net()

    return build


def torch_between(between):
    return module(lambda s, x: s.b(between(s.a(x))), a=lambda: nn.Linear(4, 6), b=lambda: nn.Linear(6, 3))


def straight(x):
    return x + (x.sign() - x).detach()


def control_flow():
    class Net(gnn.Block):
        def __init__(self):
            super().__init__()
            self.a, self.b = gnn.Dense(4, in_units=4), gnn.Dense(3, in_units=4)

        def forward(self, x):
            for step in range(3):
                x = mx.nd.tanh(self.a(x)) if step % 2 else self.a(x) + x
            return self.b(x) if x.mean().asscalar() > -100 else x

    return Net()


def torch_control_flow(steps):
    def forward(self, x):
        for step in range(steps):
            x = self.a(x).tanh() if step % 2 else self.a(x) + x
        return self.b(x)

    return module(forward, a=lambda: nn.Linear(4, 4), b=lambda: nn.Linear(4, 3))


def depth_mxnet(self, F, x):
    if autograd.is_training():
        return x + self.a(x) * (np.random.rand() < 0.5)
    return x + 0.5 * self.a(x)


def depth_torch(rate):
    def forward(self, x):
        if self.training:
            return x + self.a(x) * float(np.random.rand() < 0.5)
        return x + rate * self.a(x)

    return module(forward, a=lambda: nn.Linear(4, 4))


def noise_mxnet(self, F, x):
    y = self.a(x)
    return self.b(y + 0.1 * F.random.normal_like(y) if autograd.is_training() else y)


def noise_torch(size):
    def forward(self, x):
        y = self.a(x)
        return self.b(y + size * torch.randn_like(y) if self.training else y)

    return module(forward, a=lambda: nn.Linear(4, 6), b=lambda: nn.Linear(6, 3))


def cells(cell, states=False, layout="NTC", length=5, units=3, hybrid=True):
    """An unrolled cell and a layer behind it."""

    def build():
        class Net(gnn.HybridBlock if hybrid else gnn.Block):
            def __init__(self):
                super().__init__()
                self.cell, self.fc = cell(), gnn.Dense(units, flatten=False)

            def hybrid_forward(self, F, x):
                begin = self.cell.begin_state(batch_size=x.shape[0 if layout == "NTC" else 1]) if states else None
                out, _ = self.cell.unroll(length, x, begin, layout, merge_outputs=True)
                return self.fc(out)

            if not hybrid:

                def forward(self, x):
                    return self.hybrid_forward(mx.nd, x)

        return Net()

    return build


def behind(layer, size, units=3):
    """A recurrent layer of torch's and a layer behind it."""
    return module(lambda s, x: s.fc(s.rnn(x)[0]), rnn=layer, fc=lambda: nn.Linear(size, units))


def residual_lstm():
    cell = rnn.SequentialRNNCell()
    cell.add(rnn.LSTMCell(4, input_size=4))
    cell.add(rnn.DropoutCell(0.3))
    cell.add(rnn.ResidualCell(rnn.LSTMCell(4, input_size=4)))
    return cell


def torch_residual(twice=True, rate=0.3):
    def forward(self, x):
        x = f.dropout(self.one(x)[0], rate, self.training)
        y = self.two(x)[0]
        return self.fc(x + y if twice else y)

    given = {"one": lambda: nn.LSTM(4, 4, batch_first=True), "two": lambda: nn.LSTM(4, 4, batch_first=True)}
    return module(forward, fc=lambda: nn.Linear(4, 3), **given)


def both_ways():
    return rnn.BidirectionalCell(rnn.GRUCell(5, input_size=4), rnn.GRUCell(5, input_size=4))


def zoneout():
    return rnn.ZoneoutCell(rnn.RNNCell(4, input_size=4), 0.3, 0.2)


def torch_zoneout():
    def forward(self, x):
        h = torch.zeros(len(x), 4)
        before, made = torch.zeros(len(x), 4), []
        for step in range(x.shape[1]):
            new = self.cell(x[:, step], h)
            if self.training:
                keep = f.dropout(torch.ones_like(new), 0.3) > 0
                out = torch.where(keep, new, before)
                h = torch.where(f.dropout(torch.ones_like(new), 0.2) > 0, new, h)
            else:
                out = h = new
            before = out
            made.append(out)
        return self.fc(torch.stack(made, 1))

    return module(forward, cell=lambda: nn.RNNCell(4, 4), fc=lambda: nn.Linear(4, 3))


def variational():
    return mx_gluon.contrib.rnn.VariationalDropoutCell(rnn.LSTMCell(4, input_size=4), drop_inputs=0.3, drop_outputs=0.2)


def torch_variational(inside=0.3):
    def locked(self, x, rate):
        return x * f.dropout(torch.ones_like(x[:, :1]), rate, self.training)

    def forward(self, x):
        return self.fc(locked(self, self.rnn(locked(self, x, inside))[0], 0.2))

    return module(forward, rnn=lambda: nn.LSTM(4, 4, batch_first=True), fc=lambda: nn.Linear(4, 3))


def spatial(x_axes):
    return gluon(
        lambda s, F, x: s.drop(s.a(x)),
        a=lambda: gnn.Conv2D(4, 3, in_channels=3),
        drop=lambda: gnn.Dropout(0.4, axes=x_axes),
    )


def torch_spatial(kind):
    return module(lambda s, x: s.drop(s.a(x)), a=lambda: nn.Conv2d(3, 4, 3), drop=kind)


def locked_mxnet():
    return gluon(
        lambda s, F, x: s.b(s.drop(s.a(x))),
        a=lambda: gnn.Dense(6, in_units=4, flatten=False),
        b=lambda: gnn.Dense(3, in_units=6, flatten=False),
        drop=lambda: gnn.Dropout(0.4, axes=(1,)),
    )


def locked_torch(hand):
    def forward(self, x):
        y = self.a(x)
        if self.training:
            mask = torch.empty(len(y), 1, 6).bernoulli_(0.6) / 0.6 if hand else f.dropout(torch.ones(len(y), 1, 6), 0.4)
            y = y * mask
        return self.b(y)

    return module(forward, a=lambda: nn.Linear(4, 6), b=lambda: nn.Linear(6, 3))


def plain_dropout(rate=0.4):
    return module(
        lambda s, x: s.b(f.dropout(s.a(x), rate, s.training)), a=lambda: nn.Linear(4, 6), b=lambda: nn.Linear(6, 3)
    )


def lstm_state(keep):
    def forward(self, F, x):
        out, (h, c) = self.rnn(x, [F.zeros((1, x.shape[1], 5)), F.zeros((1, x.shape[1], 5))])
        return self.fc(out), h

    return gluon(forward, rnn=lambda: rnn.LSTM(5, input_size=4), fc=lambda: gnn.Dense(3, flatten=False, in_units=5))


def torch_state(self, x):
    out, (h, _) = self.rnn(x, (torch.zeros(1, x.shape[1], 5), torch.zeros(1, x.shape[1], 5)))
    return self.fc(out), h


SEQ = normal(5, 4)
RNN5 = {"rnn": lambda: nn.LSTM(4, 5), "fc": lambda: nn.Linear(5, 3)}

KINDS = [
    Kind("partly hybridized", partly, convolved((1, lambda: nn.BatchNorm2d(4, eps=1e-5))), normal(3, 5, 5)),
    Kind(
        "partly hybridized, momentum",
        partly,
        convolved((1, lambda: nn.BatchNorm2d(4, momentum=0.9))),
        normal(3, 5, 5),
        "differs",
        "forward in training",
        ("momentum",),
    ),
    Kind("static", hybridized(partly, static_alloc=True, static_shape=True), convolved(), normal(3, 5, 5)),
    Kind(
        "static, gelu",
        hybridized(partly, static_alloc=True),
        convolved((2, nn.GELU)),
        normal(3, 5, 5),
        "differs",
        "forward",
        ("activation",),
    ),
    Kind("numpy interface", numpy_net, torch_numpy(), normal(4), numpy=True),
    Kind("numpy interface, mean forgotten", numpy_net, torch_numpy(False), normal(4), "differs", "forward", numpy=True),
    Kind(
        "numpy interface, norm by hand",
        numpy_var,
        module(lambda s, x: f.layer_norm(s.a(x), (6,), eps=1e-5), a=lambda: nn.Linear(4, 6)),
        normal(4),
        numpy=True,
    ),
    Kind("lambdas", hybridized(lambdas), torch_lambdas(0.1), normal(4)),
    Kind("lambdas, slope", hybridized(lambdas), torch_lambdas(0.01), normal(4), "differs", "forward", ("slope",)),
    Kind("plain lambda", plain_lambda, torch_between(lambda x: x.clamp(0, 6)), normal(4)),
    Kind("function", with_function(Swish), torch_between(f.silu), normal(4)),
    Kind(
        "function, gelu", with_function(Swish), torch_between(f.gelu), normal(4), "differs", "forward", ("activation",)
    ),
    Kind("straight through", with_function(Straight), torch_between(straight), normal(4)),
    Kind(
        "straight through forgotten",
        with_function(Straight),
        torch_between(torch.sign),
        normal(4),
        "differs",
        "gradients",
    ),
    Kind("control flow", control_flow, torch_control_flow(3), normal(4)),
    Kind("control flow, fewer steps", control_flow, torch_control_flow(2), normal(4), "differs", "forward"),
    Kind("stochastic depth", gluon(depth_mxnet, a=lambda: gnn.Dense(4, in_units=4)), depth_torch(0.5), normal(4)),
    Kind(
        "stochastic depth, rate",
        gluon(depth_mxnet, a=lambda: gnn.Dense(4, in_units=4)),
        depth_torch(0.8),
        normal(4),
        "differs",
        "forward",
        ("scale",),
    ),
    Kind(
        "noise",
        gluon(noise_mxnet, a=lambda: gnn.Dense(6, in_units=4), b=lambda: gnn.Dense(3, in_units=6)),
        noise_torch(0.1),
        normal(4),
    ),
    Kind(
        "noise of another size",
        gluon(noise_mxnet, a=lambda: gnn.Dense(6, in_units=4), b=lambda: gnn.Dense(3, in_units=6)),
        noise_torch(0.5),
        normal(4),
        "differs",
        "forward in training",
    ),
    Kind(
        "lstm cell",
        cells(lambda: rnn.LSTMCell(5, input_size=4)),
        behind(lambda: nn.LSTM(4, 5, batch_first=True), 5),
        SEQ,
    ),
    Kind(
        "lstm cell with states",
        cells(lambda: rnn.LSTMCell(5, input_size=4), True),
        behind(lambda: nn.LSTM(4, 5, batch_first=True), 5),
        SEQ,
    ),
    Kind(
        "gru cell hybridized",
        hybridized(cells(lambda: rnn.GRUCell(5, input_size=4))),
        behind(lambda: nn.GRU(4, 5, batch_first=True), 5),
        SEQ,
    ),
    Kind(
        "rnn cell, relu",
        cells(lambda: rnn.RNNCell(5, input_size=4)),
        behind(lambda: nn.RNN(4, 5, batch_first=True, nonlinearity="relu"), 5),
        SEQ,
        "differs",
        "forward",
        ("activation",),
    ),
    Kind(
        "gru both ways", cells(both_ways), behind(lambda: nn.GRU(4, 5, batch_first=True, bidirectional=True), 10), SEQ
    ),
    Kind(
        "gru both ways, first in time",
        cells(both_ways),
        behind(lambda: nn.GRU(4, 5, bidirectional=True), 10),
        SEQ,
        "differs",
        "forward",
        ("layout",),
    ),
    Kind("residual lstm", cells(residual_lstm, hybrid=False), torch_residual(), SEQ),
    Kind(
        "residual lstm, not residual",
        cells(residual_lstm, hybrid=False),
        torch_residual(False),
        SEQ,
        "differs",
        "forward",
    ),
    Kind(
        "residual lstm, rate",
        cells(residual_lstm, hybrid=False),
        torch_residual(rate=0.5),
        SEQ,
        "differs",
        "forward in training",
    ),
    Kind(
        "residual lstm, without dropout",
        cells(residual_lstm, hybrid=False),
        torch_residual(rate=0.0),
        SEQ,
        "differs",
        "forward in training",
    ),
    Kind("zoneout", cells(zoneout), torch_zoneout(), SEQ),
    Kind(
        "locked dropout in a cell, rate",
        cells(variational),
        torch_variational(0.6),
        SEQ,
        "differs",
        "forward in training",
    ),
    Kind("dropout by channel", spatial((2, 3)), torch_spatial(lambda: nn.Dropout2d(0.4)), normal(3, 6, 5)),
    Kind(
        "dropout by number",
        spatial((2, 3)),
        torch_spatial(lambda: nn.Dropout(0.4)),
        normal(3, 6, 5),
        "differs",
        "forward in training",
    ),
    Kind(
        "dropout by number for by channel",
        spatial(()),
        torch_spatial(lambda: nn.Dropout2d(0.4)),
        normal(3, 6, 5),
        "differs",
        "forward in training",
    ),
    Kind("locked dropout, not locked", locked_mxnet(), plain_dropout(), SEQ, "differs", "forward in training"),
    Kind("states of zeros", lstm_state(True), module(torch_state, **RNN5), normal(3, 4)),
    Kind(
        "batch first",
        lstm_state(True),
        module(lambda s, x: torch_state(s, x), rnn=lambda: nn.LSTM(4, 5, batch_first=True), fc=lambda: nn.Linear(5, 3)),
        lambda rng, n: rng.standard_normal((3, 3, 4)),
        "differs",
        "forward",
        ("layout",),
    ),
]

PENDING: list[tuple[str, Kind]] = [
    (
        "a mask made by hand of ones against Gluon's Dropout with axes: the units are not shared",
        Kind("locked dropout in a cell", cells(variational), torch_variational(), SEQ),
    ),
    (
        "the same",
        Kind("locked dropout", locked_mxnet(), locked_torch(False), SEQ),
    ),
    (
        "the same, of coins",
        Kind("locked dropout by coins", locked_mxnet(), locked_torch(True), SEQ),
    ),
]

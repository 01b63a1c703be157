"""Symbols: several inputs and outputs, recurrent operators with flat parameters, loss heads, gates of their own."""

from __future__ import annotations

import mxnet as mx
from torch import nn

from tests.verification.kinds import Kind, module, normal


def block(make, *names):
    """A maker of a SymbolBlock of what `make` gives for variables."""

    def build():
        with mx.name.NameManager():
            inputs = [mx.sym.Variable(name) for name in names]
            return mx.gluon.SymbolBlock(make(*inputs), inputs)

    return build


def fc(x, units, name, **more):
    return mx.sym.FullyConnected(x, num_hidden=units, name=name, **more)


def lstm_operator(x, h, c):
    out = mx.sym.RNN(
        x,
        mx.sym.Variable("lstm_parameters"),
        h,
        c,
        state_size=5,
        num_layers=2,
        mode="lstm",
        state_outputs=True,
        name="lstm",
    )
    return mx.sym.Group([fc(out[0], 3, "fc", flatten=False), out[1], out[2]])


def lstm_torch(keep=True):
    def forward(self, x, h, c):
        out, (h, c) = self.lstm(x, (h, c)) if keep else self.lstm(x)
        return self.fc(out), h, c

    return module(forward, lstm=lambda: nn.LSTM(4, 5, 2), fc=lambda: nn.Linear(5, 3))


def with_states(rng, batch_size):
    h, c = rng.standard_normal((2, 2, batch_size, 5))
    return rng.standard_normal((6, batch_size, 4)), h, c


def bi_gru(x, h):
    out = mx.sym.RNN(
        x, mx.sym.Variable("gru_parameters"), h, state_size=5, num_layers=1, mode="gru", bidirectional=True, name="gru"
    )
    return fc(mx.sym.SequenceLast(out), 3, "fc")


def bi_gru_torch(turned=False):
    def forward(self, x, h):
        out, _ = self.gru(x, h.flip(0) if turned else h)
        return self.fc(out[-1])

    return module(forward, gru=lambda: nn.GRU(4, 5, bidirectional=True), fc=lambda: nn.Linear(10, 3))


def two_states(rng, batch_size):
    return rng.standard_normal((6, batch_size, 4)), rng.standard_normal((2, batch_size, 5))


def unrolled(cell, merge=True):
    def make(x):
        made, _ = cell().unroll(5, x, layout="NTC", merge_outputs=merge)
        return fc(made, 3, "fc", flatten=False)

    return make


def torch_lstm(**more):
    def forward(self, x):
        return self.fc(self.lstm(x)[0])

    return module(forward, lstm=lambda: nn.LSTM(4, 6, batch_first=True, **more), fc=lambda: nn.Linear(6, 3))


def torch_gru():
    return module(
        lambda s, x: s.fc(s.gru(x)[0]), gru=lambda: nn.GRU(4, 6, batch_first=True), fc=lambda: nn.Linear(6, 3)
    )


def tiny(x):
    a = mx.sym.Activation(fc(x, 6, "fc0"), act_type="tanh")
    return a, fc(a, 3, "fc1")


def tiny_rows(x):
    """The same of every row."""
    a = mx.sym.FullyConnected(x, num_hidden=6, flatten=False, name="fc0")
    return mx.sym.FullyConnected(mx.sym.tanh(a), num_hidden=3, flatten=False, name="fc1")


def mlp(head):
    def forward(self, x, *_):
        a = self.fc0(x).tanh()
        return head(self, a)

    return module(forward, fc0=lambda: nn.Linear(4, 6), fc1=lambda: nn.Linear(6, 3))


def with_side(x):
    a, b = tiny(x)
    return mx.sym.Group([b, mx.sym.BlockGrad(mx.sym.tanh(a))])


def torch_side(stops):
    return mlp(lambda s, a: (s.fc1(a), (a.detach() if stops else a).tanh()))


def conv_net(x):
    a = mx.sym.Convolution(x, num_filter=4, kernel=(3, 3), pad=(1, 1), name="conv")
    a = mx.sym.LeakyReLU(a, act_type="elu", slope=0.7)
    a = mx.sym.Deconvolution(
        a, num_filter=5, kernel=(3, 3), stride=(2, 2), pad=(1, 1), adj=(1, 1), no_bias=False, name="up"
    )
    return fc(
        mx.sym.Flatten(mx.sym.Pooling(a, kernel=(1, 1), global_pool=True, pooling_convention="full", pool_type="max")),
        3,
        "fc",
    )


def torch_conv_net(alpha=0.7, adj=1):
    return lambda: nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.ELU(alpha),
        nn.ConvTranspose2d(4, 5, 3, 2, 1, output_padding=adj),
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
        nn.Linear(5, 3),
    )


def embedded(x):
    a = mx.sym.Embedding(x, input_dim=9, output_dim=4, name="embed")
    return fc(mx.sym.mean(a, axis=1), 3, "fc")


def words(rng, batch_size):
    return rng.integers(0, 9, (batch_size, 5))


def norm_net(**more):
    def make(x):
        a = mx.sym.Convolution(x, num_filter=4, kernel=(3, 3), name="conv", no_bias=True)
        a = mx.sym.BatchNorm(a, name="bn", **more)
        return fc(mx.sym.Flatten(mx.sym.Activation(a, act_type="relu")), 3, "fc")

    return make


def torch_norm(**more):
    return lambda: nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4, **more), nn.ReLU(), nn.Flatten(), nn.Linear(36, 3)
    )


def numpy_block():
    """A maker of a SymbolBlock by exporting a block of the NumPy interface."""

    def build():
        import tempfile

        from mxnet.gluon import nn as gnn

        net = gnn.HybridSequential()
        net.add(gnn.Dense(6, activation="relu", in_units=4), gnn.Dense(3, in_units=6))
        net.initialize()
        net.hybridize()
        net(mx.np.ones((2, 4)))
        folder = tempfile.mkdtemp()
        net.export(f"{folder}/net")
        return mx.gluon.SymbolBlock.imports(f"{folder}/net-symbol.json", ["data"], f"{folder}/net-0000.params")

    return build


def exported_lstm():
    import tempfile

    from mxnet.gluon import nn as gnn
    from mxnet.gluon import rnn

    net = gnn.HybridSequential()
    net.add(rnn.LSTM(5, 2, layout="NTC", bidirectional=True, input_size=4), gnn.Dense(3, flatten=False, in_units=10))
    net.initialize()
    net.hybridize()
    net(mx.nd.ones((2, 3, 4)))
    folder = tempfile.mkdtemp()
    net.export(f"{folder}/net")
    return mx.gluon.SymbolBlock.imports(f"{folder}/net-symbol.json", ["data"], f"{folder}/net-0000.params")


def torch_bi_lstm(**more):
    given = {"batch_first": True, "bidirectional": True, **more}
    return module(lambda s, x: s.fc(s.lstm(x)[0]), lstm=lambda: nn.LSTM(4, 5, 2, **given), fc=lambda: nn.Linear(10, 3))


def fused(x):
    cell = mx.rnn.FusedRNNCell(6, num_layers=1, mode="lstm", prefix="lstm_", forget_bias=0.0)
    made, _ = cell.unroll(5, x, layout="NTC", merge_outputs=True)
    return fc(made, 3, "fc", flatten=False)


KINDS = [
    Kind("lstm operator with states", block(lstm_operator, "data", "h", "c"), lstm_torch(), with_states),
    Kind(
        "states not given", block(lstm_operator, "data", "h", "c"), lstm_torch(False), with_states, "differs", "forward"
    ),
    Kind("gru both ways", block(bi_gru, "data", "h"), bi_gru_torch(), two_states),
    Kind("gru states exchanged", block(bi_gru, "data", "h"), bi_gru_torch(True), two_states, "differs", "forward"),
    Kind(
        "lstm cell",
        block(unrolled(lambda: mx.rnn.LSTMCell(6, prefix="lstm_", forget_bias=0.0)), "data"),
        torch_lstm(),
        normal(5, 4),
    ),
    Kind(
        "lstm cell whose forget gate has a bias",
        block(unrolled(lambda: mx.rnn.LSTMCell(6, prefix="lstm_")), "data"),
        torch_lstm(),
        normal(5, 4),
    ),
    Kind(
        "lstm without bias",
        block(unrolled(lambda: mx.rnn.LSTMCell(6, prefix="lstm_", forget_bias=0.0)), "data"),
        torch_lstm(bias=False),
        normal(5, 4),
        "differs",
    ),
    Kind("gru cell", block(unrolled(lambda: mx.rnn.GRUCell(6, prefix="gru_")), "data"), torch_gru(), normal(5, 4)),
    Kind(
        "gru for lstm",
        block(unrolled(lambda: mx.rnn.LSTMCell(6, prefix="lstm_", forget_bias=0.0)), "data"),
        torch_gru(),
        normal(5, 4),
        "not compared",
    ),
    Kind("fused cell", block(fused, "data"), torch_lstm(), normal(5, 4)),
    Kind(
        "softmax output",
        block(lambda x: mx.sym.SoftmaxOutput(tiny(x)[1], name="softmax"), "data"),
        mlp(lambda s, a: s.fc1(a).softmax(-1)),
        normal(4),
        more={"train_mode": False},
    ),
    Kind(
        "softmax output over all of a sample",
        block(lambda x: mx.sym.SoftmaxOutput(mx.sym.reshape(tiny(x)[1], (0, 1, -1)), name="softmax"), "data"),
        mlp(lambda s, a: s.fc1(a).softmax(-1).unsqueeze(1)),
        normal(4),
    ),
    Kind(
        "softmax output over all of a sample, ported over the last axis",
        block(lambda x: mx.sym.SoftmaxOutput(tiny_rows(x), name="softmax"), "data"),
        mlp(lambda s, a: s.fc1(a).softmax(-1)),
        normal(2, 4),
        "differs",
        "forward",
    ),
    Kind(
        "softmax output that keeps the shape",
        block(lambda x: mx.sym.SoftmaxOutput(tiny_rows(x), name="softmax", preserve_shape=True), "data"),
        mlp(lambda s, a: s.fc1(a).softmax(-1)),
        normal(2, 4),
    ),
    Kind(
        "softmax output with labels",
        block(lambda x, y: mx.sym.SoftmaxOutput(tiny(x)[1], y, name="softmax"), "data", "softmax_label"),
        mlp(lambda s, a: s.fc1(a).softmax(-1)),
        lambda rng, n: (rng.standard_normal((n, 4)), rng.integers(0, 3, n).astype(float)),
        more={"mxnet_loss": lambda out: out.sum(), "torch_loss": lambda out: out.sum()},
        word="differs",
        causes=("SoftmaxOutput",),
    ),
    Kind(
        "logistic output",
        block(lambda x: mx.sym.LogisticRegressionOutput(tiny(x)[1], name="out"), "data"),
        mlp(lambda s, a: s.fc1(a).tanh()),
        normal(4),
        "differs",
        "forward",
        ("activation",),
    ),
    Kind(
        "linear output forward",
        block(lambda x: mx.sym.LinearRegressionOutput(tiny(x)[1], name="out"), "data"),
        mlp(lambda s, a: s.fc1(a)),
        normal(4),
    ),
    Kind("blocked output", block(with_side, "data"), torch_side(True), normal(4)),
    Kind(
        "blocked output lets gradients through",
        block(with_side, "data"),
        torch_side(False),
        normal(4),
        "differs",
        "gradients",
        ("BlockGrad",),
    ),
    Kind(
        "grouped outputs",
        block(lambda x: mx.sym.Group(list(tiny(x))), "data"),
        mlp(lambda s, a: (a, s.fc1(a))),
        normal(4),
    ),
    Kind(
        "grouped outputs, one missing",
        block(lambda x: mx.sym.Group(list(tiny(x))), "data"),
        mlp(lambda s, a: s.fc1(a)),
        normal(4),
        "differs",
        "forward",
        ("outputs",),
    ),
    Kind("elu, deconvolution, global pooling", block(conv_net, "data"), torch_conv_net(), normal(3, 5, 4)),
    Kind("elu's slope", block(conv_net, "data"), torch_conv_net(1.0), normal(3, 5, 4), "differs", "forward"),
    Kind("deconvolution without adj", block(conv_net, "data"), torch_conv_net(adj=0), normal(3, 5, 4), "differs"),
    Kind(
        "embedding",
        block(embedded, "data"),
        module(lambda s, x: s.fc(s.embed(x).mean(1)), embed=lambda: nn.Embedding(9, 4), fc=lambda: nn.Linear(4, 3)),
        words,
    ),
    Kind(
        "embedding summed",
        block(embedded, "data"),
        module(lambda s, x: s.fc(s.embed(x).sum(1)), embed=lambda: nn.Embedding(9, 4), fc=lambda: nn.Linear(4, 3)),
        words,
        "differs",
        "forward",
    ),
    Kind("norm", block(norm_net(fix_gamma=False, eps=1e-5, momentum=0.9), "data"), torch_norm(), normal(3, 5, 5)),
    Kind(
        "norm's eps",
        block(norm_net(fix_gamma=False), "data"),
        torch_norm(),
        normal(3, 5, 5),
        "differs",
        "forward",
        ("epsilon",),
    ),
    Kind(
        "norm's momentum",
        block(norm_net(fix_gamma=False, eps=1e-5, momentum=0.9), "data"),
        torch_norm(momentum=0.9),
        normal(3, 5, 5),
        "differs",
        "forward in training",
        ("momentum",),
    ),
    Kind(
        "norm's gamma",
        block(norm_net(eps=1e-5, momentum=0.9), "data"),
        torch_norm(),
        normal(3, 5, 5),
        "differs",
        "parameters",
        ("fix_gamma",),
    ),
    Kind("exported lstm", exported_lstm, torch_bi_lstm(), normal(3, 4)),
    Kind(
        "exported lstm, one way",
        exported_lstm,
        torch_bi_lstm(batch_first=False),
        normal(3, 4),
        "differs",
        "forward",
        ("layout",),
    ),
    Kind(
        "exported numpy model",
        numpy_block(),
        lambda: nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)),
        normal(4),
        numpy=True,
    ),
    Kind(
        "exported numpy model, other activation",
        numpy_block(),
        lambda: nn.Sequential(nn.Linear(4, 6), nn.GELU(), nn.Linear(6, 3)),
        normal(4),
        "differs",
        "forward",
        ("activation",),
        numpy=True,
    ),
    Kind(
        "grouped outputs exchanged",
        block(lambda x: mx.sym.Group(list(tiny(x))), "data"),
        mlp(lambda s, a: (s.fc1(a), a)),
        normal(4),
        "differs",
        "forward",
        ("outputs",),
    ),
]

PENDING: list[tuple[str, Kind]] = []

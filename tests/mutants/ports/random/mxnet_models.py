"""The MXNet side of a random port; `torch_models.py` is its sibling."""

from __future__ import annotations

from mxnet import gluon, nd
from mxnet.gluon import nn, rnn

from tests.mutants.ports.random.spec import Layer, Spec, defined

ACTIVATIONS = {
    "relu": lambda: nn.Activation("relu"),
    "tanh": lambda: nn.Activation("tanh"),
    "sigmoid": lambda: nn.Activation("sigmoid"),
    "softplus": lambda: nn.Activation("softrelu"),
    "softsign": lambda: nn.Activation("softsign"),
    "leaky": lambda: nn.LeakyReLU(0.125),
    "elu": lambda: nn.ELU(0.5),
    "gelu": nn.GELU,
    "swish": nn.Swish,
}
RECURRENT = {"rnn": lambda *a, **k: rnn.RNN(*a, activation="tanh", **k), "lstm": rnn.LSTM, "gru": rnn.GRU}
CELLS = {"rnn": rnn.RNNCell, "lstm": rnn.LSTMCell, "gru": rnn.GRUCell}


class Chain(nn.Block):
    """Layers that are defined in one order and run in another."""

    def __init__(self, layers: tuple[Layer, ...], seed: int):
        super().__init__()
        self.parts = {}
        with self.name_scope():
            for place in defined(len(layers), seed):
                self.parts[place] = build(layers[place], seed)
                self.register_child(self.parts[place], f"part{place}")

    def forward(self, x):
        for place in range(len(self.parts)):
            x = self.parts[place](x)
        return x


class Residual(nn.Block):
    def __init__(self, branch: nn.Block):
        super().__init__()
        with self.name_scope():
            self.branch = branch

    def forward(self, x):
        return x + self.branch(x)


class Parallel(nn.Block):
    def __init__(self, left: nn.Block, right: nn.Block):
        super().__init__()
        with self.name_scope():
            self.left, self.right = left, right

    def forward(self, x):
        return self.left(x) - 2 * self.right(x)


class Scale(nn.Block):
    """A parameter of the user's own; its numbers stand along the second axis."""

    def __init__(self, size: int):
        super().__init__()
        with self.name_scope():
            self.factor = self.params.get("factor", shape=(size,), init="ones")

    def forward(self, x):
        return nd.broadcast_mul(x, self.factor.data().reshape((1, -1) + (1,) * (x.ndim - 2)))


class Unrolled(nn.Block):
    """A cell over time."""

    def __init__(self, cell: rnn.RecurrentCell, axis: int):
        super().__init__()
        self.axis = axis
        with self.name_scope():
            self.cell = cell

    def forward(self, x):
        steps = nd.split(x, x.shape[self.axis], axis=self.axis, squeeze_axis=True)
        steps = steps if isinstance(steps, list) else [steps]
        states = [nd.zeros((steps[0].shape[0], info["shape"][1]), dtype=x.dtype) for info in self.cell.state_info(1)]
        outputs = []
        for step in steps:
            output, states = self.cell(step, states)
            outputs.append(output)
        return nd.stack(*outputs, axis=self.axis)


class Pooled(nn.Block):
    """Mean, largest or last over time."""

    def __init__(self, how: str, axis: int):
        super().__init__()
        self.how, self.axis = how, axis

    def forward(self, x):
        if self.how == "last":
            return nd.slice_axis(x, self.axis, -1, None).squeeze(axis=self.axis)
        return getattr(x, self.how)(axis=self.axis)


def layer_of(name: str, dimensions: int):
    """Gluon's layer of that many dimensions: `Conv2D`, `Conv2DTranspose`, ..."""
    head, _, tail = name.partition("#")
    return getattr(nn, f"{head}{dimensions}D{tail}")


def build(layer: Layer, seed: int) -> nn.Block:
    """The block of a layer."""
    s = layer.settings
    if layer.parts:
        parts = [Chain(part, seed) for part in layer.parts]
        return {"residual": Residual, "parallel": Parallel}[layer.kind](*parts)
    return BUILDERS[layer.kind](s)


def tied(s: dict) -> nn.Block:
    first = nn.Dense(s["size"], flatten=False, in_units=s["size"])
    block = nn.Sequential()
    block.add(first, nn.Activation("tanh"), nn.Dense(s["size"], flatten=False, in_units=s["size"], params=first.params))
    return block


def pool(s: dict, kind: str) -> nn.Block:
    more = {} if kind == "Max" else {"count_include_pad": s["border"]}
    window = {"pool_size": s["window"], "strides": s["stride"], "padding": s["padding"], "ceil_mode": s["ceil"]}
    return layer_of(f"{kind}Pool", s["dimensions"])(**window, **more)


def convolution(s: dict, name: str) -> nn.Block:
    more = {"output_padding": s["more"]} if "Transpose" in name else {}
    return layer_of(name, s["dimensions"])(
        s["channels"], s["window"], s["stride"], s["padding"], dilation=s["dilation"], groups=s["groups"],
        use_bias=s["bias"], in_channels=s["size"], **more,
    )  # fmt: skip


BUILDERS = {
    "activation": lambda s: ACTIVATIONS[s["name"]](),
    "prelu": lambda s: nn.PReLU(),
    "dropout": lambda s: nn.Dropout(s["rate"]),
    "flatten": lambda s: nn.Flatten(),
    "dense": lambda s: nn.Dense(s["units"], flatten=False, use_bias=s["bias"]),
    "tied": tied,
    "scale": lambda s: Scale(s["size"]),
    "conv": lambda s: convolution(s, "Conv"),
    "conv_transpose": lambda s: convolution(s, "Conv#Transpose"),
    "max_pool": lambda s: pool(s, "Max"),
    "avg_pool": lambda s: pool(s, "Avg"),
    "global_max": lambda s: layer_of("GlobalMaxPool", s["dimensions"])(),
    "global_avg": lambda s: layer_of("GlobalAvgPool", s["dimensions"])(),
    "batch_norm": lambda s: nn.BatchNorm(momentum=0.875, epsilon=s["eps"], scale=s["scale"], center=s["center"]),
    "layer_norm": lambda s: nn.LayerNorm(epsilon=s["eps"]),
    "group_norm": lambda s: nn.GroupNorm(s["groups"], epsilon=s["eps"]),
    "instance_norm": lambda s: nn.InstanceNorm(epsilon=s["eps"], scale=True, center=True),
    "embedding": lambda s: nn.Embedding(s["tokens"], s["size"]),
    "recurrent": lambda s: RECURRENT[s["cell"]](
        s["units"], num_layers=s["layers"], bidirectional=s["both"], layout="NTC" if s["axis"] else "TNC"
    ),
    "cell": lambda s: Unrolled(CELLS[s["cell"]](s["units"], input_size=s["size"]), s["axis"]),
    "over_time": lambda s: Pooled(s["how"], s["axis"]),
}


def model(spec: Spec) -> nn.Block:
    """The whole network."""
    return Chain(spec.layers, spec.mxnet_order)


LOSSES = {
    "l2": gluon.loss.L2Loss,
    "l1": gluon.loss.L1Loss,
    "huber": lambda: gluon.loss.HuberLoss(rho=0.5),
    "cross_entropy": gluon.loss.SoftmaxCrossEntropyLoss,
}


def optimizer(spec: Spec, block: nn.Block) -> gluon.Trainer:
    """As a port file's."""
    name, settings = {
        "momentum": ("sgd", {"learning_rate": 0.0625, "momentum": 0.5, "wd": 0.0625}),
        "nesterov": ("nag", {"learning_rate": 0.0625, "momentum": 0.5}),
    }[spec.optimizer]
    return gluon.Trainer(block.collect_params(), name, settings)

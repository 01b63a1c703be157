"""The PyTorch side of a random port; `mxnet_models.py` is its sibling."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from tests.mutants.ports.random.spec import Layer, Spec, defined

ACTIVATIONS = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "softplus": nn.Softplus,
    "softsign": nn.Softsign,
    "leaky": lambda: nn.LeakyReLU(0.125),
    "elu": lambda: nn.ELU(0.5),
    "gelu": nn.GELU,
    "swish": nn.SiLU,
}
RECURRENT = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
CELLS = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}


class Chain(nn.Module):
    """Layers that are defined in one order and run in another."""

    def __init__(self, layers: tuple[Layer, ...], seed: int, prefix: str):
        super().__init__()
        self.names = [f"{prefix}{place}" for place in range(len(layers))]
        for place in defined(len(layers), seed):
            self.add_module(self.names[place], build(layers[place], seed, prefix))

    def forward(self, x):
        for name in self.names:
            x = getattr(self, name)(x)
        return x


class Residual(nn.Module):
    def __init__(self, branch: nn.Module):
        super().__init__()
        self.inner = branch

    def forward(self, x):
        return x + self.inner(x)


class Parallel(nn.Module):
    def __init__(self, left: nn.Module, right: nn.Module, crossed: bool):
        super().__init__()
        self.first, self.second, self.crossed = left, right, crossed

    def forward(self, x):
        if self.crossed:
            right = self.second(x)
            return self.first(x) - 2 * right
        return self.first(x) - 2 * self.second(x)


class Scale(nn.Module):
    """A parameter of the user's own; its numbers stand along the second axis."""

    def __init__(self, size: int):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.gain.reshape(1, -1, *[1] * (x.dim() - 2))


class Unrolled(nn.Module):
    """A cell over time."""

    def __init__(self, cell: nn.RNNCellBase, axis: int):
        super().__init__()
        self.axis, self.step = axis, cell

    def forward(self, x):
        state, outputs = None, []
        for step in x.unbind(self.axis):
            state = self.step(step, state)
            outputs.append(state[0] if isinstance(state, tuple) else state)
        return torch.stack(outputs, self.axis)


class Outputs(nn.Module):
    """A recurrent layer without its last state."""

    def __init__(self, layer: nn.RNNBase):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x)[0]


class Pooled(nn.Module):
    """Mean, largest or last over time."""

    def __init__(self, how: str, axis: int):
        super().__init__()
        self.how, self.axis = how, axis

    def forward(self, x):
        if self.how == "last":
            return x.select(self.axis, -1)
        return x.mean(self.axis) if self.how == "mean" else x.amax(self.axis)


def layer_of(name: str, dimensions: int):
    """Torch's layer of that many dimensions: `Conv2d`, `ConvTranspose2d`, ..."""
    return getattr(nn, f"{name}{dimensions}d")


def build(layer: Layer, seed: int, prefix: str = "part") -> nn.Module:
    """The module of a layer."""
    s = layer.settings
    if layer.parts:
        parts = [Chain(part, seed, prefix) for part in layer.parts]
        return Residual(*parts) if layer.kind == "residual" else Parallel(*parts, s["crossed"])
    return BUILDERS[layer.kind](s)


def tied(s: dict) -> nn.Module:
    first, second = nn.Linear(s["size"], s["size"]), nn.Linear(s["size"], s["size"])
    second.weight, second.bias = first.weight, first.bias
    return nn.Sequential(first, nn.Tanh(), second)


def pool(s: dict, kind: str) -> nn.Module:
    more = {} if kind == "Max" else {"count_include_pad": s["border"]}
    window = {"kernel_size": s["window"], "stride": s["stride"], "padding": s["padding"], "ceil_mode": s["ceil"]}
    return layer_of(f"{kind}Pool", s["dimensions"])(**window, **more)


def convolution(s: dict, name: str) -> nn.Module:
    more = {"output_padding": s["more"]} if "Transpose" in name else {}
    return layer_of(name, s["dimensions"])(
        s["size"], s["channels"], s["window"], s["stride"], s["padding"], dilation=s["dilation"], groups=s["groups"],
        bias=s["bias"], **more,
    )  # fmt: skip


def batch_norm(s: dict) -> nn.Module:
    """A scale or a shift that does not learn is one or zero."""
    norm = layer_of("BatchNorm", max(s["dimensions"], 1))(s["size"], momentum=0.125, eps=s["eps"])
    norm.weight.requires_grad_(s["scale"])
    norm.bias.requires_grad_(s["center"])
    return norm


BUILDERS = {
    "activation": lambda s: ACTIVATIONS[s["name"]](),
    "prelu": lambda s: nn.PReLU(),
    "dropout": lambda s: nn.Dropout(s["rate"]),
    "flatten": lambda s: nn.Flatten(),
    "dense": lambda s: nn.Linear(s["size"], s["units"], bias=s["bias"]),
    "tied": tied,
    "scale": lambda s: Scale(s["size"]),
    "conv": lambda s: convolution(s, "Conv"),
    "conv_transpose": lambda s: convolution(s, "ConvTranspose"),
    "max_pool": lambda s: pool(s, "Max"),
    "avg_pool": lambda s: pool(s, "Avg"),
    "global_max": lambda s: layer_of("AdaptiveMaxPool", s["dimensions"])(1),
    "global_avg": lambda s: layer_of("AdaptiveAvgPool", s["dimensions"])(1),
    "batch_norm": batch_norm,
    "layer_norm": lambda s: nn.LayerNorm(s["size"], eps=s["eps"]),
    "group_norm": lambda s: nn.GroupNorm(s["groups"], s["size"], eps=s["eps"]),
    "instance_norm": lambda s: layer_of("InstanceNorm", s["dimensions"])(s["size"], eps=s["eps"], affine=True),
    "embedding": lambda s: nn.Embedding(s["tokens"], s["size"]),
    "recurrent": lambda s: Outputs(
        RECURRENT[s["cell"]](s["size"], s["units"], s["layers"], bidirectional=s["both"], batch_first=bool(s["axis"]))
    ),
    "cell": lambda s: Unrolled(CELLS[s["cell"]](s["size"], s["units"]), s["axis"]),
    "over_time": lambda s: Pooled(s["how"], s["axis"]),
}


def model(spec: Spec) -> nn.Module:
    """The whole network."""
    return Chain(spec.layers, spec.torch_order, spec.prefix)


def shape_after(layer: Layer, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape of what a layer gives for floats of a shape; None where it cannot take them."""
    try:
        with torch.no_grad():
            return tuple(build(layer, 0)(torch.zeros(shape)).shape)
    except (RuntimeError, ValueError):
        return None


LOSSES = {
    "l2": lambda output, targets: functional.mse_loss(output, targets) / 2,
    "l1": functional.l1_loss,
    "huber": lambda output, targets: functional.smooth_l1_loss(output, targets, beta=0.5),
    "cross_entropy": functional.cross_entropy,
}


def optimizer(spec: Spec, module: nn.Module) -> torch.optim.Optimizer:
    """As a port file's."""
    settings = {"momentum": {"weight_decay": 0.0625}, "nesterov": {"nesterov": True}}[spec.optimizer]
    learning = [p for p in module.parameters() if p.requires_grad]
    return torch.optim.SGD(learning, lr=0.0625, momentum=0.5, **settings)

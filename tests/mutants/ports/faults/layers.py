"""Faults of layers that show in a forward pass: activations, epsilons, windows, layouts."""

from __future__ import annotations

from torch import nn
from torch.nn import functional

from tests.mutants.ports.faults.changes import PortFault, edit, methods, setting, swap


def channels_last(self, x):
    return x.permute(0, 2, 3, 1).flatten(1)


def columns_first(self, x):
    x = self.pool0(self.elu0(self.bn0(self.conv0(x))))
    x = functional.relu(self.bn1(self.conv1(x)))
    return self.fc0(x.transpose(2, 3).flatten(1))


def zeros_outside(model: nn.Module) -> None:
    model[0] = nn.ZeroPad2d(2)


def stride_in_the_second(model: nn.Module) -> None:
    """As some versions of the network have it: the second convolution of a block halves the size."""
    for block in (model.layer2[0], model.layer3[0], model.layer4[0]):
        block.conv1.stride, block.conv2.stride = (1, 1), (2, 2)


def large_epsilon(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-3


def past_only(self, x):
    """The same window, moved to the past."""
    return functional.conv1d(functional.pad(x, (4, 0)), self.weight, self.bias, dilation=2)


def late(self, x):
    """The output's last number is dropped, not its first."""
    return functional.conv_transpose1d(x, self.weight, self.bias, stride=2)[..., :-1]


def block_without_shortcut(self, x):
    return functional.relu(self.body(x))


def block_relu_before_sum(self, x):
    return functional.relu(self.body(x)) + self.shortcut(x)


def branches(self, x, y, factor=2):
    right = self.dropout(self.first(x).sigmoid() * self.gain)
    return self.last(right + factor * self.second(y).tanh() + x)


ROWS = (
    ("sigmoid for relu", "mlp", "activation", None, swap("2", nn.Sigmoid)),
    ("relu for sigmoid", "lenet", "activation", None, swap("1", nn.ReLU)),
    ("relu for tanh", "lenet", "activation", None, swap("8", nn.ReLU)),
    ("sigmoid for swish", "style", "activation", None, swap("6", nn.Sigmoid)),
    ("relu for softplus", "autoencoder", "activation", None, swap("decoder.1", nn.ReLU)),
    ("an activation forgotten", "pooling", "activation", None, swap("10", nn.Identity)),
    ("GELU by erf for tanh", "transformer", "gelu", None, swap("gelu", nn.GELU)),
    ("GELU by tanh for erf", "recognizer", "gelu", None, swap("activation", lambda: nn.GELU(approximate="tanh"))),
    ("the other library's slope", "sentiment", "slope", 27, setting("activation", negative_slope=0.01)),
    ("default slope", "autoencoder", "slope", None, swap("encoder.3", nn.LeakyReLU)),
    ("another slope", "pooling", "slope", None, swap("1", lambda: nn.LeakyReLU(0.25))),
    ("default alpha", "pooling", None, None, swap("4", nn.ELU)),
    ("epsilon of batches", "residual", "epsilon", None, setting("1.body.4", eps=1e-5)),
    ("the other library's epsilon", "symbol", "epsilon", 10, setting("bn0", eps=1e-5)),
    ("epsilon in the whole network", "resnet18", "epsilon", None, edit(large_epsilon)),
    ("epsilon of layers", "recognizer", "epsilon", None, setting("norm", eps=1e-5)),
    ("epsilon of groups", "grouped", "epsilon", None, setting("7", eps=1e-5)),
    ("epsilon of instances", "style", "epsilon", None, setting("5", eps=1e-5)),
    ("channels last when flattened", "lenet", "flatten", None, methods("6", forward=channels_last)),
    ("columns first when flattened", "symbol", "flatten", None, methods("", forward=columns_first)),
    ("flattened across", "mlp", "flatten", 23, methods("0", forward=lambda self, x: x.transpose(1, 2).flatten(1))),
    ("windows rounded down", "pooling", "pooling convention", 25, setting("2", ceil_mode=False)),
    ("average without the border", "pooling", "pooling convention", None, setting("5", count_include_pad=False)),
    ("mean without the border", "faces", "pooling convention", None, setting("tower.2", count_include_pad=False)),
    ("average with the border", "volumes", "pooling convention", None, setting("5", count_include_pad=True)),
    ("average for the largest", "pooling", None, None, swap("2", lambda: nn.AvgPool2d(3, 2, ceil_mode=True))),
    ("average of all for the largest", "grouped", None, None, swap("8", lambda: nn.AdaptiveAvgPool2d(1))),
    ("zeros for reflections", "style", "padding", None, edit(zeros_outside)),
    ("border too narrow", "grouped", "padding", None, setting("6", padding=(1, 1))),
    ("no border", "pooling", "padding", None, setting("3", padding=(0, 0))),
    ("border after the windows", "resnet18", "padding", None, setting("pool", padding=0, ceil_mode=True)),
    ("past only", "recognizer", None, None, methods("conv", forward=past_only)),
    ("transposed convolution one late", "autoencoder", None, None, methods("decoder.2", forward=late)),
    ("stride forgotten", "grouped", "stride", None, setting("6", stride=(1, 1))),
    ("stride of the windows", "pooling", "stride", None, setting("2", stride=1)),
    ("stride in the second convolution", "resnet18", None, None, edit(stride_in_the_second)),
    ("dilation forgotten", "grouped", None, None, setting("6", dilation=(1, 1))),
    ("no shortcut", "residual", None, None, methods("2", forward=block_without_shortcut)),
    ("relu before the sum", "residual", None, None, methods("1", forward=block_relu_before_sum)),
    (
        "pictures exchanged",
        "faces",
        None,
        None,
        methods("", forward=lambda self, a, p, n: tuple(map(self.tower, (a, n, p)))),
    ),
    ("inputs exchanged", "branches", None, None, methods("", forward=lambda self, x, y: branches(self, y, x))),
    (
        "a branch not doubled",
        "branches",
        "scale",
        None,
        methods("", forward=lambda self, x, y: branches(self, x, y, 1)),
    ),
    (
        "not transposed",
        "branches",
        "transposition",
        None,
        methods("first", forward=lambda self, x: x @ self.weight + self.bias),
    ),
    ("bias not used", "mlp", "missing bias", None, methods("4", forward=lambda self, x: x @ self.weight.T)),
    (
        "bias added twice",
        "branches",
        "doubled bias",
        None,
        methods("last", forward=lambda self, x: x @ self.weight.T + 2 * self.bias),
    ),
    ("dropout in inference", "mlp", None, None, methods("6", forward=lambda self, x: functional.dropout(x, self.p))),
)


FAULTS = tuple(
    PortFault(name, architecture, "forward", (cause,) if cause else (), trap, change)
    for name, architecture, cause, trap, change in ROWS
)

"""Faults that show only in training, and faults of gradients, where forward pass and loss are right."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from tests.mutants.ports.faults.changes import PortFault, edit, methods, setting
from tests.mutants.ports.faults.sequences import decoder


def stuck(model: nn.Module) -> None:
    """Batch normalization that is never in training mode."""
    norm = model[1].body[1]
    norm.__class__ = type("BatchNorm2d", (type(norm),), {"train": lambda self, mode=True: nn.Module.train(self, False)})


def dropout_before(self, words):
    outputs, _ = self.rnn(self.dropout(self.embedding(words)))
    return self.decoder(outputs)


def dropout_last(self, x, y):
    right = self.first(x).sigmoid() * self.gain
    return self.last(self.dropout(right + 2 * self.second(y).tanh() + x))


def dropout_unscaled(self, x):
    """Numbers are dropped and the others not enlarged."""
    return functional.dropout(x, self.p, self.training) * (1 - self.p if self.training else 1)


def detached_weight(self, x):
    return functional.linear(x, self.weight.detach(), self.bias)


def detached_state(self, x):
    h = x.new_zeros(x.shape[1], 6)
    outputs = []
    for step in x:
        h = self.step(step, h.detach())
        outputs.append(h @ self.W_q + self.b_q)
    return torch.stack(outputs)


def straight_through(self, x, y):
    """The gradient passes the activation as if it were not there."""
    right = self.dropout(self.first(x).sigmoid() * self.gain)
    left = self.second(y)
    left = left + (left.tanh() - left).detach()
    return self.last(right + 2 * left + x)


def negative_without_gradient(self, anchor, positive, negative):
    return self.tower(anchor), self.tower(positive), self.tower(negative).detach()


def decoder_without_gradient(self, x):
    return functional.linear(x, self.weight.detach(), self.bias)


def shortcut_without_gradient(self, x):
    return functional.relu(self.body(x) + self.shortcut(x.detach()))


def statistics_without_gradient(self, x):
    """Mean and variance of the layer are constants to the gradient."""
    mean, variance = x.mean(-1, keepdim=True).detach(), x.var(-1, unbiased=False, keepdim=True).detach()
    return (x - mean) / (variance + self.eps).sqrt() * self.weight + self.bias


def reversed_gradient(self, x):
    return 2 * functional.silu(x).detach() - functional.silu(x)


def half_gradient(self, x):
    output = x.mean((2, 3), keepdim=True)
    return output / 2 + output.detach() / 2


TRAINING = (
    ("another rate of dropout", "mlp", "dropout rate", None, setting("3", p=0.5)),
    ("rate of what is kept", "classifier", "dropout rate", None, setting("dropout", p=0.75)),
    ("dropout forgotten", "transformer", "dropout rate", None, setting("dropout", p=0.0)),
    ("dropped without enlarging", "branches", None, None, methods("dropout", forward=dropout_unscaled)),
    ("dropout before the recurrent layer", "language", None, None, methods("", forward=dropout_before)),
    ("dropout after the sum", "branches", None, None, methods("", forward=dropout_last)),
    ("momentum of what is kept", "residual", "momentum", 9, setting("1.body.1", momentum=0.875)),
    ("momentum reversed", "symbol", "momentum", 9, setting("bn1", momentum=0.75)),
    ("default momentum", "residual", "momentum", None, setting("2.shortcut.1", momentum=0.1)),
    ("batch normalization stuck", "residual", None, 22, edit(stuck)),
)

GRADIENTS = (
    ("weight without gradient", "mlp", "frozen parameter", None, methods("4", forward=detached_weight)),
    ("state without gradient", "scratch_gru", None, None, methods("", forward=detached_state)),
    (
        "attention without gradient",
        "transformer",
        None,
        None,
        methods("attention", weights=lambda self, s: s.softmax(-1).detach()),
    ),
    ("encoder's state without gradient", "translator", None, None, methods("", forward=decoder(start=torch.detach))),
    ("context without gradient", "translator", None, None, methods("", forward=decoder(context=torch.detach))),
    ("straight through", "branches", None, None, methods("", forward=straight_through)),
    ("negative without gradient", "faces", None, None, methods("", forward=negative_without_gradient)),
    ("tied decoder without gradient", "language", None, None, methods("decoder", forward=decoder_without_gradient)),
    ("shortcut without gradient", "residual", None, None, methods("2", forward=shortcut_without_gradient)),
    ("statistics without gradient", "classifier", None, None, methods("norm", forward=statistics_without_gradient)),
    ("gradient reversed", "pooling", None, None, methods("10", forward=reversed_gradient)),
    ("gradient halved", "residual", None, None, methods("3", forward=half_gradient)),
)

FAULTS = tuple(
    PortFault(name, architecture, stage, (cause,) if cause else (), trap, change)
    for stage, rows in (("forward in training", TRAINING), ("gradients", GRADIENTS))
    for name, architecture, cause, trap, change in rows
)

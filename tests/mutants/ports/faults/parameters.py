"""Faults in the parameters: some have no partner, another shape, or learn on one side only."""

from __future__ import annotations

import torch
from torch import nn

from tests.mutants.ports.faults.changes import PortFault, at, edit, swap


def freeze(module: nn.Module) -> None:
    module.requires_grad_(False)


def two_biases(model: nn.Module) -> None:
    """As the library's layers have them: of the input and of the state."""
    model.b_h = nn.Parameter(torch.zeros(24))
    model.__class__ = type(
        "Model",
        (type(model),),
        {"gates": lambda self, x, h: (x @ self.W_x + self.b + h @ self.W_h + self.b_h).chunk(4, 1)},
    )


def fixed_no_more() -> nn.Module:
    return nn.BatchNorm2d(6, momentum=0.125, eps=1e-3)


def wider(model: nn.Module) -> None:
    model[1], model[4] = nn.Linear(12, 20), nn.Linear(20, 16)


def one_direction(model: nn.Module) -> None:
    model.gru, model.hidden = nn.GRU(6, 5, batch_first=True), nn.Linear(10, 8)


def own_decoder(model: nn.Module) -> None:
    model.decoder.weight = nn.Parameter(torch.randn(12, 6))


def fewer_words(model: nn.Module) -> None:
    class Embedding(nn.Embedding):
        def forward(self, words):
            return super().forward(words.clamp(max=9))

    model.embedding = Embedding(10, 5)


FAULTS = tuple(
    PortFault(name, architecture, "parameters", causes, trap, change)
    for name, architecture, causes, trap, change in (
        ("no bias", "mlp", ("missing bias",), None, swap("7", lambda: nn.Linear(16, 5, bias=False))),
        (
            "no bias of a convolution",
            "pooling",
            ("missing bias",),
            None,
            swap("9", lambda: nn.Conv2d(8, 8, 1, bias=False)),
        ),
        ("no biases of a cell", "cells", ("missing bias",), None, swap("gru", lambda: nn.GRUCell(5, 5, bias=False))),
        ("two biases for one", "scratch_lstm", ("doubled bias",), 32, edit(two_biases)),
        ("frozen layer", "lenet", ("frozen parameter",), None, edit(at("3", freeze))),
        ("frozen word vectors", "sentiment", ("frozen parameter",), None, edit(at("embedding", freeze))),
        ("frozen slope", "grouped", ("frozen parameter",), None, edit(at("1", freeze))),
        ("gamma that learns and is fixed", "symbol", ("fix_gamma",), 10, swap("bn0", fixed_no_more)),
        ("wider layer", "mlp", (), None, edit(wider)),
        ("one layer more", "residual", (), None, edit(lambda model: model.append(nn.Linear(5, 5)))),
        ("one recurrent layer more", "classifier", (), None, swap("lstm", lambda: nn.LSTM(4, 7, num_layers=2))),
        ("one direction only", "sentiment", (), None, edit(one_direction)),
        ("decoder not tied to the embedding", "language", (), None, edit(own_decoder)),
        ("bias of the keys", "transformer", (), None, swap("attention.key", lambda: nn.Linear(8, 8))),
        (
            "groups of a convolution forgotten",
            "grouped",
            (),
            None,
            swap("2", lambda: nn.Conv2d(8, 8, 3, padding=1, bias=False)),
        ),
        ("larger window", "pooling", (), None, swap("3", lambda: nn.Conv2d(6, 6, 5, padding=2))),
        (
            "normalization without scale and shift",
            "recognizer",
            (),
            None,
            swap("norm", lambda: nn.LayerNorm(8, eps=2**-10, elementwise_affine=False)),
        ),
        ("one word fewer, clipped", "tagger", (), 24, edit(fewer_words)),
    )
)

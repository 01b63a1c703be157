"""Equal branches that run in another order on the two sides: told apart by their inputs, faults around them named."""

from __future__ import annotations

import pytest
import torch
from mxnet.gluon import nn as gluon_nn
from torch import nn
from torch.nn import functional

import crossfw
from crossfw.verification import trial

WIDTH, BLOCKS = 6, 4


class Block(gluon_nn.HybridBlock):
    """The shortcut runs first."""

    def __init__(self):
        super().__init__()
        self.shortcut, self.body = gluon_nn.HybridSequential(), gluon_nn.HybridSequential()
        self.shortcut.add(gluon_nn.Conv2D(WIDTH, 1, in_channels=WIDTH), gluon_nn.BatchNorm(in_channels=WIDTH))
        for size in (3, 1):
            conv = gluon_nn.Conv2D(WIDTH, size, padding=size // 2, in_channels=WIDTH)
            self.body.add(conv, gluon_nn.BatchNorm(in_channels=WIDTH))
            self.body.add(gluon_nn.Activation("relu"))

    def hybrid_forward(self, F, x):
        return F.Activation(self.shortcut(x) + self.body(x), act_type="sigmoid")


def mxnet_model():
    net = gluon_nn.HybridSequential()
    net.add(gluon_nn.Conv2D(WIDTH, 3, in_channels=2), gluon_nn.Activation("tanh"))
    for _ in range(BLOCKS):
        net.add(Block())
    net.add(gluon_nn.Dense(3, in_units=WIDTH * 9))
    return net


class Bottleneck(nn.Module):
    """The body runs first."""

    def __init__(self, last=functional.relu, momentum=0.1):
        super().__init__()
        self.last = last
        self.conv1, self.conv2, self.conv3 = (nn.Conv2d(WIDTH, WIDTH, s, padding=s // 2) for s in (3, 1, 1))
        self.bn1, self.bn2, self.bn3 = (nn.BatchNorm2d(WIDTH, momentum=momentum) for _ in range(3))

    def forward(self, x):
        body = self.last(self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x))))))
        return torch.sigmoid(body + self.bn3(self.conv3(x)))


class Network(nn.Module):
    def __init__(self, first=nn.Tanh, head=None, **second):
        super().__init__()
        self.stem, self.act, self.head = nn.Conv2d(2, WIDTH, 3), first(), head or nn.Linear(WIDTH * 9, 3)
        self.blocks = nn.Sequential(*(Bottleneck(**(second if number == 1 else {})) for number in range(BLOCKS)))

    def forward(self, x):
        return self.head(self.blocks(self.act(self.stem(x))).flatten(1))


def inputs(rng):
    return rng.standard_normal((4, 2, 5, 5))


def test_one_run_of_each_side_tells_them_apart(monkeypatch):
    runs, agrees = [], trial.Trial.agrees
    monkeypatch.setattr(trial.Trial, "agrees", lambda *given: runs.append(1) or agrees(*given))
    verdict = crossfw.verify(mxnet_model, Network, inputs)
    assert verdict, str(verdict)
    assert len(runs) <= 4
    assert {"mxnet": "3.shortcut.0.weight", "torch": "blocks.1.conv3.weight"}.items() <= next(
        row for row in verdict.mapping if row["torch"] == "blocks.1.conv3.weight"
    ).items()


FAULTS = {
    "before them": (lambda: Network(first=nn.ReLU), "activation", "act"),
    "among them": (lambda: Network(last=torch.tanh), "activation", "blocks.1"),
    "behind them": (lambda: Network(head=nn.Linear(WIDTH * 9, 3, bias=False)), "missing bias", "head"),
    "in one of their norms": (lambda: Network(momentum=0.3), "momentum", "blocks.1.bn1"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_placed_and_named(case):
    make, cause, place = FAULTS[case]
    verdict = crossfw.verify(mxnet_model, make, inputs)
    assert verdict.word == "differs"
    assert [found.name for found in verdict.causes] == [cause], str(verdict)
    assert (
        place in verdict.where
        or place in verdict.causes[0].place
        or any(place in line and "first divergence" in line for line in verdict.place)
    ), str(verdict)

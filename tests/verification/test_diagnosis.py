"""Known differences are named where they restore agreement, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import crossfw
from crossfw.ports.portfile import Port
from crossfw.verification.diagnosis import trying
from crossfw.verification.sides import local_sides


def mxnet_model():
    from mxnet.gluon import nn as gluon_nn

    model = gluon_nn.HybridSequential()
    model.add(
        gluon_nn.Conv2D(4, 3, padding=1),
        gluon_nn.BatchNorm(epsilon=0.0078125, momentum=0.875),
        gluon_nn.Activation("relu"),
        gluon_nn.AvgPool2D(3, 2, padding=1, ceil_mode=True),
        gluon_nn.Dropout(0.25),
        gluon_nn.Dense(4, activation="tanh"),
        gluon_nn.Dense(4),
    )
    return model


class Model(nn.Module):
    def __init__(self, eps=0.0078125, momentum=0.125, border=True, p=0.25):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4, eps=eps, momentum=momentum)
        self.pool = nn.AvgPool2d(3, 2, padding=1, ceil_mode=True, count_include_pad=border)
        self.dropout = nn.Dropout(p)
        self.fc1, self.fc2 = nn.Linear(64, 4), nn.Linear(4, 4)

    def activation(self, x):
        return functional.relu(x)

    def head(self, x):
        return self.fc2(torch.tanh(self.fc1(x)))

    def forward(self, x):
        x = self.dropout(self.pool(self.activation(self.norm(self.conv(x)))))
        return self.head(x.flatten(1))


def changed(**methods):
    return type("Model", (Model,), methods)


def inputs(rng):
    return rng.standard_normal((5, 2, 6, 6))


def targets(rng):
    return rng.standard_normal((5, 4))


def squared(output, targets):
    return ((output - targets) ** 2).mean() / 2


def sgd(**settings):
    return lambda model: torch.optim.SGD(model.parameters(), **settings)


def trainer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 0.125, "momentum": 0.5})


def verdict(model=Model, **settings):
    shared = {
        "targets": targets,
        "mxnet_loss": squared,
        "torch_loss": squared,
        "mxnet_optimizer": trainer,
        "torch_optimizer": sgd(lr=0.125, momentum=0.5),
    }
    return crossfw.verify(mxnet_model, model, inputs, **{**shared, **settings})


def test_a_true_port_has_no_cause():
    found = verdict()
    assert found, str(found)
    assert not found.causes


FAULTS = {
    "epsilon": {"model": lambda: Model(eps=1e-5)},
    "momentum": {"model": lambda: Model(momentum=0.875)},
    "dropout rate": {"model": lambda: Model(p=0.5)},
    "activation": {"model": changed(activation=lambda self, x: torch.sigmoid(x))},
    "flatten": {
        "model": changed(head=lambda self, x: Model.head(self, x.unflatten(1, (4, 4, 4)).transpose(1, 3).flatten(1)))
    },
    "transposition": {"model": changed(head=lambda self, x: torch.tanh(self.fc1(x)) @ self.fc2.weight + self.fc2.bias)},
    "missing bias": {"model": changed(head=lambda self, x: torch.tanh(self.fc1(x)) @ self.fc2.weight.T)},
    "doubled bias": {"model": changed(head=lambda self, x: Model.head(self, x) + self.fc2.bias)},
    "scale": {"model": changed(head=lambda self, x: Model.head(self, 2 * x))},
    "loss factor": {"torch_loss": lambda output, targets: functional.mse_loss(output, targets)},
    "loss reduction": {"torch_loss": lambda output, targets: ((output - targets) ** 2).sum() / 2},
    "loss kind": {"torch_loss": lambda output, targets: functional.l1_loss(output, targets)},
    "learning rate": {"torch_optimizer": sgd(lr=0.5, momentum=0.5)},
    "optimizer kind": {"torch_optimizer": lambda model: torch.optim.Adam(model.parameters(), lr=0.125)},
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_cause_is_named(name):
    found = verdict(**FAULTS[name])
    assert [cause.name for cause in found.causes] == [name], str(found)
    assert found.causes[0].remedy


def test_the_momentum_of_an_optimizer():
    found = verdict(torch_optimizer=sgd(lr=0.125, momentum=0.75))
    assert (found.stage, [cause.name for cause in found.causes]) == ("update", ["momentum"])


def test_two_differences_at_once():
    found = verdict(lambda: Model(eps=1e-5, border=False))
    assert {cause.name for cause in found.causes} == {"epsilon", "pooling convention"}, str(found)


def test_what_is_not_known_is_not_named():
    found = verdict(changed(head=lambda self, x: Model.head(self, torch.sin(3 * x) + x.roll(1, 1))))
    assert found.stage == "forward"
    assert not found.causes, str(found)


def test_changes_are_taken_back():
    """After all trials torch's side is as it was."""
    with local_sides(Port({"mxnet_model": mxnet_model, "torch_model": Model, "inputs": inputs}, "test")) as pair:
        pair.open(seed=0)
        side = pair.torch.service.side
        before = side.forward(0, None, False)["outputs"]["output"]
        changes = [
            {"change": "set", "path": "norm", "values": {"eps": 1.0}},
            {"change": "after", "path": "conv", "operation": {"name": "tanh"}},
            {
                "change": "instead",
                "path": "pool",
                "operation": {
                    "name": "pool",
                    "kind": "max",
                    "settings": {"kernel_size": 3, "stride": 2, "ceil_mode": True, "padding": 1},
                },
            },
            {"change": "learns", "names": ["fc1.weight"], "value": False},
        ]
        side.change(changes)
        assert np.abs(side.forward(0, None, False)["outputs"]["output"] - before).max() > 1e-3
        assert not side.model.fc1.weight.requires_grad
        side.change([])
        assert np.array_equal(side.forward(0, None, False)["outputs"]["output"], before)
        assert side.model.fc1.weight.requires_grad
        assert "forward" not in vars(side.model.pool)


def test_answers_are_remembered_by_weights_and_arguments():
    class Counting:
        framework, asked = "mxnet", 0

        def call(self, method, **arguments):
            self.asked += method != "load"
            return self.asked

    side = Counting()
    remembered = trying.Remembered(side)
    ones, twos = {"w": np.ones(3)}, {"w": np.full(3, 2.0)}
    remembered.call("load", values=ones)
    assert remembered.call("forward", seed=0) == remembered.call("forward", seed=0) == 1
    remembered.call("load", values=twos)
    assert remembered.call("forward", seed=0) == 2
    remembered.call("load", values={"w": np.ones(3)})
    assert remembered.call("forward", seed=0) == 1
    assert remembered.call("forward", seed=1) == 3

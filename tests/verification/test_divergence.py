"""The place of the first divergence, in small pairs."""

from __future__ import annotations

import copy
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import crossfw
from crossfw.verification.divergence import gap_in
from crossfw.verification.location import Step


def mxnet_model():
    from mxnet.gluon import nn as gluon_nn

    model = gluon_nn.HybridSequential()
    model.add(gluon_nn.Dense(6, activation="relu"), gluon_nn.Dropout(0.25), gluon_nn.Dense(5), gluon_nn.Dense(4))
    return model


class Model(nn.Module):
    """The same as above; methods are overridden by the faults."""

    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(3, 6), nn.Linear(6, 5), nn.Linear(5, 4)
        self.dropout = nn.Dropout(0.25)

    def between(self, x):
        return x

    def forward(self, x):
        x = self.dropout(functional.relu(self.fc1(x)))
        return self.fc3(self.between(self.fc2(x)))


class Sequential(nn.Sequential):
    def __init__(self, *changed):
        layers = [nn.Linear(3, 6), nn.ReLU(), nn.Dropout(0.25), nn.Linear(6, 5), nn.Linear(5, 4)]
        for number, layer in changed:
            layers[number] = layer
        super().__init__(*layers)


def inputs(rng):
    return rng.standard_normal((7, 3))


def verdict(torch_model, **settings):
    return crossfw.verify(mxnet_model, torch_model, inputs, **settings)


def marked(found) -> str:
    (line,) = [line for line in found.place if "<-- first divergence" in line]
    return line


def test_a_layer_that_the_port_forgot_is_named():
    def without():
        return nn.Sequential(nn.Linear(3, 6), nn.Linear(6, 5), nn.Linear(5, 4))

    found = verdict(without)
    assert "1 (Dropout)" in found.place[-1], found.place
    assert "(Activation)" in found.place[-1]


def test_a_true_port_has_no_place():
    found = verdict(Model)
    assert found, str(found)
    assert not found.place


def test_an_activation_is_paired_with_that_inside_a_dense_layer():
    found = verdict(lambda: Sequential((1, nn.Sigmoid())))
    assert found.stage == "forward"
    assert marked(found).strip().startswith("1 (Sigmoid) ~ 0.act (Activation): differs")
    assert any(line.strip().startswith("0 (Linear) ~ 0 (Dense): ok") for line in found.place)
    assert any(line.strip().startswith("4 (Linear) ~ 3 (Dense): passes on") for line in found.place)


def test_code_between_two_layers_is_told_from_the_layers():
    found = verdict(type("Model", (Model,), {"between": lambda self, x: x**3}))
    assert found.where.startswith("between fc2 (Linear) and fc3 (Linear), in the forward of (model) (Model)")
    assert "(model)" in marked(found)


def test_code_after_the_last_layer():
    found = verdict(type("Model", (Model,), {"forward": lambda self, x: Model.forward(self, x) ** 3}))
    assert found.where.startswith("after fc3 (Linear), in the forward of (model)")


def test_a_gradient_that_stops_is_found_backwards():
    found = verdict(type("Model", (Model,), {"between": lambda self, x: x.detach()}))
    assert found.stage == "gradients"
    assert "right from the loss back to fc3; at fc2: no gradient reaches it" in found.where
    assert any(line.startswith("fc2: differs  <-- first divergence") for line in found.place)


def test_a_layer_that_differs_in_training_only():
    found = verdict(lambda: Sequential((2, nn.Dropout(0.5))))
    assert found.stage == "forward in training"
    assert marked(found).strip().startswith("2 (Dropout) ~ 1 (Dropout): differs")


def test_long_runs_of_equal_lines_are_folded():
    from mxnet.gluon import nn as gluon_nn

    def deep():
        model = gluon_nn.HybridSequential()
        model.add(*[gluon_nn.Dense(3) for _ in range(12)])
        return model

    def torch_deep():
        model = nn.Sequential(*[nn.Linear(3, 3) for _ in range(12)])
        model.append(nn.Tanh())
        return model

    found = crossfw.verify(deep, torch_deep, inputs)
    assert any("10 layers agree" in line for line in found.place)
    assert len(found.place) < 8


SYMBOLS = Path(__file__).parents[1] / "mutants" / "ports" / "pairs" / "symbol.py"


@pytest.mark.filterwarnings("ignore:Cannot decide type:UserWarning")  # of MXNet, where no input has a type
@pytest.mark.parametrize(
    ("layer", "wrong"),
    [
        ("elu0", nn.ELU(1.0)),
        ("pool0", nn.AvgPool2d(2)),
        ("bn1", nn.BatchNorm2d(8, momentum=0.25, eps=0.5)),
    ],
)
def test_a_place_within_a_graph_of_symbols(layer, wrong):
    port = runpy.run_path(str(SYMBOLS))

    def torch_model():
        model = port["torch_model"]()
        setattr(model, layer, copy.deepcopy(wrong))
        return model

    found = crossfw.verify(port["mxnet_model"], torch_model, lambda rng: rng.standard_normal((4, 3, 11, 10)))
    assert not found
    assert marked(found).split(":")[0].strip().startswith(layer)


@pytest.mark.filterwarnings("ignore:Cannot decide type:UserWarning")  # of MXNet, where no input has a type
def test_an_embedding_in_a_graph_of_symbols_is_drawn_over_all_rows():
    def mxnet_model():
        import mxnet as mx

        rows = mx.sym.Embedding(mx.sym.Variable("data"), input_dim=50, output_dim=4, name="table")
        return mx.gluon.SymbolBlock(mx.sym.FullyConnected(rows, num_hidden=3, name="out"), mx.sym.Variable("data"))

    def torch_model():
        return nn.Sequential(nn.Embedding(50, 4), nn.Flatten(), nn.Linear(20, 3))

    found = crossfw.verify(mxnet_model, torch_model, lambda rng: rng.integers(0, 3, (6, 5)))
    assert found, str(found)
    assert any("it is drawn over 0 to 49" in note for note in found.notes)


def test_another_layout_of_the_input_of_a_layer_is_no_divergence():
    """torch's layer takes sequences first where MXNet's takes steps first; what differs is the layer after it."""
    from mxnet import gluon

    class Steps(gluon.nn.HybridBlock):
        def __init__(self):
            super().__init__()
            with self.name_scope():
                self.rnn, self.fc = gluon.rnn.LSTM(4), gluon.nn.Dense(2, flatten=False)

        def hybrid_forward(self, F, x):
            return self.fc(self.rnn(x))

    class Sequences(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.fc = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 2)

        def forward(self, x):
            return self.fc(self.rnn(x.transpose(0, 1))[0] + 1).transpose(0, 1)

    found = crossfw.verify(Steps, Sequences, lambda rng: rng.standard_normal((5, 2, 3)))
    assert any(line.strip().startswith("rnn (LSTM) ~ rnn (LSTM): ok") for line in found.place)
    assert found.where.startswith("between rnn (LSTM) and fc (Linear)")


@pytest.mark.parametrize("stage", ["loss", "update"])
def test_other_stages_name_the_function_and_the_tensors(stage):
    from mxnet import gluon

    faults = {
        "loss": {
            "targets": lambda rng: rng.standard_normal((7, 4)),
            "mxnet_loss": lambda o, t: ((o - t) ** 2).mean(),
            "torch_loss": lambda o, t: torch.sin((o - t) ** 2).mean(),
        },
        "update": {
            "mxnet_optimizer": lambda model: gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 0.125}),
            "torch_optimizer": lambda model: torch.optim.SGD(model.parameters(), lr=0.25),
        },
    }
    found = verdict(Model, **faults[stage])
    assert found.stage == stage
    assert found.where.startswith(
        {"loss": "torch_loss of the port: loss", "update": "torch_optimizer of the port: fc1"}[stage]
    )


def test_arrays_are_compared_in_any_order_of_axes_that_makes_them_agree():
    from crossfw.verification.divergence import matched

    array = np.random.default_rng(0).standard_normal((2, 3, 4))
    error, (given,) = matched([array], [array.transpose(2, 0, 1)], 1e-10)
    assert error == 0
    assert np.array_equal(given, array)
    assert matched([array], [array[::-1]], 1e-10)[0] > 0.1
    assert matched([array], [array[:1]], 1e-10) == (float("inf"), None)


def test_blocks_that_are_cut_otherwise_are_no_place():
    from mxnet.gluon import nn as gluon_nn

    class Block(gluon_nn.HybridBlock):
        """Hands on what it was given and what it makes of that, apart."""

        def __init__(self):
            super().__init__()
            self.layer = gluon_nn.Dense(3)

        def hybrid_forward(self, F, x, *more):
            whole = F.concat(x, *more, dim=1) if more else x
            return whole, F.tanh(self.layer(whole))

    class Net(gluon_nn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.first, self.second, self.last = Block(), Block(), gluon_nn.Dense(2)

        def hybrid_forward(self, F, x):
            return F.relu(self.last(F.concat(*self.second(*self.first(x)), dim=1)))

    class Part(nn.Module):
        def __init__(self, size):
            super().__init__()
            self.layer = nn.Linear(size, 3)

        def forward(self, x):
            return torch.cat([x, torch.tanh(self.layer(x))], dim=1)

    def port(last):
        return nn.Sequential(Part(3), Part(6), nn.Linear(9, 2), last)

    assert crossfw.verify(Net, lambda: port(nn.ReLU()), inputs)
    assert marked(crossfw.verify(Net, lambda: port(nn.Softplus()), inputs)).startswith(("3", "(model)"))


def test_equal_numbers_in_a_window_are_no_fault_of_a_pool():
    from mxnet.gluon import nn as gluon_nn

    model = gluon_nn.HybridSequential()
    model.add(gluon_nn.Conv2D(3, 3, activation="relu"), gluon_nn.MaxPool2D(), gluon_nn.Dense(2))

    class Port(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.fc = nn.Conv2d(2, 3, 3), nn.Linear(27, 2)

        def forward(self, x):
            x = functional.max_pool2d(functional.relu(self.conv(x).detach()), 2)
            return self.fc(x.flatten(1))

    found = crossfw.verify(model, Port(), lambda rng: rng.standard_normal((4, 2, 8, 8)))
    assert found.stage == "gradients"
    assert not [cause for cause in found.causes if cause.name == "MXNet's own gradient"]
    assert marked(found).startswith("conv")


def test_an_input_of_another_size_is_not_wrong_where_the_output_is_right():
    def step(start, inputs, output):
        torch_call = {"path": str(start), "kind": "X", "start": start, "number": start, "depth": 1}
        return Step({}, torch_call, inputs, output, None, 1e-10)

    whole = Step({}, {"path": "", "kind": "X", "start": 0, "number": 9, "depth": 0}, 0.0, 0.4, 0.4, 1e-10)
    inside = [step(1, 0.0, 0.0), step(2, float("inf"), 0.0), step(3, 0.0, 0.0), step(4, 0.3, 0.4)]
    right, wrong = gap_in(whole, [*inside, whole], [])
    assert (right.torch["path"], wrong.torch["path"]) == ("3", "4")

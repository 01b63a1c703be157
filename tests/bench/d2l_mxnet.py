"""D2L's language model from scratch in MXNet, as an implementation for the harness; `Concise` is that of the library.

A training step is the one of `d2l.Trainer.fit_epoch`: loss, backward, clip, update. Tokens are handed over as D2L has
them, (N, T). D2L's models need NumPy semantics, for the whole process.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np
from mxnet import autograd, gluon, npx
from mxnet import np as mnp

from audits.d2l.imports import d2l_mxnet
from crossfw.frameworks.mxnet import Backend as Plain
from tests.bench import book


class Model:
    """d2l.RNNLMScratch over a recurrent part from scratch."""

    notes = ()

    def __init__(self, spec, dtype: str, device: str):
        self.spec, self.d2l, self.native_names = spec, d2l_mxnet(), {}
        self.parameters = {name: mnp.zeros(shape) for name, shape in spec.shapes().items()}
        self.make()

    def make(self) -> None:
        """The net, and the optimizer that it configures."""
        self.rnn = book.scratch(self.d2l, lambda a: a, self.spec.cell, self.spec.input_size, self.spec.stack)
        self.net = self.d2l.RNNLMScratch(self.rnn, self.spec.input_size, lr=0.1)

    def native_parameters(self) -> dict:
        return self.parameters

    def initial_state(self, batch_size: int) -> dict:
        """D2L starts every batch from zeros."""
        return {}

    def load(self, named: dict) -> None:
        """Canonical parameters into D2L's, one matrix for each gate."""
        for place, module in zip(self.spec.stack.all_places, self.rnn.cells):
            ours = place.parameters(named).values()
            gates = zip(*(mnp.split(array, place.spec.GATES, axis=0) for array in ours))
            for gate, theirs in zip(gates, book.weights(place.cell, module)):
                for array, target in zip(gate, theirs):
                    target[:] = array.T
        self.net.W_hq[:] = named["W_hq"].T
        self.net.b_q[:] = named["b_q"]


def recurrent(d2l: ModuleType, layer: gluon.Block) -> gluon.Block:
    """d2l.RNN around a layer with any number of states, as the book's GRU and LSTM (10.1 and 10.2)."""

    class Recurrent(d2l.RNN):
        def __init__(self):
            d2l.Module.__init__(self)
            self.rnn = layer

        def forward(self, inputs, state=None):
            state = self.rnn.begin_state(inputs.shape[1], ctx=inputs.ctx) if state is None else state
            return self.rnn(inputs, state)

    return Recurrent()


class Concise(Model):
    """d2l.RNNLM over the library's layer."""

    def make(self) -> None:
        spec = self.spec
        kind = {"rnn": gluon.rnn.RNN, "gru": gluon.rnn.GRU, "lstm": gluon.rnn.LSTM}[spec.cell]
        options = {"activation": "tanh"} if spec.cell == "rnn" else {}
        layer = kind(spec.hidden_size, spec.layers, bidirectional=spec.direction == "bidirectional", **options)
        self.rnn = recurrent(self.d2l, layer)
        self.net = self.d2l.RNNLM(self.rnn, spec.input_size, lr=0.1)
        self.net(mnp.zeros((1, 1), dtype="int32"))  # shapes are found in the first call

    def load(self, named: dict) -> None:
        """Canonical parameters into the layer's; its second bias is zero."""
        found = self.rnn.rnn.collect_params()
        for place in self.spec.stack.all_places:
            start = f"{self.rnn.rnn.prefix}{'r' if place.backwards else 'l'}{place.layer}_"
            for name, array in zip(("i2h_weight", "h2h_weight", "i2h_bias"), place.parameters(named).values()):
                found[start + name].set_data(array)
        self.net.linear.weight.set_data(named["W_hq"])
        self.net.linear.bias.set_data(named["b_q"])


class Optimizer:
    """What the book's model configures: d2l.SGD, or gluon.Trainer for the library's layers."""

    def __init__(self, spec, model):
        self.spec, self.native = spec, model.net.configure_optimizers()


class Backend(Plain):
    """The book's training step."""

    def native(self, array: np.ndarray) -> mnp.ndarray:
        """Tokens as (N, T), everything in arrays with NumPy semantics."""
        if array.dtype.kind in "iu":
            return mnp.array(np.ascontiguousarray(array.T), dtype="int32")
        return mnp.array(array, dtype=self.dtype)

    def assign(self, parameters: dict) -> None:
        self.model.load(parameters)

    def step(self, batch: dict, state: dict) -> tuple[mnp.ndarray, dict]:
        """One step of d2l.Trainer.fit_epoch, without the figure."""
        net = self.model.net
        with autograd.record():
            loss = net.loss(net(batch["inputs"]), batch["targets"])
        loss.backward()
        self.model.d2l.Trainer.clip_gradients(None, self.optimizer.spec.clip, net)
        self.optimizer.native.step(1)
        return loss, {}

    def sync(self) -> None:
        npx.waitall()

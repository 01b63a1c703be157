"""D2L's language model from scratch in PyTorch, as an implementation for the harness; `Concise` is that of the library.

A training step is the one of `d2l.Trainer.fit_epoch`: loss, zero_grad, backward, clip, update. Tokens are handed over
as D2L has them, (N, T).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from audits.d2l.imports import d2l_torch
from crossfw.frameworks.torch import Backend as Plain
from tests.bench import book


class Model:
    """d2l.RNNLMScratch over a recurrent part from scratch."""

    notes = ()

    def __init__(self, spec, dtype: str, device: str):
        self.spec, self.d2l, self.native_names = spec, d2l_torch(), {}
        self.parameters = {name: torch.zeros(shape) for name, shape in spec.shapes().items()}
        self.make()

    def make(self) -> None:
        """The net, and the optimizer that it configures."""
        self.rnn = book.scratch(self.d2l, nn.Parameter, self.spec.cell, self.spec.input_size, self.spec.stack)
        self.net = self.d2l.RNNLMScratch(self.rnn, self.spec.input_size, lr=0.1)

    def native_parameters(self) -> dict:
        return self.parameters

    def initial_state(self, batch_size: int) -> dict:
        """D2L starts every batch from zeros."""
        return {}

    @torch.no_grad()
    def load(self, named: dict) -> None:
        """Canonical parameters into D2L's, one matrix for each gate."""
        for place, module in zip(self.spec.stack.all_places, self.rnn.cells):
            ours = place.parameters(named).values()
            for gate, theirs in zip(
                zip(*(array.chunk(place.spec.GATES) for array in ours)), book.weights(place.cell, module)
            ):
                for array, target in zip(gate, theirs):
                    target.copy_(array.T if array.ndim > 1 else array)
        self.net.W_hq.copy_(named["W_hq"].T)
        self.net.b_q.copy_(named["b_q"])


class Concise(Model):
    """d2l.RNNLM over the library's layer."""

    def make(self) -> None:
        spec, d2l = self.spec, self.d2l
        self.rnn = d2l.RNN(spec.input_size, spec.hidden_size)
        kind = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[spec.cell]
        options = {"num_layers": spec.layers, "bidirectional": spec.direction == "bidirectional"}
        self.rnn.rnn = kind(spec.input_size, spec.hidden_size, **options)
        self.net = d2l.RNNLM(self.rnn, spec.input_size, lr=0.1)
        self.net(torch.zeros((1, 1), dtype=torch.int64))  # the output layer is lazy

    @torch.no_grad()
    def load(self, named: dict) -> None:
        """Canonical parameters into the layer's; its second bias is zero."""
        for place in self.spec.stack.all_places:
            ending = f"_l{place.layer}" + ("_reverse" if place.backwards else "")
            for name, array in zip(("weight_ih", "weight_hh", "bias_ih"), place.parameters(named).values()):
                getattr(self.rnn.rnn, name + ending).copy_(array)
            getattr(self.rnn.rnn, "bias_hh" + ending).zero_()
        self.net.linear.weight.copy_(named["W_hq"])
        self.net.linear.bias.copy_(named["b_q"])


class Optimizer:
    """What the book's model configures: torch.optim.SGD."""

    def __init__(self, spec, model):
        self.spec, self.native = spec, model.net.configure_optimizers()


class Backend(Plain):
    """The book's training step."""

    def native(self, array: np.ndarray) -> torch.Tensor:
        """Tokens as (N, T)."""
        return super().native(np.ascontiguousarray(array.T) if array.dtype.kind in "iu" else array)

    def assign(self, parameters: dict) -> None:
        self.model.load(parameters)

    def step(self, batch: dict, state: dict) -> tuple[torch.Tensor, dict]:
        """One step of d2l.Trainer.fit_epoch, without the figure."""
        net, optim = self.model.net, self.optimizer.native
        loss = net.loss(net(batch["inputs"]), batch["targets"])
        optim.zero_grad()
        with torch.no_grad():
            loss.backward()
            self.model.d2l.Trainer.clip_gradients(None, self.optimizer.spec.clip, net)
            optim.step()
        return loss.detach(), {}

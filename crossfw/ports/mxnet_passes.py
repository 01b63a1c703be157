"""The half of the MXNet side that computes: outputs, running statistics, loss, gradients."""

from __future__ import annotations

import contextlib
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon

from crossfw.ports.masks import Masks
from crossfw.ports.mxnet_arrays import is_array, to_numpy
from crossfw.ports.mxnet_dropout import shared_dropout
from crossfw.ports.mxnet_exact import exact_operators
from crossfw.ports.mxnet_units import walk
from crossfw.ports.nest import leaves, transform
from crossfw.ports.side import linear_weights


class Passes:
    """The part of `Side` that runs the model forwards and backwards."""

    @contextlib.contextmanager
    def mode(self, training: bool, seed: int) -> Any:
        """Training or inference, with shared dropout; what is computed within is recorded for `backward`."""
        masks = Masks(seed)
        self.masks = masks
        with contextlib.ExitStack() as stack:
            layers = [b for _, b in walk(self.model) if isinstance(b, gluon.rnn.rnn_layer._RNNLayer)]
            stack.enter_context(self.without_recurrent_dropout(layers, "_dropout"))
            stack.enter_context(shared_dropout(masks))
            stack.enter_context(exact_operators(masks))
            stack.enter_context(autograd.record(train_mode=training))
            yield

    def forward(self, seed: int, size: Any, training: bool) -> dict:
        """Outputs by name; in training mode the running statistics after it too. Parameters are left as they were.

        MXNet moves running statistics in the backward pass, so that one is run in training mode; the inputs ask for
        gradients, so that it reaches a first BatchNorm that has nothing to learn.
        """
        kept = self.statistics()
        with self.mode(training, seed):
            output = self.run(self.feed(self.draw(seed, size)[0], "inputs", gradients=training))
            parts = [a for a in self.leaves(output).values() if isinstance(a, mx.nd.NDArray)]
        found = {name: to_numpy(array) for name, array in self.leaves(output).items()}
        if training and kept:
            floats = [a for a in parts if np.dtype(a.dtype).kind == "f"]
            self.call("the MXNet model's backward", lambda: (autograd.backward(floats), mx.nd.waitall()))
        moved = self.statistics()
        self.load(kept)
        return self.told(found, moved if training else {})

    def statistics(self) -> dict[str, np.ndarray]:
        """Copies of the arrays that no gradient moves: running means and variances."""
        running = ("running_mean", "running_var", "moving_mean", "moving_var")
        return {
            name: np.array(to_numpy(p.data()))
            for name, p in self.arrays().items()
            if p.grad_req == "null" and name.endswith(running)
        }

    def loss_of(self, output: Any, seed: int, size: Any) -> Any:
        """The user's loss, or a fixed linear function of the outputs; a vector's mean."""
        function, targets = self.port.of("mxnet", "loss"), self.draw(seed, size)[1]
        if function is None:
            parts = [a for a in self.leaves(output).values() if np.dtype(a.dtype).kind == "f"]
            weights = linear_weights([tuple(a.shape) for a in parts])
            return sum((a * self.new(w, a.dtype)).sum() for a, w in zip(parts, weights))
        arguments = (output,) if targets is None else (output, self.feed(targets, "targets"))
        loss = self.call("mxnet_loss", lambda: function(*arguments))
        if not isinstance(loss, mx.nd.NDArray):
            raise self.wrong_kind(loss, "an NDArray", "mxnet_loss")
        return loss.mean() if loss.size > 1 else loss

    def loss(self, outputs: dict[str, np.ndarray], seed: int, size: Any) -> np.ndarray:
        """The loss of given outputs (in the structure that the model gives)."""
        output = self.run(self.feed(self.draw(seed, size)[0], "inputs"))
        given = iter(outputs.values())
        fed = transform(output, "output", is_array, lambda _, a: self.new(next(given).reshape(a.shape), a.dtype))
        return self.scalar(self.loss_of(fed, seed, size))

    def scalar(self, loss: Any) -> np.ndarray:
        """A loss as a number; here the errors of the engine show."""
        return np.asarray(self.call("mxnet_loss", lambda: to_numpy(loss))).reshape(())

    def gradients(self, seed: int, size: Any, training: bool) -> dict:
        """The loss and its gradients: of all parameters that learn, and of the inputs that are floats."""
        kept = self.statistics()
        learning = {name: p for name, p in self.arrays().items() if p.grad_req != "null"}
        self.set_gradients({name: np.zeros(p.shape) for name, p in learning.items()})
        with self.mode(training, seed):
            inputs = self.feed(self.draw(seed, size)[0], "inputs", gradients=True)
            loss = self.loss_of(self.run(inputs), seed, size)
        self.backward(loss, training)
        self.load(kept)
        fed = leaves(inputs, "inputs", is_array)
        return {
            "loss": self.scalar(loss),
            "parameters": {name: to_numpy(p.grad()) for name, p in learning.items()},
            "inputs": {name: to_numpy(a.grad) for name, a in fed.items() if a.grad is not None},
        }

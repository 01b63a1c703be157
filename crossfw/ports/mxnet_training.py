"""The half of the MXNet side that trains: optimizer, clipping, updates."""

from __future__ import annotations

from typing import Any

import mxnet as mx
import numpy as np
from mxnet import gluon

from crossfw.ports import mxnet_optimizers
from crossfw.ports.mxnet_arrays import to_numpy


class Training:
    """The part of `Side` that changes weights."""

    def backward(self, loss: Any, training: bool) -> None:
        """Gradients of a recorded loss; errors of the asynchronous engine show here."""
        self.call("the MXNet model's backward", lambda: (loss.backward(train_mode=training), mx.nd.waitall()))

    def set_gradients(self, gradients: dict[str, np.ndarray]) -> None:
        """Put given gradients where `backward` would have left its own."""
        arrays = self.arrays()
        for name, value in gradients.items():
            for data, gradient in zip(arrays[name].list_data(), arrays[name].list_grad()):
                gradient[:] = self.new(value, gradient.dtype)
                data._fresh_grad = True

    def start(self) -> dict:
        """Make a fresh trainer; its hyper-parameters for the report."""
        make = self.port.of("mxnet", "optimizer")
        if make is None:
            parameters = self.model.collect_params()
            sgd = {"learning_rate": self.DEFAULT_RATE}
            self.trainer = gluon.Trainer(parameters, "sgd", sgd) if parameters.keys() else None
            return {"default": True, "decay": 0.0, **self.trainer_settings()}
        self.trainer = self.call("mxnet_optimizer", lambda: make(self.model))
        if not isinstance(self.trainer, gluon.Trainer):
            raise self.wrong_kind(self.trainer, "a gluon.Trainer", "mxnet_optimizer")
        mxnet_optimizers.make_states(self.trainer)
        return {"default": False, "decay": decay_rate(self.trainer._optimizer), **self.trainer_settings()}

    def trainer_settings(self) -> dict:
        """What the trainer's optimizer is set to; nothing where the model has no parameters."""
        if self.trainer is None:
            return {}
        return mxnet_optimizers.described(self.trainer, {id(p): name for name, p in self.arrays().items()})

    def clip(self, gradients: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Given gradients after the user's clipping; none without such a function."""
        function = self.port.of("mxnet", "clip")
        if function is None:
            return {}
        self.set_gradients(gradients)
        self.call("mxnet_clip", lambda: function(self.model))
        return {name: to_numpy(p.grad()) for name, p in self.arrays().items() if name in gradients}

    def update(self, gradients: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The parameters after one step of the trainer with given gradients."""
        self.set_gradients(gradients)
        self.step()
        return self.export()

    def step(self) -> None:
        """One step of the trainer; none for a model without parameters."""
        if self.trainer is not None:
            self.call("the trainer's step", lambda: self.trainer.step(1, ignore_stale_grad=True))

    def train(self, seeds: list, sizes: list, training: bool, still: list) -> dict:
        """Several whole training steps in a row from where the model stands: losses, and all arrays at the end.

        The inputs ask for gradients, because MXNet's own kernels of RNN, GRU and LSTM (float64, and float32 without
        oneDNN) compute the gradients of all layers but the last from them (`rnn_impl.h`, `req_data`).

        Args:
            still: names of arrays whose gradients are taken to be zero.
        """
        function, losses, arrays = self.port.of("mxnet", "clip"), [], self.arrays()
        for seed, size in zip(seeds, sizes):
            with self.mode(training, seed):
                inputs = self.feed(self.draw(seed, size)[0], "inputs", gradients=True)
                loss = self.loss_of(self.run(inputs), seed, size)
            self.backward(loss, training)
            self.set_gradients({name: np.zeros(arrays[name].shape) for name in still})
            if function is not None:
                self.call("mxnet_clip", lambda: function(self.model))
            self.step()
            losses.append(self.scalar(loss))
        return {"losses": np.array(losses, np.float64), "arrays": self.export()}


def decay_rate(optimizer: Any) -> float:
    """The largest of the factors by which an optimizer forgets: momentum, betas, gammas, rho."""
    names = ("momentum", "beta1", "beta2", "gamma1", "gamma2", "rho", "wd_lh")
    rates = [float(getattr(optimizer, name, 0) or 0) for name in names]
    return min(max([0.0, *rates]), 1 - 1e-6)

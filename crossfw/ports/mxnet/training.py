"""The half of the MXNet side that trains: optimizer, clipping, updates."""

from __future__ import annotations

from typing import Any

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon

from crossfw.errors import CrossfwError, NoGradient
from crossfw.ports.mxnet import optimizers as mxnet_optimizers
from crossfw.ports.mxnet.arrays import to_numpy
from crossfw.ports.mxnet.exact_updates import ExactUpdates


class Training:
    """The part of `Side` that changes weights."""

    def backward(self, heads: list, training: bool) -> None:
        """Gradients of what was recorded; errors of the asynchronous engine show here.

        Raises:
            NoGradient: MXNet cannot.
        """
        try:
            self.call(
                "the MXNet model's backward",
                lambda: (autograd.backward(heads, train_mode=training), mx.nd.waitall()),
            )
        except CrossfwError as error:
            raise NoGradient(*error.args) from error

    def set_gradients(self, gradients: dict[str, np.ndarray]) -> None:
        """Put given gradients where `backward` would have left its own."""
        arrays = self.arrays()
        for name, value in gradients.items():
            for data, gradient in zip(arrays[name].list_data(), arrays[name].list_grad()):
                gradient[:] = self.new(value, gradient.dtype)
                data._fresh_grad = True

    def start(self, updates: int = 1) -> dict:
        """Make a fresh trainer; its hyper-parameters for the report, and the learning rates of so many updates."""
        make = self.port.of("mxnet", "optimizer")
        if make is None:
            parameters = self.model.collect_params()
            sgd = {"learning_rate": self.DEFAULT_RATE}
            self.trainer = gluon.Trainer(parameters, "sgd", sgd) if parameters.keys() else None
            return {"default": True, "decay": 0.0, **self.trainer_settings(updates)}
        self.trainer = self.call("mxnet_optimizer", lambda: make(self.model))
        if not isinstance(self.trainer, gluon.Trainer):
            raise self.wrong_kind(self.trainer, "a gluon.Trainer", "mxnet_optimizer")
        mxnet_optimizers.make_states(self.trainer)
        return {"default": False, "decay": decay_rate(self.trainer._optimizer), **self.trainer_settings(updates)}

    def trainer_settings(self, updates: int) -> dict:
        """What the trainer's optimizer is set to; nothing where the model has no parameters."""
        if self.trainer is None:
            return {}
        names = {id(p): name for name, p in self.arrays().items()}
        return mxnet_optimizers.described(self.trainer, names, updates)

    def clip(self, gradients: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Given gradients after the user's clipping; none without such a function."""
        if self.port.of("mxnet", "clip") is None:
            return {}
        self.set_gradients(gradients)
        with ExactUpdates().watching():
            self.clip_own()
        return {name: to_numpy(p.grad()) for name, p in self.arrays().items() if name in gradients}

    def clip_own(self) -> None:
        """The user's clipping of the gradients that stand in the model, if there is one."""
        function = self.port.of("mxnet", "clip")
        if function is not None:
            self.call("mxnet_clip", lambda: (function(self.model), mx.nd.waitall()))

    def steps(self, gradients: list) -> dict:
        """A fresh trainer's steps with given gradients, clipped as the user does.

        Returns:
            The arrays after each step; remarks; whether an operator rounded its scalars to C floats.
        """
        self.start()
        exact, after = ExactUpdates(), []
        with exact.watching():
            for given in gradients:
                self.set_gradients(given)
                self.clip_own()
                self.step()
                after.append(self.export())
        self.trainer = None  # its states are as large as the model
        return {"arrays": after, "notes": exact.notes, "rounded": bool(exact.rounded)}

    def step(self) -> None:
        """One step of the trainer; none for a model without parameters."""
        if self.trainer is not None:
            self.call("the trainer's step", lambda: (self.trainer.step(1, ignore_stale_grad=True), mx.nd.waitall()))

    def train(self, seeds: list, sizes: list, training: bool, still: list, every: bool, jitter: Any = None) -> dict:
        """Several whole training steps with a fresh trainer, from where the model stands.

        The inputs ask for gradients, because MXNet's own kernels of RNN, GRU and LSTM (float64, and float32 without
        oneDNN) compute the gradients of all layers but the last from them (`rnn_impl.h`, `req_data`).

        Args:
            still: names of arrays whose gradients are taken to be zero.
            every: whether the arrays are told after every update, or after the last alone.
            jitter: a seed; every gradient is rounded otherwise, by one unit in the last place.

        Returns:
            The loss of each update; the arrays; whether an operator rounded its scalars to C floats.
        """
        self.start()
        exact, losses, after = ExactUpdates(), [], []
        zeros = {name: np.zeros(self.arrays()[name].shape) for name in still}
        rng = np.random.default_rng(jitter)
        for number, (seed, size) in enumerate(zip(seeds, sizes), 1):
            self.zero_gradients()
            with self.mode(training, seed):
                inputs = self.feed(self.draw(seed, size)[0], "inputs", gradients=True)
                loss = self.loss_of(self.run(inputs), seed, size)
            self.backward([loss], training)
            self.set_gradients({**({} if jitter is None else self.jittered(rng)), **zeros})
            with exact.watching():
                self.clip_own()
                self.step()
            losses.append(self.scalar(loss))
            if every or number == len(seeds):
                after.append(self.export())
        self.trainer = None
        return {"losses": np.array(losses, np.float64), "arrays": after, "rounded": bool(exact.rounded)}

    def zero_gradients(self) -> None:
        """Forget gradients: under `grad_req = "add"` they add up."""
        for p in self.arrays().values():
            if p.grad_req == "add":
                p.zero_grad()

    def jittered(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """The gradients that stand in the model, each number one unit in the last place away."""
        found = {n: to_numpy(p.grad()) for n, p in self.arrays().items() if p.grad_req != "null"}
        return {n: g * (1 + np.finfo(g.dtype).eps * rng.choice([-1.0, 1.0], g.shape)) for n, g in found.items()}


def decay_rate(optimizer: Any) -> float:
    """The largest of the factors by which an optimizer forgets: momentum, betas, gammas, rho."""
    names = ("momentum", "beta1", "beta2", "gamma1", "gamma2", "rho", "wd_lh")
    rates = [float(getattr(optimizer, name, 0) or 0) for name in names]
    return min(max([0.0, *rates]), 1 - 1e-6)

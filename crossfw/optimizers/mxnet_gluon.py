"""Gluon's Trainer, with the bridges that make it mean what `spec.py` says.

1. MXNet's momentum buffer holds -lr v.
2. MXNet's Adam adds epsilon to sqrt(s) before the bias correction: its epsilon is set to
   eps sqrt(1 - b2^t) at update t.
3. The fused update operators keep learning rate, momentum and betas as C floats, whatever the dtype of the
   weights: 0.1 becomes 0.10000000149, and 1 - 0.999 becomes 0.000999987. In float32 that is the optimizer that
   people use, and it runs as it is; in float64 the same two updates are written with array operations,
   whose scalars are doubles.
"""

from __future__ import annotations

import math

from mxnet import gluon, nd, optimizer

from crossfw.optimizers.mxnet_scratch import clip_global_norm  # noqa: F401  (Gluon's own divides by norm + 1e-8)
from crossfw.optimizers.spec import OptimizerSpec


class DoubleSGD(optimizer.SGD):
    """mxnet.optimizer.SGD without the rounding of its hyper-parameters to float32."""

    def update(self, index: int, weight: nd.NDArray, grad: nd.NDArray, state: nd.NDArray | None) -> None:
        """w <- w - lr g, or with the buffer b <- mu b - lr g; w <- w + b."""
        if isinstance(index, (list, tuple)):
            for arguments in zip(index, weight, grad, state):
                self.update(*arguments)
            return
        self._update_count(index)
        if state is None:
            weight -= self._get_lr(index) * grad
        else:
            state[:] = self.momentum * state - self._get_lr(index) * grad
            weight += state

    update_multi_precision = update


class DoubleAdam(optimizer.Adam):
    """mxnet.optimizer.Adam without the rounding of its hyper-parameters to float32."""

    def update(self, index: int, weight: nd.NDArray, grad: nd.NDArray, state: tuple[nd.NDArray, nd.NDArray]) -> None:
        """MXNet's form: w <- w - lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(s) + eps)."""
        self._update_count(index)
        t, (mean, variance) = self._index_update_count[index], state
        mean[:] = self.beta1 * mean + (1 - self.beta1) * grad
        variance[:] = self.beta2 * variance + (1 - self.beta2) * grad * grad
        lr = self._get_lr(index) * math.sqrt(1 - self.beta2**t) / (1 - self.beta1**t)
        weight -= lr * mean / (nd.sqrt(variance) + self.epsilon)


class Optimizer:
    """gluon.Trainer over the parameters that learn."""

    def __init__(self, spec: OptimizerSpec, model):
        self.spec, self.model = spec, model
        double = model.parameters["W_hh"].dtype.__name__ == "float64"
        if spec.name == "adam":
            options = {"learning_rate": spec.learning_rate, "beta1": spec.beta1, "beta2": spec.beta2}
            native = (DoubleAdam if double else optimizer.Adam)(**options)
        else:
            momentum = spec.momentum if spec.name == "momentum" else 0.0
            native = (DoubleSGD if double else optimizer.SGD)(learning_rate=spec.learning_rate, momentum=momentum)
        named = model.net._collect_params_with_prefix()
        learning = {key: named[native_name] for key, native_name in model.native_names.items()}
        self.indices = {key: index for index, key in enumerate(learning)}
        self.trainer = gluon.Trainer(list(learning.values()), native, kvstore=None)
        zeros = {name: {key: nd.zeros_like(p) for key, p in model.parameters.items()} for name in spec.state_names()}
        self.load(zeros, 0)

    def export(self) -> tuple[dict[str, dict[str, nd.NDArray]], int]:
        """The canonical state by name and parameter, and the number of updates made."""
        native, lr = self.trainer._updaters[0].states, self.spec.learning_rate
        state = {}
        if self.spec.name == "momentum":
            state["momentum"] = {key: native[index] / -lr for key, index in self.indices.items()}
        for position, name in enumerate(self.spec.state_names()):
            if self.spec.name == "adam":
                state[name] = {key: native[index][position] for key, index in self.indices.items()}
        return state, self.updates

    def load(self, state: dict[str, dict[str, nd.NDArray]], updates: int) -> None:
        """Go on from a canonical state."""
        self.updates = updates
        updater = self.trainer._updaters[0]
        updater.optimizer.num_update = updates
        for key, index in self.indices.items():
            if self.spec.name == "momentum":
                updater.states[index] = state["momentum"][key] * -self.spec.learning_rate
            elif self.spec.name == "adam":
                updater.states[index] = (state["first_moment"][key], state["second_moment"][key])
            else:
                updater.states[index] = None
            updater.states_synced[index] = True
            updater.optimizer._index_update_count[index] = updates

    def step(self) -> None:
        """One update of every parameter; the losses here are means already, so Trainer divides by 1."""
        self.updates += 1
        if self.spec.name == "adam":
            self.trainer.optimizer.epsilon = self.spec.epsilon * math.sqrt(1 - self.spec.beta2**self.updates)
        self.trainer.step(1, ignore_stale_grad=True)  # the stage of the gradients tells of one that never comes

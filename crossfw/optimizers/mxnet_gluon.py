"""Gluon's Trainer, with the bridges that make it mean what `spec.py` says.

1. MXNet's momentum buffer holds -lr v, so another learning rate scales the buffer too.
2. MXNet's Adam adds epsilon to sqrt(s) before the bias correction: its epsilon is set to
   eps sqrt(1 - b2^t) at update t.
3. MXNet's Adam and RMSProp apply `clip_gradient` after the weight decay, SGD and NAG before it: all gradients are
   clipped here, before the update.
4. `decay_biases` is the parameters' `wd_mult`.
5. What no setting can express, and everything in float64, is an optimizer of `mxnet_arrays.py`.
"""

from __future__ import annotations

import math
from dataclasses import replace
from types import ModuleType

from mxnet import gluon, nd, optimizer

from crossfw.optimizers import mxnet_arrays
from crossfw.optimizers.mxnet_scratch import clip_global_norm  # noqa: F401  (Gluon's own divides by norm + 1e-8)
from crossfw.optimizers.spec import OptimizerSpec

CLASSES = {"sgd": "SGD", "momentum": "SGD", "nag": "NAG", "adam": "Adam", "rmsprop": "RMSProp", "adagrad": "AdaGrad"}
KEPT_AS_TUPLES = ("adam", "rmsprop")


def why_arrays(spec: OptimizerSpec, dtype: str) -> str | None:
    """Why MXNet's own update cannot be used; None if it can."""
    if spec.name == "rmsprop":
        return "MXNet's RMSProp adds epsilon inside the root"
    if spec.name == "adagrad":
        return "MXNet's AdaGrad adds epsilon inside the root and decouples the weight decay"
    if spec.name == "nag" and spec.weight_decay > 0:
        return "MXNet's NAG decays its momentum with the weight that it has just written"
    if dtype == "float64":
        return "MXNet's fused updates round learning rate, momentum, betas and weight decay to float32"
    return None


def make_notes(spec: OptimizerSpec, reason: str | None) -> tuple[str, ...]:
    """What the report says of the bridges, in sentences."""
    notes = [f"{reason}: the update is written with array operations"] if reason else []
    if spec.name == "adam":
        notes.append("MXNet's Adam adds epsilon before the bias correction: every update is given its own epsilon")
        if spec.clip_value is not None and spec.weight_decay > 0:
            notes.append("MXNet's Adam clips after the weight decay: the gradients are clipped before the update")
    return tuple(notes)


def make_native(spec: OptimizerSpec, library: ModuleType) -> optimizer.Optimizer:
    """The optimizer of mxnet.optimizer, or the one of the same name in `mxnet_arrays`."""
    options = {
        "sgd": {},
        "momentum": {"momentum": spec.momentum},
        "nag": {"momentum": spec.momentum},
        "adam": {"beta1": spec.beta1, "beta2": spec.beta2},
        "rmsprop": {"gamma1": spec.rho, "epsilon": spec.epsilon},
        "adagrad": {"eps": spec.epsilon},
    }[spec.name]
    return getattr(library, CLASSES[spec.name])(learning_rate=spec.learning_rate, wd=spec.weight_decay, **options)


class Optimizer:
    """gluon.Trainer over the parameters that learn."""

    def __init__(self, spec: OptimizerSpec, model):
        self.spec, self.model = spec, model
        reason = why_arrays(spec, next(iter(model.parameters.values())).dtype.__name__)
        self.notes = make_notes(spec, reason)
        named = model.net._collect_params_with_prefix()
        learning = {key: named[native_name] for key, native_name in model.native_names.items()}
        for p in learning.values():
            p.wd_mult = float(len(p.shape) > 1 or spec.decay_biases)
        self.indices = {key: index for index, key in enumerate(learning)}
        native = make_native(spec, mxnet_arrays if reason else optimizer)
        self.trainer = gluon.Trainer(list(learning.values()), native, kvstore=None)
        zeros = {name: {key: nd.zeros_like(p) for key, p in model.parameters.items()} for name in spec.state_names()}
        self.load(zeros, 0)

    def unit(self) -> float:
        """What the canonical state is multiplied with in MXNet: the momentum buffer holds -lr v."""
        return -self.spec.learning_rate if "momentum" in self.spec.state_names() else 1.0

    def export(self) -> tuple[dict[str, dict[str, nd.NDArray]], int]:
        """The canonical state by name and parameter, and the number of updates made."""
        native, state = self.trainer._updaters[0].states, {}
        for position, name in enumerate(self.spec.state_names()):
            kept = {
                key: native[index][position] if self.spec.name in KEPT_AS_TUPLES else native[index]
                for key, index in self.indices.items()
            }
            state[name] = {key: array / self.unit() for key, array in kept.items()}
        return state, self.updates

    def load(self, state: dict[str, dict[str, nd.NDArray]], updates: int) -> None:
        """Go on from a canonical state."""
        self.updates = updates
        updater = self.trainer._updaters[0]
        updater.optimizer.num_update = updates
        for key, index in self.indices.items():
            arrays = tuple(state[name][key] * self.unit() for name in self.spec.state_names())
            updater.states[index] = arrays if self.spec.name in KEPT_AS_TUPLES else next(iter(arrays), None)
            updater.states_synced[index] = True
            updater.optimizer._index_update_count[index] = updates

    def set_learning_rate(self, learning_rate: float) -> None:
        """Another learning rate from the next update on."""
        state, updates = self.export()
        self.spec = replace(self.spec, learning_rate=learning_rate)
        self.trainer.set_learning_rate(learning_rate)
        self.load(state, updates)  # in the unit of the new learning rate

    def step(self) -> None:
        """One update of every parameter; the losses here are means already, so Trainer divides by 1."""
        self.updates += 1
        if self.spec.clip_value is not None:
            c = self.spec.clip_value
            for p in self.model.parameters.values():
                p.grad[:] = nd.minimum(nd.maximum(p.grad, -c), c)  # nd.clip rounds its bounds to float32
        if self.spec.name == "adam":
            self.trainer.optimizer.epsilon = self.spec.epsilon * math.sqrt(1 - self.spec.beta2**self.updates)
        self.trainer.step(1, ignore_stale_grad=True)  # the stage of the gradients tells of one that never comes

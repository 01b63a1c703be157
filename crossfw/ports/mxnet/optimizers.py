"""What a Trainer's optimizer is set to, in plain values, and its state in the dtype of the weights."""

from __future__ import annotations

import copy
from typing import Any

SETTINGS = (
    "momentum",
    "beta1",
    "beta2",
    "epsilon",
    "gamma1",
    "gamma2",
    "centered",
    "rho",
    "float_stable_eps",
    "clip_gradient",
    "clip_weights",
)


def described(trainer: Any, names: dict[int, str], updates: int) -> dict:
    """Its kind and settings, the learning rate of each of the first updates, and each parameter's decay and scale.

    `own` is whether the class is MXNet's, so that its settings mean what they mean there.

    Args:
        names: of the parameters, by id.
        updates: how many rates to tell.
    """
    optimizer = trainer._optimizer
    plain = {n: getattr(optimizer, n) for n in SETTINGS if isinstance(getattr(optimizer, n, None), (bool, int, float))}
    known = [(names[id(p)], p) for p in trainer._params if id(p) in names and p.grad_req != "null"]
    return {
        "kind": type(optimizer).__name__.lower(),
        "own": type(optimizer).__module__.startswith("mxnet."),
        "settings": plain,
        "rates": rates_of(optimizer, updates),
        "rescale": float(trainer._scale),
        "decays": {name: float(optimizer.wd * p.wd_mult) for name, p in known},
        "wd_mult": {name: float(p.wd_mult) for name, p in known},
        "scale": {name: float(p.lr_mult) for name, p in known},
    }


def rates_of(optimizer: Any, updates: int) -> list[float]:
    """The learning rate of each of the first updates; a scheduler may count its calls, so that a copy is asked."""
    if optimizer.lr_scheduler is None:
        return [float(optimizer.lr)] * updates
    scheduler, first = copy.deepcopy(optimizer.lr_scheduler), optimizer.num_update + 1
    return [float(scheduler(update)) for update in range(first, first + updates)]


def make_states(trainer: Any) -> None:
    """Make the optimizer's state in the dtype of the weights: RMSProp, AdaGrad, AdaDelta and Ftrl would make it float32
    for float64 weights, and then refuse to go on."""
    if not trainer._kv_initialized:
        trainer._init_kvstore()
    for updater in trainer._updaters:
        for index, parameter in enumerate(trainer._params):
            if parameter.grad_req != "null" and index not in updater.states:
                state = updater.optimizer.create_state_multi_precision(index, parameter.list_data()[0])
                updater.states[index] = _cast(state, parameter.dtype)
                updater.states_synced[index] = True


def _cast(state: Any, dtype: Any) -> Any:
    if isinstance(state, (list, tuple)):
        return tuple(_cast(part, dtype) for part in state)
    return state.astype(dtype) if hasattr(state, "astype") else state

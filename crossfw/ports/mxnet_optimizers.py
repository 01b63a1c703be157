"""What a Trainer's optimizer is set to, in plain values."""

from __future__ import annotations

import copy
from typing import Any

SETTINGS = ("momentum", "beta1", "beta2", "epsilon", "gamma1", "gamma2", "centered", "rho", "float_stable_eps",
            "clip_gradient", "lazy_update")  # fmt: skip
UPDATES = 12


def described(trainer: Any, names: dict[int, str]) -> dict:
    """Its kind and settings, the learning rate of each of the first updates, and each parameter's decay and scale.

    Args:
        names: of the parameters, by id.
    """
    optimizer = trainer._optimizer
    plain = {n: getattr(optimizer, n) for n in SETTINGS if isinstance(getattr(optimizer, n, None), (bool, int, float))}
    known = [(names[id(p)], p) for p in trainer._params if id(p) in names and p.grad_req != "null"]
    return {
        "kind": type(optimizer).__name__.lower(),
        "settings": plain,
        "rates": rates_of(optimizer),
        "rescale": float(trainer._scale),
        "decays": {name: float(optimizer.wd * p.wd_mult) for name, p in known},
        "scale": {name: float(p.lr_mult) for name, p in known},
    }


def rates_of(optimizer: Any) -> list[float]:
    """The learning rate of each of the first updates; a scheduler may count its calls, so that a copy is asked."""
    if optimizer.lr_scheduler is None:
        return [float(optimizer.lr)] * UPDATES
    scheduler = copy.deepcopy(optimizer.lr_scheduler)
    return [float(scheduler(update)) for update in range(1, UPDATES + 1)]

"""What is supposed of a user's optimizer or clipping, in the place of it.

`Rule` updates as MXNet's optimizers do (mxnet `optimizer/optimizer.py`, `src/operator/optimizer_op-inl.h`).
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch

SETTINGS = (
    "lr",
    "momentum",
    "dampening",
    "nesterov",
    "weight_decay",
    "eps",
    "alpha",
    "betas",
    "centered",
    "rho",
    "lr_decay",
    "initial_accumulator_value",
    "amsgrad",
    "decoupled_weight_decay",
    "maximize",
)


def described(optimizer: torch.optim.Optimizer, names: dict[int, str]) -> dict:
    """Its class, the class of torch.optim that it is or derives from, and the settings of every parameter by name.

    `own` is whether the class is torch's, so that its settings mean what they mean there.
    """
    settings: dict[str, dict] = {}
    for group in optimizer.param_groups:
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in group.items() if k in SETTINGS}
        plain = {k: float(v) if isinstance(v, torch.Tensor) and v.dim() == 0 else v for k, v in plain.items()}
        plain = {k: v for k, v in plain.items() if isinstance(v, (bool, int, float, list))}
        for parameter in group["params"]:
            if id(parameter) in names:
                settings[names[id(parameter)]] = plain
    kind = type(optimizer)
    bases = [c.__name__ for c in kind.__mro__ if c.__module__.startswith("torch.optim")]
    own = kind.__module__.startswith("torch.optim") and "step" not in vars(optimizer)
    return {"class": kind.__name__, "own": own, "library": bases[0] if bases else "", "settings": settings}


def adjust(optimizer: torch.optim.Optimizer, change: dict, arrays: dict) -> None:
    """Other settings for named parameters.

    A parameter that no group has gets one of its own.

    Args:
        change: {"values": {name: {setting: value}}, "rates": {name: [learning rate of every update]},
            "epsilons": [of every update], "added": [names]}.
    """
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    names = {id(a): n for n, a in arrays.items()}
    rest = {k: v for k, v in optimizer.param_groups[0].items() if k != "params"}
    split = [one for group in list(optimizer.param_groups) for one in _split(group, change, names)]
    split += [{**rest, "params": [arrays[n]]} for n in change.get("added", ()) if id(arrays[n]) not in held]
    optimizer.param_groups[:] = split
    for group in split:
        group.update(_tuples(change.get("values", {}).get(names.get(id(group["params"][0])), {})))
    by_name = [(names.get(id(group["params"][0])), group) for group in split]
    _force(optimizer, "lr", [(group, change.get("rates", {}).get(name)) for name, group in by_name])
    _force(optimizer, "eps", [(group, change.get("epsilons")) for group in split])


def _split(group: dict, change: dict, names: dict[int, str]) -> list[dict]:
    """The group itself where all its parameters are to be alike, which a scheduler needs; else one for each."""
    named = [names.get(id(p)) for p in group["params"]]
    wanted = [[change.get(key, {}).get(name) for key in ("values", "rates")] for name in named]
    if all(one == wanted[0] for one in wanted):
        return [group]
    return [{**group, "params": [p]} for p in group["params"]]


def _tuples(values: dict) -> dict:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}


def _force(optimizer: torch.optim.Optimizer, setting: str, wanted: list) -> None:
    """A value of a setting for every update, whatever the optimizer itself makes of it in between."""
    wanted = [(group, values) for group, values in wanted if values]
    if not wanted:
        return
    step, count = optimizer.step, 0

    def put() -> None:
        for group, values in wanted:
            group[setting] = values[min(count, len(values) - 1)]

    @functools.wraps(step)  # with the mark that a scheduler leaves on it
    def forced(*arguments: Any, **more: Any) -> Any:
        nonlocal count
        put()
        found = step(*arguments, **more)
        count += 1
        put()
        return found

    put()
    optimizer.step = forced


def plain(change: dict, arrays: dict) -> torch.optim.Optimizer:
    """A class of torch.optim itself, with the settings and the learning rates that the user's has.

    Args:
        change: {"library": "SGD", "settings": {name: {...}}, "rates": {name: [...]}}.
    """
    make = getattr(torch.optim, change["library"])
    known = make([torch.zeros(1, requires_grad=True)]).defaults
    groups = [
        {"params": [arrays[name]], **{k: v for k, v in _tuples(settings).items() if k in known}}
        for name, settings in change["settings"].items()
    ]
    optimizer = make(groups)
    _force(optimizer, "lr", [(g, change["rates"].get(n)) for g, n in zip(optimizer.param_groups, change["settings"])])
    return optimizer


class Rule(torch.optim.Optimizer):
    """MXNet's rule of update.

    Args:
        arrays: the model's arrays by name.
        told: {"kind": "sgd", "settings": {...}, "rates": {name: [of every update]}, "decays": {name: rate},
            "rescale": factor of gradients}.
    """

    def __init__(self, arrays: dict, told: dict):
        self.names = {id(a): n for n, a in arrays.items()}
        super().__init__([arrays[n] for n in told["rates"]], {"lr": 0.0})
        self.told, self.updates = told, 0

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """One update of every parameter."""
        self.updates += 1
        told = self.told
        for p in self.param_groups[0]["params"]:
            name = self.names[id(p)]
            rates = told["rates"][name]
            gradient = (torch.zeros_like(p) if p.grad is None else p.grad) * told["rescale"]
            rate, decay = rates[min(self.updates, len(rates)) - 1], told["decays"].get(name, 0.0)
            RULES[told["kind"]](p, gradient, self.state[p], rate, decay, told["settings"], self.updates)


def _clip(g: Any, s: dict) -> Any:
    limit = s.get("clip_gradient")
    return g.clamp(-limit, limit) if limit else g


def _sgd(p: Any, g: Any, state: dict, lr: float, wd: float, s: dict, _: int) -> None:
    state["m"] = s.get("momentum", 0.0) * state.get("m", 0.0) - lr * (_clip(g, s) + wd * p)
    p += state["m"]


def _nag(p: Any, g: Any, state: dict, lr: float, wd: float, s: dict, _: int) -> None:
    """The buffer is decayed with the weight that has just been written (nag_mom_update of 1.9.1)."""
    momentum, g = s.get("momentum", 0.0), _clip(g, s)
    buffer = momentum * state.get("m", torch.zeros_like(p))
    step = (momentum + 1) * (buffer - lr * (g + wd * p)) - buffer
    p += step
    state["m"] = buffer - lr * (g + wd * p)


def _adam(p: Any, g: Any, state: dict, lr: float, wd: float, s: dict, t: int) -> None:
    b1, b2, g = s["beta1"], s["beta2"], _clip(g + wd * p, s)
    state["m"] = b1 * state.get("m", 0.0) + (1 - b1) * g
    state["v"] = b2 * state.get("v", 0.0) + (1 - b2) * g * g
    p -= lr * (1 - b2**t) ** 0.5 / (1 - b1**t) * state["m"] / (state["v"].sqrt() + s["epsilon"])


def _rmsprop(p: Any, g: Any, state: dict, lr: float, wd: float, s: dict, _: int) -> None:
    decay, g = s["gamma1"], _clip(g + wd * p, s)
    state["v"] = decay * state.get("v", 0.0) + (1 - decay) * g * g
    if not s.get("centered"):
        p -= lr * g / (state["v"] + s["epsilon"]).sqrt()
        return
    state["m"] = decay * state.get("m", 0.0) + (1 - decay) * g
    scaled = lr * g / (state["v"] - state["m"] ** 2 + s["epsilon"]).sqrt()
    state["d"] = s["gamma2"] * state.get("d", 0.0) - scaled
    p += state["d"]


def _adagrad(p: Any, g: Any, state: dict, lr: float, wd: float, s: dict, _: int) -> None:
    g = _clip(g, s)
    state["v"] = state.get("v", 0.0) + g * g
    p -= lr * (g / (state["v"] + s["float_stable_eps"]).sqrt() + wd * p)


def _adadelta(p: Any, g: Any, state: dict, lr: float, wd: float, s: dict, _: int) -> None:
    rho, eps, g = s["rho"], s["epsilon"], _clip(g, s)
    state["v"] = rho * state.get("v", 0.0) + (1 - rho) * g * g
    step = ((state.get("d", torch.zeros_like(g)) + eps).sqrt() / (state["v"] + eps).sqrt()) * g
    state["d"] = rho * state.get("d", 0.0) + (1 - rho) * step * step
    p -= step + wd * p


RULES = {"sgd": _sgd, "nag": _nag, "adam": _adam, "rmsprop": _rmsprop, "adagrad": _adagrad, "adadelta": _adadelta}


def clipped(told: dict, gradients: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Gradients after clipping {"kind": "norm" | "norm of each" | "value" | "none", "threshold": t}."""
    kind, t = told["kind"], told.get("threshold", 1.0)
    if kind == "none":
        return gradients
    if kind == "value":
        return {n: np.clip(g, -t, t) for n, g in gradients.items()}
    norms = {n: float(np.sqrt((g.astype(np.float64) ** 2).sum())) for n, g in gradients.items()}
    if kind == "norm":
        norms = dict.fromkeys(norms, float(np.sqrt(sum(v * v for v in norms.values()))))
    return {n: g * min(1.0, t / norms[n]) if norms[n] else g for n, g in gradients.items()}


def rescaled(told: dict, gradients: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Gradients times a factor, then each number clipped: {"scale": factor, "value": threshold or None}."""
    scaled = {n: g * told.get("scale", 1.0) for n, g in gradients.items()}
    limit = told.get("value")
    return {n: np.clip(g, -limit, limit) for n, g in scaled.items()} if limit else scaled

"""What is supposed of a user's optimizer or clipping, in the place of it.

`Rule` updates as MXNet's optimizers do (mxnet `optimizer/optimizer.py`, `src/operator/optimizer_op-inl.h`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

SETTINGS = ("lr", "momentum", "dampening", "nesterov", "weight_decay", "eps", "alpha", "betas", "centered", "rho",
            "lr_decay", "initial_accumulator_value", "amsgrad", "decoupled_weight_decay")  # fmt: skip


def described(optimizer: torch.optim.Optimizer, names: dict[int, str]) -> dict:
    """Its class, and the settings of every parameter by name."""
    settings: dict[str, dict] = {}
    for group in optimizer.param_groups:
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in group.items() if k in SETTINGS}
        plain = {k: v for k, v in plain.items() if isinstance(v, (bool, int, float, list))}
        for parameter in group["params"]:
            if id(parameter) in names:
                settings[names[id(parameter)]] = plain
    bases = [c.__name__ for c in type(optimizer).__mro__ if c.__module__.startswith("torch.optim")]
    return {"class": type(optimizer).__name__, "library": bases[0] if bases else "", "settings": settings}


def adjust(optimizer: torch.optim.Optimizer, change: dict, arrays: dict) -> None:
    """Other settings for the parameters that are named: {"values": {name: {setting: value}}, "rates": [of every update]}.

    A parameter that no group has gets one of its own.
    """
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    old, new = list(optimizer.param_groups), []
    for group in old:
        rest = {k: v for k, v in group.items() if k != "params"}
        named = {id(arrays[name]): values for name, values in change.get("values", {}).items()}
        for p in group["params"]:
            new.append({**rest, "params": [p], **_tuples(named.get(id(p), {}))})
    rest = {k: v for k, v in old[0].items() if k != "params"}
    new += [{**rest, "params": [arrays[n]]} for n in change.get("added", ()) if id(arrays[n]) not in held]
    optimizer.param_groups[:] = new
    if "rates" in change:
        _force_rates(optimizer, change["rates"])


def _tuples(values: dict) -> dict:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}


def _force_rates(optimizer: torch.optim.Optimizer, rates: list) -> None:
    """A learning rate for every update."""
    step, count = optimizer.step, 0

    def forced(*arguments: Any, **more: Any) -> Any:
        nonlocal count
        for group in optimizer.param_groups:
            group["lr"] = rates[min(count, len(rates) - 1)]
        count += 1
        return step(*arguments, **more)

    optimizer.step = forced


class Rule(torch.optim.Optimizer):
    """MXNet's rule of update.

    Args:
        arrays: the model's arrays by name.
        told: {"kind": "sgd", "rates": [by update], "settings": {...}, "decays": {name: rate}, "scale": {name: of its rate}}.
    """

    def __init__(self, arrays: dict, told: dict):
        self.names = {id(a): n for n, a in arrays.items()}
        learning = [a for n, a in arrays.items() if n in told["decays"]]
        super().__init__(learning, {"lr": told["rates"][0]})
        self.told, self.updates = told, 0

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """One update of every parameter."""
        self.updates += 1
        told, rates = self.told, self.told["rates"]
        for p in self.param_groups[0]["params"]:
            name = self.names[id(p)]
            rate = rates[min(self.updates, len(rates)) - 1] * told["scale"].get(name, 1.0)
            gradient = (torch.zeros_like(p) if p.grad is None else p.grad) * told.get("rescale", 1.0)
            RULES[told["kind"]](p, gradient, self.state[p], rate, told["decays"][name], told["settings"], self.updates)


def _sgd(p: Any, g: Any, state: dict, lr: float, wd: float, s: dict, _: int) -> None:
    state["m"] = s.get("momentum", 0.0) * state.get("m", 0.0) - lr * (g + wd * p)
    p += state["m"]


def _nag(p: Any, g: Any, state: dict, lr: float, wd: float, s: dict, _: int) -> None:
    momentum = s.get("momentum", 0.0)
    g = g + wd * p
    state["m"] = momentum * state.get("m", 0.0) - lr * g
    p += momentum * state["m"] - lr * g


def _adam(p: Any, g: Any, state: dict, lr: float, wd: float, s: dict, t: int) -> None:
    b1, b2, g = s["beta1"], s["beta2"], g + wd * p
    state["m"] = b1 * state.get("m", 0.0) + (1 - b1) * g
    state["v"] = b2 * state.get("v", 0.0) + (1 - b2) * g * g
    p -= lr * (1 - b2**t) ** 0.5 / (1 - b1**t) * state["m"] / (state["v"].sqrt() + s["epsilon"])


def _rmsprop(p: Any, g: Any, state: dict, lr: float, wd: float, s: dict, _: int) -> None:
    decay, g = s["gamma1"], g + wd * p
    state["v"] = decay * state.get("v", 0.0) + (1 - decay) * g * g
    if not s.get("centered"):
        p -= lr * g / (state["v"] + s["epsilon"]).sqrt()
        return
    state["m"] = decay * state.get("m", 0.0) + (1 - decay) * g
    scaled = lr * g / (state["v"] - state["m"] ** 2 + s["epsilon"]).sqrt()
    state["d"] = s["gamma2"] * state.get("d", 0.0) - scaled
    p += state["d"]


def _adagrad(p: Any, g: Any, state: dict, lr: float, wd: float, s: dict, _: int) -> None:
    state["v"] = state.get("v", 0.0) + g * g
    p -= lr * (g / (state["v"] + s["float_stable_eps"]).sqrt() + wd * p)


def _adadelta(p: Any, g: Any, state: dict, lr: float, wd: float, s: dict, _: int) -> None:
    rho, eps = s["rho"], s["epsilon"]
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

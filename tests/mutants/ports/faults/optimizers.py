"""Optimizers with faults."""

from __future__ import annotations

import torch
from torch.optim import SGD, Adam


class Decoupled(SGD):
    """Weights are decayed beside the gradient, not through it."""

    def step(self, closure=None):
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    p *= 1 - group["lr"] * 0.125
        return super().step(closure)


class Forgetful(SGD):
    """The momentum is lost after each update."""

    def step(self, closure=None):
        super().step(closure)
        self.state.clear()


class Halving(SGD):
    """The rate halves after each update, and stands outside the buffer of momentum."""

    def step(self, closure=None):
        super().step(closure)
        self.param_groups[0]["lr"] /= 2


class Slowing(SGD):
    """The rate falls, where it should not."""

    def step(self, closure=None):
        super().step(closure)
        for group in self.param_groups:
            group["lr"] *= 0.75


class Late(SGD):
    """All is right in two updates; then `after` is done to each parameter."""

    def __init__(self, parameters, after, **settings):
        super().__init__(parameters, **settings)
        self.after, self.updates = after, 0

    @torch.no_grad()
    def step(self, closure=None):
        super().step(closure)
        self.updates += 1
        for group in self.param_groups:
            for p in group["params"]:
                self.after(self, group, p)


def slower(self, group, p) -> None:
    if self.updates == 2:
        group["lr"] = 0.015625


def forget(self, group, p) -> None:
    if self.updates == 2:
        self.state.pop(p)


def average(self, group, p) -> None:
    """Slow weights, as in Lookahead: every third update goes halfway back."""
    start = self.state[p].setdefault("start", p.clone())
    if self.updates % 3 == 0:
        p.lerp_(start, 0.5)


class Uncorrected(Adam):
    """Adam without the correction of its averages."""

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                state["m"] = 0.875 * state.get("m", 0) + 0.125 * p.grad
                state["v"] = 0.96875 * state.get("v", 0) + 0.03125 * p.grad**2
                p -= group["lr"] * state["m"] / (state["v"] ** 0.5 + group["eps"])

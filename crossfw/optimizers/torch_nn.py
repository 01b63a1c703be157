"""PyTorch's own optimizers, with their state read and written under canonical names."""

from __future__ import annotations

from dataclasses import replace

import torch

from crossfw.optimizers.spec import OptimizerSpec
from crossfw.optimizers.torch_scratch import clip_global_norm  # noqa: F401  (torch.nn.utils' divides by norm + 1e-6)

NATIVE_STATE = {
    "sgd": {},
    "momentum": {"momentum": "momentum_buffer"},
    "nag": {"momentum": "momentum_buffer"},
    "adam": {"first_moment": "exp_avg", "second_moment": "exp_avg_sq"},
    "rmsprop": {"second_moment": "square_avg"},
    "adagrad": {"squares": "sum"},
}


def make_native(spec: OptimizerSpec, parameters: list[torch.Tensor]) -> torch.optim.Optimizer:
    """The optimizer of torch.optim, with a group of parameters for each weight decay."""
    decays: dict[float, list[torch.Tensor]] = {}
    for p in parameters:
        decays.setdefault(spec.decay_of(p.ndim), []).append(p)
    groups, lr = [{"params": group, "weight_decay": decay} for decay, group in decays.items()], spec.learning_rate
    if spec.name == "adam":
        return torch.optim.Adam(groups, lr=lr, betas=(spec.beta1, spec.beta2), eps=spec.epsilon)
    if spec.name == "rmsprop":
        return torch.optim.RMSprop(groups, lr=lr, alpha=spec.rho, eps=spec.epsilon)
    if spec.name == "adagrad":
        return torch.optim.Adagrad(groups, lr=lr, eps=spec.epsilon)
    momentum = spec.momentum if spec.state_names() else 0.0
    # fused: one pass over the parameters; a loop of operations takes 0.1 ms more of a step of 10
    return torch.optim.SGD(groups, lr=lr, momentum=momentum, nesterov=spec.name == "nag", fused=True)


class Optimizer:
    """An optimizer of torch.optim over the parameters that learn."""

    notes: tuple[str, ...] = ()

    def __init__(self, spec: OptimizerSpec, model):
        self.spec, self.model = spec, model
        self.native = make_native(spec, list(model.parameters.values()))
        zeros = {name: {key: torch.zeros_like(p) for key, p in model.parameters.items()} for name in spec.state_names()}
        self.load(zeros, 0)

    def export(self) -> tuple[dict[str, dict[str, torch.Tensor]], int]:
        """The canonical state by name and parameter, and the number of updates made."""
        state = {
            name: {key: self.native.state[p][native_name] for key, p in self.model.parameters.items()}
            for name, native_name in NATIVE_STATE[self.spec.name].items()
        }
        return state, self.updates

    def load(self, state: dict[str, dict[str, torch.Tensor]], updates: int) -> None:
        """Go on from a canonical state; torch.optim.SGD does not look at `step`."""
        self.updates = updates
        for name, native_name in NATIVE_STATE[self.spec.name].items():
            for key, p in self.model.parameters.items():
                self.native.state[p][native_name] = state[name][key]
                self.native.state[p]["step"] = torch.tensor(float(updates))

    def set_learning_rate(self, learning_rate: float) -> None:
        """Another learning rate from the next update on."""
        self.spec = replace(self.spec, learning_rate=learning_rate)
        for group in self.native.param_groups:
            group["lr"] = learning_rate

    def step(self) -> None:
        """One update of every parameter."""
        self.updates += 1
        if self.spec.clip_value is not None:
            torch.nn.utils.clip_grad_value_(self.model.parameters.values(), self.spec.clip_value)
        self.native.step()

"""PyTorch's own optimizers, with their state read and written under canonical names."""

from __future__ import annotations

import torch

from crossfw.optimizers.spec import OptimizerSpec

NATIVE_STATE = {"momentum": "momentum_buffer", "first_moment": "exp_avg", "second_moment": "exp_avg_sq"}


def clip_global_norm(gradients: list[torch.Tensor], theta: float) -> torch.Tensor:
    """Scale all gradients in place by min(theta / norm, 1); return the norm before.

    torch.nn.utils.clip_grad_norm_ divides by norm + 1e-6; here only its norm is used.
    """
    norm = torch.nn.utils.get_total_norm(gradients)
    scale = torch.clamp(theta / norm, max=1.0)
    for g in gradients:
        g *= scale
    return norm


class Optimizer:
    """torch.optim.SGD or torch.optim.Adam over the parameters that learn."""

    def __init__(self, spec: OptimizerSpec, model):
        self.spec, self.model = spec, model
        parameters = list(model.parameters.values())
        if spec.name == "adam":
            betas = (spec.beta1, spec.beta2)
            self.native = torch.optim.Adam(parameters, lr=spec.learning_rate, betas=betas, eps=spec.epsilon)
        else:
            momentum = spec.momentum if spec.name == "momentum" else 0.0
            self.native = torch.optim.SGD(parameters, lr=spec.learning_rate, momentum=momentum)
        zeros = {name: {key: torch.zeros_like(p) for key, p in model.parameters.items()} for name in spec.state_names()}
        self.load(zeros, 0)

    def export(self) -> tuple[dict[str, dict[str, torch.Tensor]], int]:
        """The canonical state by name and parameter, and the number of updates made."""
        state = {
            name: {key: self.native.state[p][NATIVE_STATE[name]] for key, p in self.model.parameters.items()}
            for name in self.spec.state_names()
        }
        return state, self.updates

    def load(self, state: dict[str, dict[str, torch.Tensor]], updates: int) -> None:
        """Go on from a canonical state."""
        self.updates = updates
        for name, arrays in state.items():
            for key, array in arrays.items():
                native = self.native.state[self.model.parameters[key]]
                native[NATIVE_STATE[name]] = array
                if self.spec.name == "adam":
                    native["step"] = torch.tensor(float(updates))

    def step(self) -> None:
        """One update of every parameter."""
        self.updates += 1
        self.native.step()

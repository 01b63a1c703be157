"""The optimizers from scratch in PyTorch."""

from __future__ import annotations

from dataclasses import replace

import torch

from crossfw.optimizers.spec import OptimizerSpec


def clip_global_norm(gradients: list[torch.Tensor], theta: float) -> torch.Tensor:
    """Scale all gradients in place by min(theta / norm, 1); return the norm before."""
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    torch._foreach_mul_(gradients, torch.clamp(theta / norm, max=1.0))
    return norm


class Optimizer:
    """Updates `model.parameters` in place from their `.grad`."""

    notes: tuple[str, ...] = ()

    def __init__(self, spec: OptimizerSpec, model):
        self.spec, self.model, self.updates = spec, model, 0
        self.state = {
            name: {key: torch.zeros_like(p) for key, p in model.parameters.items()} for name in spec.state_names()
        }

    def export(self) -> tuple[dict[str, dict[str, torch.Tensor]], int]:
        """The canonical state by name and parameter, and the number of updates made."""
        return self.state, self.updates

    def load(self, state: dict[str, dict[str, torch.Tensor]], updates: int) -> None:
        """Go on from a canonical state."""
        self.state, self.updates = {name: dict(arrays) for name, arrays in state.items()}, updates

    def set_learning_rate(self, learning_rate: float) -> None:
        """Another learning rate from the next update on."""
        self.spec = replace(self.spec, learning_rate=learning_rate)

    @torch.no_grad()
    def step(self) -> None:
        """One update of every parameter."""
        self.updates += 1
        for key, w in self.model.parameters.items():
            getattr(self, self.spec.name)(key, w, self.seen(w, w.grad))

    def seen(self, w: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
        """The gradient as the update sees it: clipped elementwise, then with the weight decay."""
        c, decay = self.spec.clip_value, self.spec.decay_of(w.ndim)
        if c is not None:
            g = torch.clamp(g, -c, c)
        return g + decay * w if decay else g

    def sgd(self, key: str, w: torch.Tensor, g: torch.Tensor) -> None:
        """Plain gradient descent."""
        w.sub_(g, alpha=self.spec.learning_rate)

    def momentum(self, key: str, w: torch.Tensor, g: torch.Tensor) -> None:
        """Gradient descent with a velocity."""
        v = self.state["momentum"][key]
        v *= self.spec.momentum
        v += g
        w -= self.spec.learning_rate * v

    def nag(self, key: str, w: torch.Tensor, g: torch.Tensor) -> None:
        """Nesterov's: the velocity is followed once more before it is taken."""
        v = self.state["momentum"][key]
        v *= self.spec.momentum
        v += g
        w -= self.spec.learning_rate * (g + self.spec.momentum * v)

    def adam(self, key: str, w: torch.Tensor, g: torch.Tensor) -> None:
        """Adam, with the epsilon beside the corrected second moment."""
        b1, b2, t = self.spec.beta1, self.spec.beta2, self.updates
        m, s = self.state["first_moment"][key], self.state["second_moment"][key]
        m *= b1
        m += (1 - b1) * g
        s *= b2
        s += (1 - b2) * g * g
        w -= self.spec.learning_rate * (m / (1 - b1**t)) / (torch.sqrt(s / (1 - b2**t)) + self.spec.epsilon)

    def rmsprop(self, key: str, w: torch.Tensor, g: torch.Tensor) -> None:
        """The gradient over the root of its mean square."""
        rho, s = self.spec.rho, self.state["second_moment"][key]
        s *= rho
        s += (1 - rho) * g * g
        w -= self.spec.learning_rate * g / (torch.sqrt(s) + self.spec.epsilon)

    def adagrad(self, key: str, w: torch.Tensor, g: torch.Tensor) -> None:
        """The gradient over the root of the sum of its squares."""
        s = self.state["squares"][key]
        s += g * g
        w -= self.spec.learning_rate * g / (torch.sqrt(s) + self.spec.epsilon)

"""The half of the torch side that trains: optimizer, clipping, updates."""

from __future__ import annotations

import numpy as np
import torch

from crossfw.ports.torch_arrays import to_numpy


class Training:
    """The part of `Side` that changes weights."""

    @staticmethod
    def gradient(array: torch.Tensor) -> torch.Tensor:
        """Its gradient; zeros where none reached it."""
        if array.grad is None:
            return torch.zeros_like(array)
        return array.grad.to_dense() if array.grad.is_sparse else array.grad

    def set_gradients(self, gradients: dict[str, np.ndarray]) -> None:
        """Put given gradients where `backward` would have left its own."""
        arrays = self.arrays()
        for name, value in gradients.items():
            arrays[name].grad = torch.tensor(value, dtype=arrays[name].dtype)

    def start(self) -> dict:
        """Make a fresh optimizer; its hyper-parameters for the report."""
        make = self.port.of("torch", "optimizer")
        if make is None:
            learning = [p for p in self.model.parameters() if p.requires_grad]
            self.optimizer = torch.optim.SGD(learning, lr=self.DEFAULT_RATE) if learning else None
            return {"default": True, "decay": 0.0}
        self.optimizer = self.call("torch_optimizer", lambda: make(self.model))
        if not isinstance(self.optimizer, torch.optim.Optimizer):
            raise self.wrong_kind(self.optimizer, "a torch.optim.Optimizer", "torch_optimizer")
        return {"default": False, "decay": decay_rate(self.optimizer)}

    def clip(self, gradients: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Given gradients after the user's clipping; none without such a function."""
        function = self.port.of("torch", "clip")
        if function is None:
            return {}
        self.set_gradients(gradients)
        self.call("torch_clip", lambda: function(self.model))
        return {name: to_numpy(self.gradient(a)) for name, a in self.arrays().items() if name in gradients}

    def update(self, gradients: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The parameters after one step of the optimizer with given gradients."""
        if self.optimizer is not None:
            self.set_gradients(gradients)
            self.call("the torch optimizer's step", self.optimizer.step)
        return self.export()

    def train(self, seeds: list, sizes: list, training: bool, still: list) -> dict:
        """Several whole training steps in a row from where the model stands: losses, and all arrays at the end.

        Args:
            still: names of arrays whose gradients are taken to be zero.
        """
        function, losses, arrays = self.port.of("torch", "clip"), [], self.arrays()
        for seed, size in zip(seeds, sizes):
            self.model.zero_grad(set_to_none=True)
            with self.mode(training, seed):
                loss = self.loss_of(self.run(self.feed(self.draw(seed, size)[0], "inputs", gradients=True)), seed, size)
                self.call("the torch model's backward", loss.backward)
            self.set_gradients({name: np.zeros(arrays[name].shape) for name in still})
            if function is not None:
                self.call("torch_clip", lambda: function(self.model))
            if self.optimizer is not None:
                self.call("the torch optimizer's step", self.optimizer.step)
            losses.append(to_numpy(loss))
        return {"losses": np.array(losses, np.float64), "arrays": self.export()}


def decay_rate(optimizer: torch.optim.Optimizer) -> float:
    """The largest of the factors by which an optimizer forgets: momentum, betas, alpha, rho."""
    rates = [0.0]
    for group in optimizer.param_groups:
        rates += [float(group.get(name) or 0) for name in ("momentum", "alpha", "rho")]
        rates += [float(beta) for beta in group.get("betas", ())]
    return min(max(rates), 1 - 1e-6)

"""The half of the torch side that trains: optimizer, clipping, updates."""

from __future__ import annotations

import numpy as np
import torch

from crossfw.ports.torch.arrays import to_numpy


class Training:
    """The part of `Side` that changes weights."""

    @staticmethod
    def gradient(array: torch.Tensor) -> torch.Tensor:
        """Its gradient; zeros where none reached it."""
        if array.grad is None:
            return torch.zeros_like(array)
        return array.grad.to_dense() if array.grad.is_sparse else array.grad

    def backward(self, loss: torch.Tensor) -> None:
        """Gradients of a loss; none where no array that learns takes part in it."""
        if loss.requires_grad:
            self.call("the torch model's backward", loss.backward)

    def set_gradients(self, gradients: dict[str, np.ndarray]) -> None:
        """Put given gradients where `backward` would have left its own."""
        arrays = self.arrays()
        for name, value in gradients.items():
            arrays[name].grad = torch.tensor(value, dtype=arrays[name].dtype)

    def start(self, updates: int = 1) -> dict:
        """Make a fresh optimizer; its hyper-parameters for the report. `updates` is for MXNet's side."""
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
        if self.port.of("torch", "clip") is None:
            return {}
        self.set_gradients(gradients)
        Training.clip_own(self)
        return {name: to_numpy(self.gradient(a)) for name, a in self.arrays().items() if name in gradients}

    def clip_own(self) -> None:
        """The user's clipping of the gradients that stand in the model, if there is one."""
        function = self.port.of("torch", "clip")
        if function is not None:
            self.call("torch_clip", lambda: function(self.model))

    def steps(self, gradients: list) -> dict:
        """A fresh optimizer's steps with given gradients, clipped as the user does.

        Returns:
            The arrays after each step, and the first group's learning rate before it.
        """
        self.start()
        after, rates = [], []
        for given in gradients:
            self.set_gradients({**given, **self.clip(given)})
            rates.append(self.rate())
            self.step()
            after.append(self.export())
        self.forget()
        return {"arrays": after, "rates": rates}

    def forget(self) -> None:
        """Give back what training held: states and gradients are as large as the model."""
        self.optimizer = None
        self.model.zero_grad(set_to_none=True)

    def step(self) -> None:
        """One step of the optimizer; none for a model without parameters."""
        if self.optimizer is not None:
            self.call("the torch optimizer's step", self.optimizer.step)

    def rate(self) -> float:
        """The first group's learning rate."""
        return float(self.optimizer.param_groups[0].get("lr", 0.0)) if self.optimizer is not None else 0.0

    def train(self, seeds: list, sizes: list, training: bool, still: list, every: bool) -> dict:
        """Several whole training steps with a fresh optimizer, from where the model stands.

        Args:
            still: names of arrays whose gradients are taken to be zero.
            every: whether the arrays are told after every update, or after the last alone.

        Returns:
            The loss of each update; the first group's learning rate before it; the arrays.
        """
        self.start()
        losses, rates, after, arrays = [], [], [], self.arrays()
        for number, (seed, size) in enumerate(zip(seeds, sizes), 1):
            self.model.zero_grad(set_to_none=True)
            with self.mode(training, seed):
                loss = self.loss_of(self.run(self.feed(self.draw(seed, size)[0], "inputs", gradients=True)), seed, size)
                self.backward(loss)
            self.set_gradients({name: np.zeros(arrays[name].shape) for name in still})
            self.clip_own()
            rates.append(self.rate())
            self.step()
            losses.append(to_numpy(loss))
            if every or number == len(seeds):
                after.append(self.export())
        self.forget()
        return {"losses": np.array(losses, np.float64), "rates": rates, "arrays": after}


def decay_rate(optimizer: torch.optim.Optimizer) -> float:
    """The largest of the factors by which an optimizer forgets: momentum, betas, alpha, rho."""
    rates = [0.0]
    for group in optimizer.param_groups:
        rates += [float(group.get(name) or 0) for name in ("momentum", "alpha", "rho")]
        rates += [float(beta) for beta in group.get("betas", ())]
    return min(max(rates), 1 - 1e-6)

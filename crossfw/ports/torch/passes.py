"""The half of the torch side that computes: outputs, running statistics, loss, gradients."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import torch

from crossfw.ports.nest import leaves, transform
from crossfw.ports.side import linear_weights
from crossfw.ports.torch.arrays import is_array, to_numpy
from crossfw.ports.torch.carrier import Carrier, carried_out
from crossfw.ports.torch.recurrent import without_dropout


class Passes:
    """The part of `Side` that runs the model forwards and backwards."""

    @contextlib.contextmanager
    def mode(self, training: bool, seed: int) -> Any:
        """Training or inference, with shared random numbers and MXNet's running variance."""
        self.model.train(training)
        masks = self.masks = self.fresh_masks(seed)
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.own_random_numbers(seed, torch.manual_seed))
            stack.enter_context(without_dropout(self.model, masks))
            stack.enter_context(carried_out(Carrier(masks, self.dtype is torch.float64, self.shake)))
            try:
                yield
            finally:
                self.model.eval()

    def forward(self, seed: int, size: Any, training: bool, state: int = 0) -> dict:
        """Outputs by name; in training mode the running statistics after it too. Parameters are left as they were.

        `state` is another start of the random numbers that the model draws by itself.
        """
        kept, self.state = self.statistics(), state
        with torch.no_grad(), self.mode(training, seed):
            output = self.run(self.feed(self.draw(seed, size)[0], "inputs"))
            found = {name: to_numpy(array) for name, array in self.leaves(output).items()}
        moved, self.state = self.statistics(), 0
        self.put(kept)
        return self.told(found, moved if training else {})

    def statistics(self) -> dict[str, np.ndarray]:
        """Copies of the arrays that no gradient moves."""
        return {n: np.array(to_numpy(a)) for n, a in self.arrays().items() if not isinstance(a, torch.nn.Parameter)}

    def loss_of(self, output: Any, seed: int, size: Any) -> torch.Tensor:
        """The user's loss, or a fixed linear function of the outputs; a vector's mean."""
        function, targets = self.port.of("torch", "loss"), self.draw(seed, size)[1]
        if function is None:
            parts = [a for i, a in enumerate(self.leaves(output).values()) if i in self.parts]
            weights = linear_weights([tuple(a.shape) for a in parts])
            return sum((a * torch.as_tensor(w, dtype=a.dtype)).sum() for a, w in zip(parts, weights))
        arguments = (output,) if targets is None else (output, self.feed(targets, "targets"))
        loss = self.call("torch_loss", lambda: function(*arguments))
        if not isinstance(loss, torch.Tensor):
            raise self.wrong_kind(loss, "a tensor", "torch_loss")
        return loss.mean() if loss.dim() else loss

    def loss(self, outputs: dict[str, np.ndarray], seed: int, size: Any) -> np.ndarray:
        """The loss of given outputs (in the structure that the model gives)."""
        with torch.no_grad(), self.mode(False, seed):
            output = self.run(self.feed(self.draw(seed, size)[0], "inputs"))
            given = iter(outputs.values())
            fed = transform(
                output, "output", is_array, lambda _, a: torch.tensor(next(given)).to(a.dtype).reshape(a.shape)
            )
            return to_numpy(self.loss_of(fed, seed, size))

    def gradients(self, seed: int, size: Any, training: bool, dropout: bool = True) -> dict:
        """The loss and its gradients: of all parameters that learn, and of the inputs that a gradient reaches."""
        self.without_dropout = not dropout
        kept = self.statistics()
        self.model.zero_grad(set_to_none=True)
        with self.mode(training, seed):
            inputs = self.feed(self.draw(seed, size)[0], "inputs", gradients=True)
            loss = self.loss_of(self.run(inputs), seed, size)
            self.backward(loss)
        self.put(kept)
        self.without_dropout = False
        fed = leaves(inputs, "inputs", is_array)
        return {
            "loss": to_numpy(loss),
            "parameters": {n: to_numpy(self.gradient(p)) for n, p in self.arrays().items() if p.requires_grad},
            "inputs": {n: to_numpy(self.gradient(a)) for n, a in fed.items() if a.grad is not None},
        }

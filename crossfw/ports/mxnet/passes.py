"""The half of the MXNet side that computes: outputs, running statistics, loss, gradients."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Callable

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon

from crossfw.errors import CrossfwError, NoGradient
from crossfw.ports.mxnet import faults as mxnet_faults
from crossfw.ports.mxnet.arrays import is_array, to_numpy
from crossfw.ports.mxnet.carrier import Carrier
from crossfw.ports.mxnet.invoke import carried_out
from crossfw.ports.mxnet.precision import kept_wide
from crossfw.ports.mxnet.symbols import labels_of, run_by_node
from crossfw.ports.mxnet.units import walk
from crossfw.ports.nest import leaves, transform
from crossfw.ports.side import linear_weights


class Passes:
    """The part of `Side` that runs the model forwards and backwards."""

    @contextlib.contextmanager
    def mode(self, training: bool, seed: int) -> Any:
        """Training or inference, with shared random numbers; what is computed within is recorded for `backward`."""
        self.masks = self.fresh_masks(seed)
        carrier = Carrier(self.masks, self.precision, self.dtype == "float64")
        blocks = [block for _, block in walk(self.model) if isinstance(block, gluon.SymbolBlock)]
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.own_random_numbers(seed, mx.random.seed))
            if not self.as_graphs:
                stack.enter_context(run_by_node(blocks, lambda _: self.recorder and self.recorder.operator))
            stack.enter_context(carried_out(carrier))
            if self.dtype == "float64":
                stack.enter_context(kept_wide())
            stack.enter_context(autograd.record(train_mode=training))
            yield

    @property
    def has_graphs(self) -> bool:
        """Whether the user runs something as a graph."""
        symbols = any(isinstance(block, gluon.SymbolBlock) for _, block in walk(self.model))
        return symbols or any(active for _, active in self.active)

    @property
    def lacks_labels(self) -> bool:
        """Whether nobody gives the label of a loss operator in a graph."""
        return any(labels_of(block) for _, block in walk(self.model) if isinstance(block, gluon.SymbolBlock))

    @contextlib.contextmanager
    def graphs(self) -> Iterator[None]:
        """Within it graphs are run as such, by MXNet's own executor."""
        self.as_graphs = True
        for block, active in self.active:
            block._active = active
        try:
            yield
        finally:
            self.as_graphs = False
            for block, _ in self.active:
                block._active = False
                block._clear_cached_op()

    def graph_errors(self, seed: int, size: Any) -> dict:
        """See `mxnet_faults.graph_errors`."""
        return mxnet_faults.graph_errors(self, seed, size)

    def gradient_faults(self, seed: int, size: Any, training: bool) -> list[dict]:
        """See `mxnet_faults.gradient_faults`."""
        return mxnet_faults.gradient_faults(self, seed, size, training)

    def forward(self, seed: int, size: Any, training: bool, state: int = 0) -> dict:
        """Outputs by name; in training mode the running statistics after it too. Parameters are left as they were.

        `state` is another start of the random numbers that the model draws by itself.

        MXNet moves running statistics in the backward pass, so that one is run in training mode; the inputs ask for
        gradients, so that it reaches a first BatchNorm that has nothing to learn.
        """
        self.state = state
        try:
            return self.careful(lambda: self.one_forward(seed, size, training))
        except NoGradient:
            return self.one_forward(seed, size, training, backward=False)
        finally:
            self.state = 0

    def one_forward(self, seed: int, size: Any, training: bool, backward: bool = True) -> dict:
        """The outputs of one run."""
        kept = self.statistics()
        with self.mode(training, seed):
            output = self.run(self.feed(self.draw(seed, size)[0], "inputs", gradients=training))
            parts = [a for a in self.leaves(output).values() if isinstance(a, mx.nd.NDArray)]
        found = {name: to_numpy(array) for name, array in self.leaves(output).items()}
        if training and kept and backward:
            self.backward([a for a in parts if np.dtype(a.dtype).kind == "f"], training)
        moved = self.statistics() if training and backward else {}
        self.put(kept)
        return {**self.told(found, moved), "narrow": self.narrow()}

    def narrow(self) -> list[str]:
        """Operators that were computed in float32 so far, for want of a float64."""
        return sorted(self.precision.without)

    def statistics(self) -> dict[str, np.ndarray]:
        """Copies of the arrays that no gradient moves: running means and variances."""
        running = ("running_mean", "running_var", "moving_mean", "moving_var")
        return {
            name: np.array(to_numpy(p.data()))
            for name, p in self.arrays().items()
            if p.grad_req == "null" and name.endswith(running)
        }

    def loss_of(self, output: Any, seed: int, size: Any) -> Any:
        """The user's loss, or a fixed linear function of the outputs; a vector's mean."""
        function, targets = self.port.of("mxnet", "loss"), self.draw(seed, size)[1]
        if function is None:
            parts = [a for i, a in enumerate(self.leaves(output).values()) if i in self.parts]
            weights = linear_weights([tuple(a.shape) for a in parts])
            return sum((a * self.new(w, a.dtype)).sum() for a, w in zip(parts, weights))
        arguments = (output,) if targets is None else (output, self.feed(targets, "targets"))
        loss = self.call("mxnet_loss", lambda: function(*arguments))
        if not isinstance(loss, mx.nd.NDArray):
            raise self.wrong_kind(loss, "an NDArray", "mxnet_loss")
        return loss.mean() if loss.size > 1 else loss

    def loss(self, outputs: dict[str, np.ndarray], seed: int, size: Any) -> np.ndarray:
        """The loss of given outputs (in the structure that the model gives)."""
        with self.mode(False, seed):
            output = self.run(self.feed(self.draw(seed, size)[0], "inputs"))
            given = iter(outputs.values())
            fed = transform(output, "output", is_array, lambda _, a: self.new(next(given).reshape(a.shape), a.dtype))
            return self.scalar(self.loss_of(fed, seed, size))

    def scalar(self, loss: Any) -> np.ndarray:
        """A loss as a number; here the errors of the engine show."""
        return np.asarray(self.call("mxnet_loss", lambda: to_numpy(loss))).reshape(())

    def gradients(self, seed: int, size: Any, training: bool, dropout: bool = True) -> dict:
        """The loss and its gradients: of all parameters that learn, and of the inputs that are floats."""
        self.without_dropout = not dropout
        try:
            return self.careful(lambda: self.all_gradients(seed, size, training)[1])
        finally:
            self.without_dropout = False

    def careful(self, job: Callable[[], Any]) -> Any:
        """What a job gives; once more where operators turn out to have no float64 gradient."""
        try:
            return job()
        except CrossfwError:
            if self.dtype != "float64":
                raise
            self.precision.watch()
            with contextlib.suppress(CrossfwError):
                job()
            if not self.precision.probe():
                raise
            return job()

    def all_gradients(self, seed: int, size: Any, training: bool) -> tuple[dict[str, np.ndarray], dict]:
        """The outputs of one run by name, and its loss and gradients."""
        kept = self.statistics()
        learning = {name: p for name, p in self.arrays().items() if p.grad_req != "null"}
        self.set_gradients({name: np.zeros(p.shape) for name, p in learning.items()})
        with self.mode(training, seed):
            inputs = self.feed(self.draw(seed, size)[0], "inputs", gradients=True)
            output = self.run(inputs)
            loss = self.loss_of(output, seed, size)
        outputs = {name: to_numpy(array) for name, array in self.leaves(output).items()}
        self.backward([loss], training)
        self.put(kept)
        fed = leaves(inputs, "inputs", is_array)
        return outputs, {
            "loss": self.scalar(loss),
            "parameters": {name: to_numpy(p.grad()) for name, p in learning.items()},
            "inputs": {name: to_numpy(a.grad) for name, a in fed.items() if a.grad is not None},
        }

"""Recording of every call of a torch module's tree by hooks, and running one call again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Callable

import numpy as np
import torch

from crossfw.ports import record
from crossfw.ports.masks import Masks
from crossfw.ports.nest import transform
from crossfw.ports.record import Call, arrays_in, is_single
from crossfw.ports.torch.arrays import to_numpy
from crossfw.ports.torch.units import settings_of


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor."""
    return isinstance(value, torch.Tensor)


def tree(model: torch.nn.Module) -> list[dict]:
    """Path and class of every module, parents first."""
    return [{"path": path, "kind": type(module).__name__} for path, module in model.named_modules()]


def _copies(nest: Any) -> Any:
    """The nest with every tensor copied, because a later layer may work in place."""
    return transform(nest, "", is_single, lambda _, a: a.detach().clone() if is_tensor(a) else a)


def shapes(nest: Any) -> Any:
    """The nest with every tensor without its numbers."""
    return transform(nest, "", is_single, lambda _, a: a.detach().to("meta") if is_tensor(a) else a)


def digest(nest: Any) -> list[float]:
    """See `record.digest`."""
    return record.digest(nest, is_tensor, to_numpy)


@contextlib.contextmanager
def recorded(model: torch.nn.Module, masks: Any = None, keep: Callable[[Any], Any] = _copies) -> Iterator[list[Call]]:
    """Within it every call is kept, with the masks drawn before it; in the order in which calls ended.

    Args:
        keep: gives what is kept of inputs and outputs.
    """
    done: list[Call] = []
    open_calls: list[Call] = []
    begun = 0
    handles = []

    def begin(path: str) -> Any:
        def hook(module: torch.nn.Module, inputs: tuple, keywords: dict) -> None:
            nonlocal begun
            call = Call(path, type(module).__name__, begun, len(open_calls), module, keep(inputs))
            call.keywords, call.drawn = keep(keywords), list(masks.calls) if masks is not None else []
            open_calls.append(call)
            begun += 1

        return hook

    def end(module: torch.nn.Module, inputs: tuple, output: Any) -> None:
        call = open_calls.pop()
        call.output = keep(output)
        call.number = len(done)
        done.append(call)

    for path, module in model.named_modules():
        handles.append(module.register_forward_pre_hook(begin(path), with_kwargs=True))
        handles.append(module.register_forward_hook(end))
    try:
        yield done
    finally:
        for handle in handles:
            handle.remove()


def listing(calls: list[Call]) -> list[dict]:
    """What can be told of calls without their arrays."""
    return record.listing(calls, settings_of, is_tensor)


def again(call: Call, inputs: list[np.ndarray], dtype: torch.dtype, masks: Masks) -> list[np.ndarray]:
    """The outputs of a call's module with given arrays in place of its tensors, under the masks of the recorded run."""
    masks.calls[:] = call.drawn
    given = iter(inputs)

    def change(_: str, value: Any) -> Any:
        if not is_tensor(value):
            return value
        new = torch.tensor(next(given))
        return (new.to(dtype) if value.is_floating_point() else new.to(value.dtype)).reshape(value.shape)

    positional = transform(call.inputs, "inputs", is_single, change)
    keywords = transform(call.keywords, "inputs", is_single, change)
    output = call.module(*positional, **keywords)
    return [to_numpy(a) for a in arrays_in(output, is_tensor)]


class Recording:
    """The methods of a side that run its model call by call."""

    def record(self, seed: int, size: Any, training: bool) -> list[dict]:
        """Every call of a module in one run: its path, class and the shapes; the arrays stay here."""
        kept = self.statistics()
        with torch.no_grad(), self.mode(training, seed), recorded(self.model, self.masks) as calls:
            self.run(self.feed(self.draw(seed, size)[0], "inputs"))
        self.put(kept)
        self.calls = calls
        return listing(calls)

    def layer_inputs(self, seed: int, size: Any) -> dict[str, list]:
        """Digests of what every layer is given in one run: a list of its calls, by its path."""
        with torch.no_grad(), self.mode(False, seed), recorded(self.model, keep=digest) as calls:
            self.run(self.feed(self.draw(seed, size)[0], "inputs"))
        return record.inputs_by_path(calls)

    def call_arrays(self, numbers: list[int]) -> list[dict]:
        """Inputs and outputs of recorded calls."""
        return [record.contents(self.calls[number], is_tensor, to_numpy) for number in numbers]

    def run_call(self, number: int, inputs: list[np.ndarray], training: bool, seed: int) -> list[np.ndarray]:
        """The outputs of a recorded call that is made again, with other numbers in place of its inputs."""
        kept = self.statistics()
        with torch.no_grad(), self.mode(training, seed):
            call = self.calls[number]
            found = self.call(call.path, lambda: again(call, inputs, self.dtype, self.masks))
        self.put(kept)
        return found

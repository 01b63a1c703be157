"""Recording of every call of a torch module's tree by hooks, and running one call again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from crossfw.ports.nest import leaves, transform
from crossfw.ports.record import Call


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor."""
    return isinstance(value, torch.Tensor)


def tree(model: torch.nn.Module) -> list[dict]:
    """Path and class of every module, parents first."""
    return [{"path": path, "kind": type(module).__name__} for path, module in model.named_modules()]


@contextlib.contextmanager
def recorded(model: torch.nn.Module) -> Iterator[list[Call]]:
    """Within it every call is kept; the list is in the order in which calls ended."""
    done: list[Call] = []
    open_calls: list[Call] = []
    begun = 0
    handles = []

    def begin(path: str) -> Any:
        def hook(module: torch.nn.Module, inputs: tuple, keywords: dict) -> None:
            nonlocal begun
            call = Call(path, type(module).__name__, begun, len(open_calls), module, _copies(inputs))
            call.keywords = _copies(keywords)
            open_calls.append(call)
            begun += 1

        return hook

    def end(module: torch.nn.Module, inputs: tuple, output: Any) -> None:
        call = open_calls.pop()
        call.output = _copies(output)
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


def _is_single(value: Any) -> bool:
    """Whether a value is no tuple, list or dict: calls pass flags and numbers too."""
    return not isinstance(value, (tuple, list, dict))


def _copies(nest: Any) -> Any:
    """The nest with every tensor copied, because a later layer may work in place."""
    return transform(nest, "", _is_single, lambda _, a: a.detach().clone() if is_tensor(a) else a)


def listing(calls: list[Call]) -> list[dict]:
    """What can be told of calls without their arrays."""
    return [
        {
            "path": call.path,
            "kind": call.kind,
            "number": call.number,
            "start": call.start,
            "depth": call.depth,
            "inputs": [list(a.shape) for a in _tensors((call.inputs, call.keywords)).values()],
            "outputs": [list(a.shape) for a in _tensors(call.output).values()],
        }
        for call in calls
    ]


def _tensors(nest: Any) -> dict[str, torch.Tensor]:
    return {name: value for name, value in leaves(nest, "", _is_single).items() if is_tensor(value)}


def arrays(call: Call) -> dict:
    """Inputs and outputs of a call as lists of NumPy arrays."""
    return {
        "inputs": [a.detach().cpu().numpy() for a in _tensors((call.inputs, call.keywords)).values()],
        "outputs": [a.cpu().numpy() for a in _tensors(call.output).values()],
    }


def again(call: Call, inputs: list[np.ndarray], dtype: torch.dtype) -> dict[str, np.ndarray]:
    """The outputs of a call's module with given arrays in place of its tensors."""
    given = iter(inputs)

    def change(_: str, value: Any) -> Any:
        if not is_tensor(value):
            return value
        new = torch.tensor(next(given))
        return (new.to(dtype) if value.is_floating_point() else new.to(value.dtype)).reshape(value.shape)

    positional = transform(call.inputs, "inputs", _is_single, change)
    keywords = transform(call.keywords, "inputs", _is_single, change)
    output = call.module(*positional, **keywords)
    return {name: a.numpy() for name, a in _tensors(output).items()}

"""Parts of a model that back-propagate by hand, between those that MXNet's autograd records.

`mxnet.autograd.Function` is made for this and is not used: MXNet runs its Python in a thread of its own, and stands
still for ever when gradients are changed in place right after `backward()`. Here the parts are called one after the
other by whoever calls `back_propagate`: MXNet's own tape ends at the outputs of a part, which are given to it as arrays
that need a gradient, and begins anew at the inputs of the part.
"""

from __future__ import annotations

from typing import Callable

from mxnet import autograd, nd

_parts: list[Callable[[], None]] = []  # since the last `start`, as MXNet's own tape one for the process


def start() -> None:
    """Forget parts that were recorded and never asked for their gradients."""
    _parts.clear()


def record(backward: Callable[[], tuple[list, list]], outputs: list[nd.NDArray]) -> None:
    """Note a part whose outputs were computed without a graph.

    Args:
        backward: called when all gradients of the outputs are known (`.grad`, added up); sets the gradients of what it
            owns, and returns recorded arrays that it was computed from, with their gradients.
    """
    for output in outputs:
        output.attach_grad("add")
    _parts.append(backward)


def back_propagate(loss: nd.NDArray) -> None:
    """The gradients of everything that the loss depends on, through recorded operations and parts by hand."""
    loss.backward()
    while _parts:
        heads, gradients = _parts.pop()()
        autograd.backward(heads, gradients)

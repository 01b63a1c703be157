"""Parts of a model that back-propagate by hand, between those that MXNet's autograd records.

`mxnet.autograd.Function` is made for this and is not used: MXNet runs its Python in a thread of its own, and stands
still for ever when gradients are changed in place right after `backward()`. Here the parts are called one after the
other by whoever calls `back_propagate`: MXNet's own tape ends at the outputs of a part, which are given to it as arrays
that need a gradient, and begins anew at the inputs of the part.
"""

from __future__ import annotations

from typing import Callable

from mxnet import autograd, nd

Backward = Callable[[list[nd.NDArray]], tuple[list[nd.NDArray], list[nd.NDArray]]]


class Part:
    """Outputs that were computed without a graph, and the sums of their gradients.

    MXNet is asked to write gradients, not to add them to zeros, which takes three times as long for a layer's hidden
    states; those that more than one call of its `backward` finds are added up here.
    """

    def __init__(self, backward: Backward, outputs: list[nd.NDArray]):
        self.backward, self.outputs = backward, outputs
        self.sums: list[nd.NDArray | None] = [None] * len(outputs)
        for output in outputs:
            autograd.mark_variables(output, nd.empty(output.shape, output.context, output.dtype), "write")

    def add_up(self) -> None:
        """Take what MXNet has written into the sums, before it writes there again."""
        for i, output in enumerate(self.outputs):
            if output._fresh_grad:
                self.sums[i] = output.grad.copy() if self.sums[i] is None else self.sums[i] + output.grad
                output._fresh_grad = False

    def gradients(self) -> list[nd.NDArray]:
        """Those of all outputs, when no more will come; zeros where nothing came."""
        found = []
        for output, total in zip(self.outputs, self.sums):
            if output._fresh_grad:
                total = output.grad if total is None else total + output.grad
            found.append(nd.zeros_like(output) if total is None else total)
        return found


_parts: list[Part] = []  # since the last `start`, as MXNet's own tape one for the process


def start() -> None:
    """Forget parts that were recorded and never asked for their gradients."""
    _parts.clear()


def record(backward: Backward, outputs: list[nd.NDArray]) -> None:
    """Note a part whose outputs were computed without a graph.

    Args:
        backward: called with the gradients of the outputs when all are known; sets the gradients of what it owns, and
            returns recorded arrays that it was computed from, with their gradients.
    """
    _parts.append(Part(backward, outputs))


def back_propagate(loss: nd.NDArray) -> None:
    """The gradients of everything that the loss depends on, through recorded operations and parts by hand."""
    loss.backward()
    while _parts:
        part = _parts.pop()
        for earlier in _parts:
            earlier.add_up()
        autograd.backward(*part.backward(part.gradients()))

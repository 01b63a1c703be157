"""Recording of every call of a Gluon block's tree by hooks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from mxnet import gluon, nd
from mxnet.gluon import nn

from crossfw.ports import record
from crossfw.ports.mxnet_arrays import to_numpy
from crossfw.ports.mxnet_operators import Operator, operator_calls
from crossfw.ports.mxnet_units import settings_of, walk
from crossfw.ports.nest import leaves
from crossfw.ports.record import Call
from crossfw.ports.side import is_numpy


def is_ndarray(value: Any) -> bool:
    """Whether a value is one of the framework's arrays; those of NumPy's interface are derived from NDArray."""
    return isinstance(value, nd.NDArray)


def tree(model: gluon.Block) -> list[dict]:
    """Path and class of every block, parents first."""
    return [{"path": path, "kind": type(block).__name__} for path, block in walk(model)]


@contextlib.contextmanager
def recorded(model: gluon.Block) -> Iterator[list[Call]]:
    """Within it every call is kept, of a SymbolBlock its operators too; in the order in which calls ended."""
    done: list[Call] = []
    open_calls: list[Call] = []
    begun = 0
    handles, seen = [], set()

    def begin(path: str) -> Any:
        def hook(block: gluon.Block, inputs: tuple) -> None:
            nonlocal begun
            open_calls.append(Call(path, type(block).__name__, begun, len(open_calls), block, inputs))
            begun += 1

        return hook

    def end(block: gluon.Block, inputs: tuple, output: Any) -> None:
        nonlocal begun
        call = open_calls.pop()
        if isinstance(block, gluon.SymbolBlock):
            inside = operator_calls(block, call.path, inputs, call, len(done))
            done.extend(inside)
            begun += len(inside)
        call.output = output
        call.number = len(done)
        done.append(call)

    for path, block in walk(model):
        if id(block) not in seen:
            seen.add(id(block))
            handles.append(block.register_forward_pre_hook(begin(path)))
            handles.append(block.register_forward_hook(end))
    try:
        yield done
    finally:
        for handle in handles:
            handle.detach()


def listing(calls: list[Call]) -> list[dict]:
    """What can be told of calls without their arrays."""

    def settings(layer: Any) -> dict:
        return layer.settings if isinstance(layer, Operator) else settings_of(layer)

    return record.listing(calls, settings, is_ndarray)


class Recording:
    """The methods of a side that run its model call by call."""

    def record(self, seed: int, size: Any, training: bool) -> list[dict]:
        """Every call of a block in one run: its path, class and the shapes; the arrays stay here."""
        kept = self.statistics()
        with self.mode(training, seed), recorded(self.model) as calls:
            self.run(self.feed(self.draw(seed, size)[0], "inputs"))
        self.load(kept)
        self.calls = calls
        return listing(calls)

    def call_arrays(self, numbers: list[int]) -> list[dict]:
        """Inputs and outputs of recorded calls."""
        return [record.contents(self.calls[number], is_ndarray, to_numpy) for number in numbers]

    def looked_up(self, seed: int, size: Any) -> dict[str, list[str]]:
        """The integer inputs by name, each with the paths of the embeddings that take it, its axes in any order."""
        drawn = leaves(self.draw(seed, size)[0], "inputs", is_numpy)
        integers = {name: np.sort(array, None) for name, array in drawn.items() if array.dtype.kind in "iu"}
        with self.mode(False, seed), recorded(self.model) as calls:
            self.run(self.feed(self.draw(seed, size)[0], "inputs"))
        lookups = [c for c in calls if isinstance(c.module, nn.Embedding) or c.kind == "Embedding" and c.inputs]
        taken = [(c.path, np.sort(c.inputs[0].asnumpy(), None)) for c in lookups]
        return {
            name: [path for path, given in taken if np.array_equal(given, value)] for name, value in integers.items()
        }

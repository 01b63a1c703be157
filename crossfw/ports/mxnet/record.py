"""Recording of every call of a Gluon block's tree by hooks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Callable

import numpy as np
from mxnet import gluon, nd
from mxnet.gluon import nn

from crossfw.ports import record
from crossfw.ports.mxnet.arrays import to_numpy
from crossfw.ports.mxnet.graph import Node
from crossfw.ports.mxnet.invoke import Invocation, watched
from crossfw.ports.mxnet.symbols import settings_of_node
from crossfw.ports.mxnet.units import PLAIN, settings_of, walk
from crossfw.ports.nest import leaves
from crossfw.ports.record import Call
from crossfw.ports.side import is_numpy


def is_ndarray(value: Any) -> bool:
    """Whether a value is one of the framework's arrays; those of NumPy's interface are derived from NDArray."""
    return isinstance(value, nd.NDArray)


def tree(model: gluon.Block) -> list[dict]:
    """Path and class of every block, parents first."""
    return [{"path": path, "kind": type(block).__name__} for path, block in walk(model)]


class Recorder:
    """Keeps every call, of a SymbolBlock its operators too; in the order in which calls ended.

    Args:
        keep: gives what is kept of inputs and outputs.
    """

    def __init__(self, keep: Callable[[Any], Any]):
        self.keep = keep
        self.done: list[Call] = []
        self._open: list[Call] = []
        self._begun = 0

    @property
    def path(self) -> str:
        """Of the innermost block that runs."""
        return self._open[-1].path if self._open else ""

    def begin(self, path: str, layer: Any, inputs: tuple) -> None:
        """A call of a block or of a graph's operator begins."""
        kind = layer.op if isinstance(layer, Node) else type(layer).__name__
        self._open.append(Call(path, kind, self._begun, len(self._open), layer, self.keep(inputs)))
        self._begun += 1

    def end(self, output: Any) -> None:
        """The innermost one ends."""
        call = self._open.pop()
        call.output, call.number = self.keep(output), len(self.done)
        self.done.append(call)

    def operator(self, node: Node, inputs: list, outputs: list) -> None:
        """An operator of the graph of the innermost block ran."""
        path = self._open[-1].path
        self.begin(f"{path}.{node.name}" if path else node.name, node, tuple(inputs))
        self.end(tuple(outputs))


def whole(nest: Any) -> Any:
    """The nest as it is."""
    return nest


def digest(nest: Any) -> list[float]:
    """See `record.digest`."""
    return record.digest(nest, is_ndarray, to_numpy)


@contextlib.contextmanager
def recorded(model: gluon.Block, keep: Callable[[Any], Any] = whole) -> Iterator[Recorder]:
    """Within it every call of the model's blocks is kept."""
    recorder = Recorder(keep)
    handles, seen = [], set()

    def begin(path: str) -> Any:
        return lambda block, inputs: recorder.begin(path, block, inputs)

    for path, block in walk(model):
        if id(block) not in seen:
            seen.add(id(block))
            handles.append(block.register_forward_pre_hook(begin(path)))
            handles.append(block.register_forward_hook(lambda _, inputs, output: recorder.end(output)))
    try:
        yield recorder
    finally:
        for handle in handles:
            handle.detach()


def listing(calls: list[Call]) -> list[dict]:
    """What can be told of calls without their arrays."""

    def settings(layer: Any) -> dict:
        return settings_of_node(layer) if isinstance(layer, Node) else settings_of(layer)

    return record.listing(calls, settings, is_ndarray)


class Recording:
    """The methods of a side that run its model call by call."""

    def record(self, seed: int, size: Any, training: bool) -> list[dict]:
        """Every call of a block in one run: its path, class and the shapes; the arrays stay here."""
        kept = self.statistics()
        self.calls = self.recorded_run(seed, size, training)
        self.put(kept)
        return listing(self.calls)

    def layer_inputs(self, seed: int, size: Any) -> dict[str, list]:
        """Digests of what every layer is given in one run: a list of its calls, by its path."""
        return record.inputs_by_path(self.recorded_run(seed, size, False, digest))

    def recorded_run(self, seed: int, size: Any, training: bool, keep: Callable[[Any], Any] = whole) -> list[Call]:
        """The calls of one run."""
        with self.mode(training, seed), recorded(self.model, keep) as recorder:
            self.recorder = recorder
            try:
                self.last_output = self.run(self.feed(self.draw(seed, size)[0], "inputs"))
            finally:
                self.recorder = None
        return recorder.done

    def functions(self, seed: int, size: Any, training: bool) -> list[dict]:
        """Which operators a run calls, each once: name, path of the block, plain settings."""
        found: dict[tuple, dict] = {}

        def see(call: Invocation) -> None:
            settings = {name: call.attribute(name, None) for name in call.attributes}
            plain = {n: list(v) if isinstance(v, tuple) else v for n, v in settings.items() if isinstance(v, PLAIN)}
            key = call.name, recorder.path, repr(sorted(plain.items()))
            found.setdefault(key, {"name": call.name, "path": recorder.path, "settings": plain})

        kept = self.statistics()
        with self.mode(training, seed), recorded(self.model) as recorder, watched(see):
            self.run(self.feed(self.draw(seed, size)[0], "inputs"))
        self.put(kept)
        return list(found.values())

    def call_arrays(self, numbers: list[int]) -> list[dict]:
        """Inputs and outputs of recorded calls."""
        return [record.contents(self.calls[number], is_ndarray, to_numpy) for number in numbers]

    def looked_up(self, seed: int, size: Any) -> dict[str, list[str]]:
        """The integer inputs by name, each with the paths of the embeddings that take it, its axes in any order."""
        drawn = leaves(self.draw(seed, size)[0], "inputs", is_numpy)
        integers = {name: np.sort(array, None) for name, array in drawn.items() if array.dtype.kind in "iu"}
        calls = self.recorded_run(seed, size, training=False)
        lookups = [c for c in calls if isinstance(c.module, nn.Embedding) or c.kind == "Embedding" and c.inputs]
        taken = [(c.path, np.sort(c.inputs[0].asnumpy(), None)) for c in lookups]
        return {
            name: [path for path, given in taken if np.array_equal(given, value)] for name, value in integers.items()
        }

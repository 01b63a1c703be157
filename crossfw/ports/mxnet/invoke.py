"""The one place through which MXNet runs operators at once: of layers, of arrays' methods, of graphs read node by node.

Every generated function of `mx.nd`, `mx.np` and `mx.npx` ends in `_imperative_invoke` of `mxnet.ndarray.register`.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Callable

import mxnet as mx
from mxnet.base import _LIB, OpHandle, check_call, py_str
from mxnet.ndarray import register

_names: dict[int, str] = {}
_handles: dict[str, int] = {}


@dataclass(frozen=True)
class Invocation:
    """An operator that is about to run.

    Attributes:
        name: MXNet's first name of the operator, the same for all its aliases.
        inputs: its arrays. attributes: by name, as given: values, or the texts of a graph.
        numpy: whether it gives arrays of NumPy's interface. many: whether it gives a list.
        run: carries it out with other inputs and attributes.
    """

    name: str
    inputs: list
    attributes: dict[str, Any]
    numpy: bool
    many: bool
    run: Callable[[list, dict], Any]

    def plain(self) -> Any:
        """What the operator itself gives."""
        return self.run(self.inputs, self.attributes)

    def attribute(self, name: str, default: Any) -> Any:
        """An attribute as a plain value."""
        value = self.attributes.get(name, default)
        return as_plain(value) if isinstance(value, str) else value

    def given(self, **attributes: Any) -> Invocation:
        """The same with other attributes."""
        return replace(self, attributes={**self.attributes, **attributes})

    def one(self, array: Any) -> Any:
        """An array in the form in which the operator gives its outputs."""
        return [array] if self.many else array

    def array(self, value: Any, dtype: Any) -> Any:
        """An array of the operator's interface."""
        return (mx.np.array if self.numpy else mx.nd.array)(value, dtype=dtype)


Carrier = Callable[[Invocation], Any]


@contextlib.contextmanager
def carried_out(by: Carrier) -> Iterator[None]:
    """Within it `by` gives what operators give; those that write into a given array are left alone."""
    own = register._imperative_invoke

    def invoke(handle: int, inputs: list, keys: list, values: list, out: Any, numpy: bool, many: bool) -> Any:
        if out is not None:
            return own(handle, inputs, keys, values, out, numpy, many)

        def run(arrays: list, attributes: dict) -> Any:
            return own(handle, arrays, list(attributes), list(attributes.values()), None, numpy, many)

        return by(Invocation(name_of(handle), list(inputs), dict(zip(keys, values)), numpy, many, run))

    register._imperative_invoke = invoke
    try:
        yield
    finally:
        register._imperative_invoke = own


@contextlib.contextmanager
def watched(see: Callable[[Invocation], Any]) -> Iterator[None]:
    """Within it every operator is shown before it runs as it would."""

    def shown(call: Invocation) -> Any:
        see(call)
        return call.plain()

    with carried_out(shown):
        yield


def invoke_by_name(name: str, inputs: list, attributes: dict, numpy: bool) -> list:
    """The outputs of an operator that a graph names."""
    return register._imperative_invoke(
        handle_of(name), inputs, list(attributes), list(attributes.values()), None, numpy, True
    )


def name_of(handle: int) -> str:
    """An operator's first name."""
    if handle not in _names:
        found = ctypes.c_char_p()
        check_call(_LIB.MXSymbolGetAtomicSymbolName(ctypes.c_void_p(handle), ctypes.byref(found)))
        _names[handle] = py_str(found.value)
    return _names[handle]


def handle_of(name: str) -> int:
    """The handle of an operator."""
    if name not in _handles:
        handle = OpHandle()
        check_call(_LIB.NNGetOpHandle(name.encode(), ctypes.byref(handle)))
        _handles[name] = handle.value
    return _handles[name]


def as_plain(text: str) -> Any:
    """The value that a graph's text stands for; the text itself where it is a word."""
    words = {"True": "true", "False": "false", "None": "null", "(": "[", ")": "]", ",]": "]"}
    for word, other in words.items():
        text = text.replace(word, other)
    try:
        return json.loads(text)
    except ValueError:
        return text

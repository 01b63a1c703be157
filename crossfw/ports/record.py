"""A run of a model, call by call: which module was called when, within which other, with what; told to the parent."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Callable

import numpy as np

from crossfw.ports.nest import leaves


@dataclass
class Call:
    """One call of a module.

    Attributes:
        path, kind: of the module; kind is its class.
        number: calls in the order in which they ended.
        start: its place in the order in which calls began.
        depth: how many calls it stood in.
        inputs, output: what went in and came out, as the framework's nests.
        module: the module itself.
        drawn: the dropout masks (shape, rate) that were drawn before it.
    """

    path: str
    kind: str
    start: int
    depth: int
    module: Any
    inputs: Any = None
    output: Any = None
    number: int = -1
    keywords: dict = field(default_factory=dict)
    drawn: list = field(default_factory=list)


def is_single(value: Any) -> bool:
    """Whether a value is no tuple, list or dict: calls pass flags and numbers too."""
    return not isinstance(value, (tuple, list, dict))


def arrays_in(nest: Any, is_array: Callable[[Any], bool]) -> list:
    """The framework's arrays in a nest, in their order."""
    return [value for value in leaves(nest, "", is_single).values() if is_array(value)]


def digest(nest: Any, is_array: Callable[[Any], bool], to_numpy: Callable[[Any], np.ndarray]) -> list[float]:
    """What the first array in a nest holds, whatever the order of its axes: size, sums of x^2 and x, and extremes."""
    first = next(iter(arrays_in(nest, is_array)), None)
    if first is None or 0 in first.shape:
        return [0.0]
    flat = np.asarray(to_numpy(first)).astype(np.float64, copy=False).reshape(-1)
    return [float(found) for found in (flat.size, flat @ flat, flat.sum(), flat.max(), flat.min())]


def listing(calls: list[Call], settings_of: Callable[[Any], dict], is_array: Callable[[Any], bool]) -> list[dict]:
    """What can be told of calls without their arrays."""
    return [
        {
            "path": call.path,
            "kind": call.kind,
            "number": call.number,
            "start": call.start,
            "depth": call.depth,
            "settings": settings_of(call.module),
            "inputs": [list(a.shape) for a in arrays_in((call.inputs, call.keywords), is_array)],
            "outputs": [list(a.shape) for a in arrays_in(call.output, is_array)],
        }
        for call in calls
    ]


def inputs_by_path(calls: list[Call]) -> dict[str, list]:
    """What was kept of the inputs of every module, call by call, by its path."""
    found: dict[str, list] = {}
    for call in sorted(calls, key=lambda call: call.start):
        found.setdefault(call.path, []).append(call.inputs)
    return found


def contents(call: Call, is_array: Callable[[Any], bool], to_numpy: Callable[[Any], np.ndarray]) -> dict:
    """Inputs and outputs of a call as lists of NumPy arrays."""
    return {
        "inputs": [to_numpy(a) for a in arrays_in((call.inputs, call.keywords), is_array)],
        "outputs": [to_numpy(a) for a in arrays_in(call.output, is_array)],
    }


def bytes_held(units: list[dict], listing: list[dict]) -> int:
    """Bytes of all parameters and of what all calls gave, in float64."""
    shapes = [slot["shape"] for unit in units for slot in unit["slots"]]
    shapes += [shape for call in listing for shape in call["outputs"]]
    return 8 * sum(math.prod(shape) for shape in shapes)


def positions(listing: list[dict]) -> int:
    """Terms of the longest sum over a batch: the most places at which one channel stands in any output."""
    found = [1]
    for call in listing:
        for shape in call["outputs"]:
            size = 1
            for length in shape:
                size *= length
            channels = shape[1] if len(shape) > 3 else shape[-1] if shape else 1
            found.append(size // max(channels, 1))
    return max(found)

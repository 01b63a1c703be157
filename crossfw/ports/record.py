"""A run of a model, call by call: which module was called when, within which other, with what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


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

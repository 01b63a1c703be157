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

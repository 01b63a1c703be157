"""What the two sides of a pair share: drawn inputs, arguments, and errors that name the user's line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Callable

import numpy as np

from crossfw.errors import CrossfwError
from crossfw.ports.covering import covering
from crossfw.ports.masks import Masks
from crossfw.ports.nest import transform
from crossfw.ports.portfile import Port, call_user

LINEAR_STREAM = 17


def linear_weights(shapes: list) -> list[np.ndarray]:
    """Fixed numbers for a linear function of the outputs, where the user gave no loss: N(0, 1) / size."""
    return [
        np.random.default_rng([LINEAR_STREAM, i]).standard_normal(shape) / max(1, int(np.prod(shape)))
        for i, shape in enumerate(shapes)
    ]


def is_numpy(value: Any) -> bool:
    """Whether a value is an array of NumPy: drawn inputs hold no others."""
    return isinstance(value, np.ndarray)


class PlainSide:
    """The half of a side that needs no framework.

    Args:
        port: the user's functions.
    """

    framework = ""
    DEFAULT_RATE = 0.125  # of SGD, where the user gave no optimizer; held exactly in every dtype

    def __init__(self, port: Port):
        self.port, self.masks = port, Masks(0)
        self._drawn: dict = {}
        self._covered: tuple[int, dict[str, int]] = (-1, {})

    def call(self, what: str, function: Callable, *arguments: Any) -> Any:
        """The result of a user's code.

        Raises:
            CrossfwError: it raised; with the line in the user's file.
        """
        return call_user(self.port.origin, what, function, *arguments)

    def draw(self, seed: int, size: Any) -> tuple:
        """(inputs, targets) as NumPy nests."""
        key = (seed, size)
        if key not in self._drawn:
            inputs, targets = self.port.draw(seed, size)
            if seed == self._covered[0]:
                inputs = transform(inputs, "inputs", is_numpy, self._cover)
            self._drawn = {key: (inputs, targets)}
        return self._drawn[key]

    def cover(self, seed: int, rows: dict[str, int]) -> None:
        """From now on draw some integer inputs, under one seed, over all rows of the tables that they point into.

        Args:
            rows: how many, by the input's name.
        """
        self._covered, self._drawn = (seed, rows), {}

    def _cover(self, name: str, array: np.ndarray) -> np.ndarray:
        rows = self._covered[1].get(name)
        return array if rows is None else covering(array.shape, rows, self._covered[0]).astype(array.dtype)

    def arguments(self, inputs: Any) -> tuple:
        """The positional arguments of the model: the items of a tuple, list or dict, or the one array."""
        if isinstance(inputs, dict):
            return tuple(inputs.values())
        return tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)

    @contextlib.contextmanager
    def without_recurrent_dropout(self, layers: list, name: str) -> Iterator[None]:
        """Fused recurrent layers draw their own masks: their dropout, the attribute `name`, is switched off."""
        rates = [(layer, getattr(layer, name)) for layer in layers if getattr(layer, name)]
        for layer, rate in rates:
            setattr(layer, name, type(rate)(0))
        try:
            yield
        finally:
            for layer, rate in rates:
                setattr(layer, name, rate)
        if rates:
            self.masks.note("dropout inside recurrent layers is switched off, its rates are compared")

    def told(self, outputs: dict[str, np.ndarray], statistics: dict[str, np.ndarray]) -> dict:
        """What `forward` tells: both, the dropout masks that were drawn, and remarks."""
        return {
            "outputs": outputs,
            "statistics": statistics,
            "dropout": self.masks.calls,
            "notes": self.masks.notes,
        }

    def wrong_kind(self, value: Any, wanted: str, what: str = "") -> CrossfwError:
        """The error for a user's function that gives something else than it should."""
        what = what or f"{self.framework}_model()"
        found = f"it gave {'nothing' if value is None else f'a {type(value).__module__}.{type(value).__qualname__}'}"
        return CrossfwError(f"{what} of {self.port.origin}", found, f"return {wanted}")

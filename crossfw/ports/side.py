"""What the two sides of a pair share: drawn inputs, arguments, and errors that name the user's line."""

from __future__ import annotations

import contextlib
import random
import traceback
from collections.abc import Iterator
from typing import Any, Callable

import numpy as np

from crossfw.errors import CrossfwError
from crossfw.ports.covering import covering
from crossfw.ports.masks import Masks
from crossfw.ports.nest import leaves, transform
from crossfw.ports.portfile import Port
from crossfw.ports.record import is_single
from crossfw.ports.user_errors import user_error

LINEAR_STREAM = 17
SHAKE_STREAM = 37
OUTPUTS = "let the model return arrays, alone or in tuples, lists and dicts"


def linear_weights(shapes: list) -> list[np.ndarray]:
    """Fixed numbers for a linear function of the outputs, where the user gave no loss: N(0, 1) / size."""
    return [
        np.random.default_rng([LINEAR_STREAM, i]).standard_normal(shape) / max(1, int(np.prod(shape)))
        for i, shape in enumerate(shapes)
    ]


def is_numpy(value: Any) -> bool:
    """Whether a value is an array of NumPy: drawn inputs hold no others."""
    return isinstance(value, np.ndarray)


def dtype_name(dtype: Any) -> str:
    """What either framework or NumPy calls a dtype, without the module."""
    return getattr(dtype, "__name__", str(dtype)).rpartition(".")[2]


def whole(array: np.ndarray) -> bool:
    """Whether all of an array are whole numbers."""
    return bool((array == np.round(array)).all())


def has_signs(array: np.ndarray) -> bool:
    """Whether numbers lie on both sides of zero.

    Those of one sign may be coordinates or probabilities, which have a range: beyond it MXNet's operators read what is
    not theirs.
    """
    return bool(array.min(initial=0.0) < 0 < array.max(initial=0.0))


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
        self.state = 0  # of what the model draws by itself
        self.times = 1.0
        self.without_dropout, self.drops = False, True
        self.shake: int | None = None  # inputs are moved by a unit in the last place where it is set: a seed
        self.parts: list[int] = []  # numbers of the outputs that a loss is made of where the user gave none

    def call(self, what: str, function: Callable, *arguments: Any, remedy: str = "") -> Any:
        """The result of a user's code.

        Raises:
            CrossfwError: it raised; with the line in the user's file.
        """
        return self.port.call(what, function, *arguments, remedy=remedy)

    def settle(self, parts: list[int]) -> None:
        """Which outputs are real numbers on both sides: a loss is made of them where the user gave none."""
        self.parts = parts

    def scale(self, times: float) -> None:
        """Give the model so many times its inputs from now on."""
        self.times = times

    def given(self, name: str, array: np.ndarray) -> np.ndarray:
        """Inputs as the model gets them: scaled, and moved where that is asked for.

        Whole numbers may be indices or lengths, and stay.
        """
        if name != "inputs" or whole(array):
            return array
        array = array * (self.times if has_signs(array) else 1.0)
        if self.shake is None:
            return array
        eps, rng = np.finfo(self.dtype_name).eps, np.random.default_rng([self.shake, SHAKE_STREAM])
        return array + eps * float(np.abs(array).max()) * rng.choice([-1.0, 1.0], array.shape)

    def scalable(self, seed: int, size: Any) -> bool:
        """Whether some of the inputs are scaled where that is asked for."""
        arrays = [np.asarray(a) for a in leaves(self.draw(seed, size)[0], "inputs", is_numpy).values()]
        return any(a.dtype.kind == "f" and not whole(a) and has_signs(a) for a in arrays)

    @property
    def dtype_name(self) -> str:
        """Of the dtype under test."""
        return str(self.dtype).removeprefix("torch.")

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

    def fresh_masks(self, seed: int) -> Masks:
        """The random numbers of a run; dropout follows values, which float32 does not tell exactly enough."""
        return Masks(seed, on=self.dtype_name == "float64" and not self.without_dropout and self.drops)

    def drop(self, on: bool) -> None:
        """Whether dropout drops anything from now on."""
        self.drops = on

    @contextlib.contextmanager
    def own_random_numbers(self, seed: int, seed_framework: Callable[[int], Any]) -> Iterator[None]:
        """Within it what a model draws by itself starts from the run's seed; `state` makes another start."""
        kept = np.random.get_state(), random.getstate()
        for each in (seed_framework, np.random.seed, random.seed):
            each(seed + 1000 * self.state)
        try:
            yield
        finally:
            np.random.set_state(kept[0])
            random.setstate(kept[1])

    def told(self, outputs: dict[str, np.ndarray], statistics: dict[str, np.ndarray]) -> dict:
        """What `forward` tells: both, the dropout masks that were drawn, and remarks."""
        return {
            "outputs": outputs,
            "statistics": statistics,
            "dropout": self.masks.calls,
            "drawn": self.masks.drawn,
            "notes": self.masks.notes,
        }

    def call_model(self, name: str, arguments: tuple, forward: Callable) -> Any:
        """What the model's forward gives.

        Raises:
            CrossfwError: it raised; with what it was called with.
        """
        given = [one for one in leaves(arguments, "inputs", is_single).values() if hasattr(one, "dtype")]
        told = ", ".join(f"{tuple(one.shape)} {dtype_name(one.dtype)}" for one in given) or "nothing"
        where = self.port.line_of("inputs")
        remedy = f"let inputs{f' ({where})' if where else ''} give what the model takes, or mend the model"
        try:
            return forward()
        except CrossfwError:
            raise
        except Exception as error:
            owner = getattr(error, "obj", None)  # of a missing attribute
            slip = isinstance(error, (NameError, ImportError)) or any(owner is layer for _, layer in self.layers())
            remedy = "" if slip else f"{remedy}; it was called with {told}"
            layer, what = self.layer_of(error), f"the {name} model's forward"
            raise user_error(self.port.origin, what, error, remedy=remedy, layer=layer) from error

    def layer_of(self, error: BaseException) -> str:
        """Class and path of the innermost layer that an exception passed through; empty for the model itself."""
        layers = {id(layer): (path, layer) for path, layer in self.layers() if path}
        frames = [frame.f_locals.get("self") for frame, _ in traceback.walk_tb(error.__traceback__)]
        inside = [layers[id(one)] for one in frames if id(one) in layers]
        return f"{type(inside[-1][1]).__name__} {inside[-1][0]}" if inside else ""

    def require_function(self, function: Any, kind: type) -> None:
        """Raise CrossfwError where a model stands in the place of the function that makes it."""
        if isinstance(function, kind):
            asked = f"{self.framework}_model of {self.port.origin}"
            raise CrossfwError(asked, "it is a model, no function", f"def {self.framework}_model(): return the model")

    def wrong_kind(self, value: Any, wanted: str, what: str = "") -> CrossfwError:
        """The error for a user's function that gives something else than it should."""
        what = what or f"{self.framework}_model()"
        kind = value if isinstance(value, type) else type(value)
        name = f"{kind.__module__}.{kind.__qualname__}"
        found = "nothing" if value is None else f"the class {name} itself" if kind is value else f"a {name}"
        found = f"it gave {found}"
        return CrossfwError(f"{what} of {self.port.origin}", found, f"return {wanted}")

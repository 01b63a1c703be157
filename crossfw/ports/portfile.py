"""The port file: what a user says about a pair of models, each function found for one framework's side."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any, Callable

import numpy as np

from crossfw.checks import nearest
from crossfw.errors import CrossfwError
from crossfw.ports.nest import transform
from crossfw.ports.user_errors import call_user, user_error

FRAMEWORKS = ("mxnet", "torch")
TWO_SIDED = ("model", "loss", "optimizer", "clip", "checkpoint")
SHARED = ("inputs", "targets", "rename", "dtype", "train_mode", "updates")
REQUIRED = ("mxnet_model", "torch_model", "inputs")
KNOWN = (*(f"{framework}_{what}" for framework in FRAMEWORKS for what in TWO_SIDED), *TWO_SIDED, *SHARED)
BATCH_SIZES = (2, 3)  # of `inputs(rng, batch_size)`


class Port:
    """The functions and settings of a port, from a module or from keyword arguments.

    Args:
        values: by name, as in a port file: `mxnet_model`, `torch_model`, `inputs`, ...
        origin: the file, or what to call the port in messages.
    """

    def __init__(self, values: dict, origin: str):
        self.values, self.origin = values, origin
        missing = [name for name in REQUIRED if self._find(name) is None]
        if missing:
            known = [name for name in values if not name.startswith("_")]
            hints = "".join(nearest(name, known) for name in missing)
            raise CrossfwError(
                f"a port from {origin}",
                f"it defines no {' and no '.join(missing)}{hints}",
                "define mxnet_model(), torch_model() and inputs(rng); the README's section 'Verify your port' has one",
            )
        for name, meant in self.misspelt.items():
            remedy = f"call it {meant}, or let its name begin with an underscore if it is your own"
            raise CrossfwError(f"{name} of {origin}", f"nothing reads it: is {meant} meant?", remedy)
        for name in ("mxnet_model", "torch_model"):
            if not callable(self._find(name)):
                raise CrossfwError(f"{name} of {origin}", "it is no function", f"def {name}(): return the model")

    def _find(self, name: str) -> Any:
        if name in self.values:
            return self.values[name]
        framework, _, what = name.partition("_")
        if framework in FRAMEWORKS and what in self.values:
            both = self.values[what]
            return both.get(framework) if isinstance(both, dict) and set(both) <= set(FRAMEWORKS) else both
        return None

    def of(self, framework: str, what: str) -> Any:
        """The framework's own `what`, in whichever of the three forms it stands; None where there is none."""
        return self._find(f"{framework}_{what}")

    def setting(self, name: str, default: Any) -> Any:
        """A setting for both frameworks."""
        value = self.values.get(name)
        return default if value is None else value

    def call(self, what: str, function: Callable, *arguments: Any, remedy: str = "") -> Any:
        """The result of a user's function; `what` is its name, where it has one in the port.

        Raises:
            CrossfwError: it raised; with the line in the user's file.
        """
        return call_user(self.origin, what, function, *arguments, defined=self.line_of(what), remedy=remedy)

    def line_of(self, what: str) -> str:
        """`file, line n` where a function of the port is defined; empty for anything else."""
        name = what.partition("(")[0]
        code = getattr(self._find(name), "__code__", None)
        return f"{Path(code.co_filename).name}, line {code.co_firstlineno}" if code else ""

    @property
    def misspelt(self) -> dict[str, str]:
        """Names that nothing reads and that are nearly one that would be: name -> the one that may be meant."""
        found = {}
        for name, value in self.values.items():
            if not name.startswith("_") and name not in KNOWN and not isinstance(value, (ModuleType, type)):
                close = get_close_matches(name, KNOWN, n=1, cutoff=0.85)
                if close:
                    found[name] = close[0]
        return found

    @property
    def sizes(self) -> tuple:
        """The batch sizes that `inputs` can be drawn in; (None,) where it takes the generator alone."""
        function = self.values["inputs"]
        if callable(function) and _takes(function, 2):
            return BATCH_SIZES
        return (None,)

    def draw(self, seed: int, size: Any) -> tuple:
        """(inputs, targets) as NumPy nests, the same in every process; targets None without the function.

        Raises:
            CrossfwError: a function raises, or gives what is no nest of arrays.
        """
        drawn = []
        for stream, name in enumerate(("inputs", "targets")):
            function = self.values.get(name)
            if function is not None and callable(function):
                rng = np.random.default_rng([seed, stream])
                arguments = (rng, size) if size is not None and _takes(function, 2) else (rng,)
                function = self.call(name, function, *arguments)
            drawn.append(self.require_arrays(name, function))
        return drawn[0], drawn[1]

    def require_arrays(self, name: str, nest: Any) -> Any:
        """The nest, of NumPy arrays of numbers.

        Raises:
            CrossfwError: something else is in it, or nothing.
        """

        def change(path: str, value: Any) -> np.ndarray:
            try:
                array = np.asarray(value)
            except (TypeError, ValueError) as error:
                raise self.no_numbers(name, f"{path}: {error}") from error
            if array.dtype.kind not in "biuf":
                raise self.no_numbers(name, f"{path} is a {type(value).__name__} of dtype {array.dtype}")
            return array

        if nest is None and name == "inputs":
            raise self.no_numbers(name, "it gave nothing")
        return transform(nest, name, _is_single, change)

    def no_numbers(self, name: str, found: str) -> CrossfwError:
        """The error for drawn values that are no arrays of numbers."""
        remedy = f"let {name}(rng) return NumPy arrays of numbers, alone or in tuples, lists and dicts"
        return CrossfwError(f"{name} of {self.origin}", found, remedy)


def _is_single(value: Any) -> bool:
    return not isinstance(value, (tuple, list, dict))


def _takes(function: Callable, count: int) -> bool:
    try:
        inspect.signature(function).bind(*range(count))
    except (TypeError, ValueError):
        return False
    return True


def read_port(path: str) -> Port:
    """The port of a file.

    Raises:
        CrossfwError: there is no such file, it raises while it is run, or it lacks a function.
    """
    return Port(vars(run_file(path)), str(path))


def run_file(path: str) -> ModuleType:
    """A user's Python file as a module.

    Raises:
        CrossfwError: there is no such file, or it raises while it is run.
    """
    if not Path(path).is_file():
        raise CrossfwError(f"the port file {path}", "there is no such file", "name a Python file with a port")
    file = Path(path).resolve()
    spec = importlib.util.spec_from_file_location("crossfw_port", file)
    if spec is None or spec.loader is None:
        raise CrossfwError(f"the port file {file}", "it is no Python file", "give it the name of one: port.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["crossfw_port"] = module
    sys.path.insert(0, str(file.parent))  # so that it can import what lies beside it
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise user_error(str(file), "the module", error) from error
    return module

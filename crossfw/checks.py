"""Checks of single values, with one form of error for the whole house."""

from __future__ import annotations

import difflib
import shutil
from collections.abc import Iterable
from numbers import Integral

import numpy as np

from crossfw.errors import CrossfwError


def nearest(value: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the known name that is most like `value`, or nothing."""
    close = difflib.get_close_matches(str(value), list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def require_choice(name: str, value: str, allowed: Iterable[str]) -> None:
    """Raise CrossfwError, naming the allowed values and the nearest one, unless `value` is among `allowed`."""
    choices = list(allowed)
    if value in choices:
        return
    found = f"no {name} of that name{nearest(value, choices)}"
    raise CrossfwError(f"{name} = {value!r}", found, f"use one of: {', '.join(choices)}")


def require_integer(name: str, value: int, minimum: int, maximum: int | None = None) -> None:
    """Raise CrossfwError unless `value` is an integer (no bool) with minimum <= value <= maximum."""
    wanted = f"an integer of at least {minimum}" + ("" if maximum is None else f" and at most {maximum}")
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise CrossfwError(f"{name} = {value!r}", f"a {type(value).__name__}", f"give {wanted}")
    if value < minimum or (maximum is not None and value > maximum):
        raise CrossfwError(f"{name} = {value!r}", "a value out of range", f"give {wanted}")


def require_boolean(name: str, value: bool) -> None:
    """Raise CrossfwError unless `value` is True or False."""
    if not isinstance(value, bool):
        raise CrossfwError(f"{name} = {value!r}", f"a {type(value).__name__}", "give True or False")


def require_interpreter(framework: str, python: str) -> None:
    """Raise CrossfwError unless `python` is an executable."""
    if shutil.which(python) is None:
        asked = f"--{framework}-python {python}"
        raise CrossfwError(asked, f"no executable {python}", "give the path of a Python interpreter")


def require_indices(name: str, ids: np.ndarray) -> np.ndarray:
    """`ids` as an int64 array (n,); CrossfwError unless it is one-dimensional and of integers (or empty)."""
    array = np.asarray(ids)
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        found = f"an array of shape {array.shape} and dtype {array.dtype}"
        raise CrossfwError(f"{name} from token indices", found, "give a one-dimensional array of integers")
    return array.astype(np.int64, copy=False)

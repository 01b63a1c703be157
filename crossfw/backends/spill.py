"""Large arrays in files: what one process writes another maps, so that a pair of large models is not held in memory.

A mapped array is read-only, and its pages are the system's to drop and read again.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np

from crossfw.errors import CrossfwError

LEAST = 4 << 20  # bytes of an array; smaller ones are as fast through a pipe


def write(array: np.ndarray, folder: str) -> str:
    """The path of a new file with the array's numbers, C order, little-endian.

    Raises:
        CrossfwError: there is no room.
    """
    path = ""
    try:
        handle, path = tempfile.mkstemp(".array", dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(-1).view(np.uint8))
    except OSError as error:
        remove(path)
        asked = f"room for an array of {array.nbytes / 1e6:,.0f} MB in {folder}"
        raise CrossfwError(asked, str(error), "set TMPDIR to a folder with more room") from error
    return path


def mapped(path: str, dtype: Any, shape: tuple, owned: bool = False) -> np.ndarray:
    """The array of a file; where it is `owned` the file goes when the array does."""
    array = np.memmap(path, dtype, "r", shape=shape)
    if owned:
        weakref.finalize(array, remove, path)
    return np.asarray(array)


def place_of(array: np.ndarray) -> str | None:
    """The file that holds exactly this array; None where there is none."""
    base = array.base
    if not isinstance(base, np.memmap) or not array.flags.c_contiguous:
        return None
    same = (base.shape, base.dtype, base.ctypes.data) == (array.shape, array.dtype, array.ctypes.data)
    return str(base.filename) if same and Path(base.filename).exists() else None


def kept(array: np.ndarray, folder: str) -> np.ndarray:
    """The same array, a large one mapped from a file."""
    if array.nbytes < LEAST or place_of(array):
        return array
    return mapped(write(array, folder), array.dtype.newbyteorder("<"), array.shape, owned=True)


def remove(path: str) -> None:
    """Delete a file that may be gone already."""
    with contextlib.suppress(FileNotFoundError):
        os.remove(path)

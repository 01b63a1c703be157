"""Large arrays in files: what one process writes another maps, so that a pair of large models is not held in memory.

A mapped array is read-only, and its pages are the system's to drop and read again. Arrays that travel or are kept
together share a file and its mapping, which is one open file of the process.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import tempfile
import weakref
from collections.abc import Iterable
from typing import Any

import numpy as np

from crossfw.errors import CrossfwError

LEAST = 4 << 20  # bytes of an array; smaller ones are as fast through a pipe
ALIGNMENT = 64
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FileMap(mmap.mmap):
    """A file in memory, read-only; `path` is its name, and `address` where its first byte is."""

    path: str
    address: int


def map_file(path: str, owned: bool) -> FileMap:
    """The map of a file, which goes with the map where it is `owned`."""
    with open(path, "rb") as file:
        found = FileMap(file.fileno(), 0, access=mmap.ACCESS_READ)
    found.path, found.address = path, np.frombuffer(found, np.uint8).ctypes.data
    if owned:
        weakref.finalize(found, remove, path)
    return found


class Pile:
    """Arrays written one after the other into a new file, which is there from the first large one on.

    Args:
        folder: where the file goes.
    """

    def __init__(self, folder: str):
        self.folder, self.path = folder, ""

    def add(self, array: np.ndarray) -> int:
        """Write an array, C order, little-endian; at which byte it begins.

        Raises:
            CrossfwError: the folder has no room, or cannot be written; the file is gone then.
        """
        try:
            if not self.path:
                handle, self.path = tempfile.mkstemp(".arrays", dir=self.folder)
                os.close(handle)
            with open(self.path, "ab") as file:
                file.write(bytes(-file.tell() % ALIGNMENT))
                begin = file.tell()
                file.write(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(-1).view(np.uint8))
            return begin
        except OSError as error:
            self.remove()
            asked = f"{array.nbytes / 1e6:,.0f} MB for an array in {self.folder}"
            full = "set TMPDIR to a folder on a disk with more room"
            remedy = full if error.errno in FULL else "let TMPDIR be a folder that can be written to while this runs"
            raise CrossfwError(asked, str(error), remedy) from error

    def remove(self) -> None:
        """Delete the file."""
        if self.path:
            remove(self.path)


def view(found: FileMap, offset: int, dtype: Any, shape: tuple) -> np.ndarray:
    """The array at a byte of a mapped file."""
    count = int(np.prod(shape, dtype=np.int64))
    return np.frombuffer(found, dtype, count, offset).reshape(shape)


def place_of(array: np.ndarray) -> tuple[str, int] | None:
    """The file that holds this array, and from which byte on; None where there is none any more."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    base = base.obj if isinstance(base, memoryview) else base
    if not isinstance(base, FileMap) or not array.flags.c_contiguous or not os.path.exists(base.path):
        return None
    return base.path, array.ctypes.data - base.address


def kept(arrays: Iterable[tuple[str, np.ndarray]], folder: str) -> dict[str, np.ndarray]:
    """Arrays by name, taken one by one; large ones are mapped from a file that goes with the last of them.

    Raises:
        CrossfwError: the folder has no room.
    """
    pile, found, large = Pile(folder), {}, {}
    for name, array in arrays:
        if array.nbytes < LEAST or place_of(array):
            found[name] = array
        else:
            found[name], large[name] = None, (pile.add(array), array.dtype.newbyteorder("<"), array.shape)
    if large:
        whole = map_file(pile.path, owned=True)
        found.update((name, view(whole, *where)) for name, where in large.items())
    return found


def remove(path: str) -> None:
    """Delete a file that may be gone already."""
    with contextlib.suppress(OSError):
        os.remove(path)

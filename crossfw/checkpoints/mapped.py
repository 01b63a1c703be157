"""A file in memory without being in memory: pages come when they are read, and go when they are released."""

from __future__ import annotations

import mmap
import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

from crossfw.checkpoints.copying import kernel_copy
from crossfw.checkpoints.stored import BITS, byte_count
from crossfw.errors import CrossfwError

CUT = "copy or download the file again and compare its checksum with that of the source: it was cut or changed"
LARGE = 1 << 18  # below it a call of the system costs more than it saves


class MappedFile:
    """A file that is read through memory-mapping, every place checked against its end.

    While it is open the file must not be shortened by another program: the system ends a process that reads
    mapped pages that are gone.

    Raises:
        CrossfwError: there is no such file, or it cannot be read.
    """

    def __init__(self, path: Path):
        self.path = Path(path)
        try:
            with open(self.path, "rb") as file:
                self.size, self.status = file.seek(0, 2), os.fstat(file.fileno())
                self.map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if self.size else b""
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise CrossfwError(f"read {self.path}", reason, "name a file that exists and can be read") from error

    def release(self) -> None:
        """Give the pages that were read back to the system; arrays stay valid and are read again when used."""
        if hasattr(mmap, "MADV_DONTNEED") and self.size:
            self.map.madvise(mmap.MADV_DONTNEED)

    def view(self, offset: int, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
        """The array that lies there: read-only, no copy. The place was checked with `check` before."""
        count = int(np.prod(shape, dtype=np.int64))
        if not count:
            return np.empty(shape, BITS[dtype])
        return np.frombuffer(self.map, BITS[dtype], count, offset).reshape(shape)

    def copy(self, array: np.ndarray, stream: BinaryIO) -> int:
        """Let the kernel write an array to where a stream stands; how many of its bytes came, from the first on.

        None of a small array, or of one whose bytes do not lie in this file as they do in the array; perhaps not all
        where the platform cannot: the rest is to be written.

        Raises:
            OSError: the disk is full.
        """
        offset = self._offset(array)
        if offset is None or array.nbytes < LARGE:
            return 0
        with suppress(FileNotFoundError), open(self.path, "rb", buffering=0) as file:
            if os.path.samestat(self.status, os.fstat(file.fileno())):  # not another one that has its name now
                stream.flush()
                return kernel_copy(file.fileno(), stream.fileno(), offset, array.nbytes)
        return 0

    def _offset(self, array: np.ndarray) -> int | None:
        """At which byte of the file an array's bytes lie in a row."""
        if not self.size or not array.flags.c_contiguous:
            return None
        offset = array.ctypes.data - np.frombuffer(self.map, np.uint8).ctypes.data
        return offset if 0 <= offset <= self.size - array.nbytes else None

    def check(self, offset: int, dtype: str, shape: tuple[int, ...]) -> int:
        """How many bytes an array at that offset takes.

        Raises:
            CrossfwError: it would reach beyond the end of the file.
        """
        count = byte_count(shape, np.dtype(BITS[dtype]).itemsize)
        if count is None or count > self.size - offset:
            left = f"{max(self.size - offset, 0):,} bytes are left"
            raise self.fault(f"at byte {offset:,}: a {dtype} array of shape {shape}, but {left}")
        return count

    def fault(self, found: str, remedy: str = CUT) -> CrossfwError:
        """The error for something that should not be in this file."""
        return CrossfwError(f"read {self.path}", found, remedy)


class Cursor:
    """Reads little-endian numbers one after the other."""

    def __init__(self, file: MappedFile, position: int = 0):
        self.file, self.position = file, position

    @property
    def left(self) -> int:
        """Bytes up to the end of the file."""
        return self.file.size - self.position

    def numbers(self, code: str, count: int, what: str) -> tuple[int, ...]:
        """That many numbers of a `struct` code.

        Raises:
            CrossfwError: the file ends before.
        """
        length = struct.calcsize(f"<{code}") * count
        self.need(length, what)
        values = struct.unpack_from(f"<{count}{code}", self.file.map, self.position)
        self.position += length
        return values

    def number(self, code: str, what: str) -> int:
        """One number."""
        return self.numbers(code, 1, what)[0]

    def need(self, length: int, what: str) -> None:
        """Make sure that so many bytes are left."""
        if length > self.left:
            raise self.fault(f"the {what} needs {length:,} bytes, but {self.left:,} are left")

    def fault(self, found: str) -> CrossfwError:
        """The error for what stands here."""
        return self.file.fault(f"at byte {self.position:,}: {found}")

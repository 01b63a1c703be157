"""An array as it lies in a file: described at once, read when asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from crossfw.errors import CrossfwError

BITS = {
    "float32": "<f4",
    "float64": "<f8",
    "float16": "<f2",
    "uint8": "|u1",
    "int32": "<i4",
    "int8": "|i1",
    "int64": "<i8",
    "bool": "|b1",
    "int16": "<i2",
    "uint16": "<u2",
    "uint32": "<u4",
    "uint64": "<u8",
    "bfloat16": "<u2",
}
"""The NumPy dtype that holds each dtype's bits. NumPy has no bfloat16: it stands as 16 bits."""

MAX_DIMENSIONS = 32
DENSE_LIMIT = 1 << 30


def byte_count(shape: tuple[int, ...], itemsize: int) -> int | None:
    """How many bytes an array takes; None where NumPy could not even address it."""
    nonzero, count = itemsize, itemsize
    for size in shape:
        nonzero, count = nonzero * max(size, 1), count * size
    return count if nonzero < 1 << 63 and len(shape) <= MAX_DIMENSIONS else None


@dataclass(frozen=True)
class StoredArray:
    """One array of a file.

    Attributes:
        label: file and name, for messages.
        dtype: a key of BITS; empty for a None array.
        shape: of the dense array.
        storage: "dense", "row_sparse", "csr", or "none" for a parameter that was never initialised.
        data: gives the stored numbers' bits.
        aux: give the indices: of rows for row_sparse; row starts and columns for csr.
    """

    label: str
    dtype: str
    shape: tuple[int, ...]
    storage: str
    data: Callable[[], np.ndarray] = field(repr=False)
    aux: tuple[Callable[[], np.ndarray], ...] = field(default=(), repr=False)

    @property
    def nbytes(self) -> int:
        """Of the dense array."""
        return byte_count(self.shape, np.dtype(BITS[self.dtype]).itemsize) if self.dtype else 0

    def array(self) -> np.ndarray:
        """The numbers of a dense array: a read-only view of the file where they lie there as they are.

        bfloat16 is widened to float32, exactly.

        Raises:
            CrossfwError: for a sparse or a None array.
        """
        if self.storage != "dense":
            asked = f"the array {self.label}"
            raise CrossfwError(asked, f"it is stored as {self.storage}", "use to_dense(); a None array has no numbers")
        return self._widen(self.data())

    def to_dense(self, limit: int = DENSE_LIMIT) -> np.ndarray:
        """The numbers, whatever the storage; bfloat16 as float32.

        Raises:
            CrossfwError: for a None array, for indices that point nowhere, or where a sparse array would grow
                beyond `limit` bytes.
        """
        return self._widen(self.bits(limit))

    def bits(self, limit: int = DENSE_LIMIT) -> np.ndarray:
        """Like `to_dense`, but bfloat16 as its 16 bits."""
        if self.storage == "none":
            raise self._fault("it is a None array: a parameter that was never initialised", "initialise it, save again")
        if self.storage == "dense":
            return self.data()
        if self.nbytes > limit:
            found = (
                f"a {self.storage} array of shape {self.shape} takes {self.nbytes:,} bytes, over the limit {limit:,}"
            )
            raise self._fault(found, "read it in Python, with to_dense(limit=...)")
        return self._scatter_rows() if self.storage == "row_sparse" else self._scatter_cells()

    def _scatter_rows(self) -> np.ndarray:
        (rows,) = (part() for part in self.aux)
        self._check_indices(rows, self.shape[0])
        dense = np.zeros(self.shape, BITS[self.dtype])
        dense[rows] = self.data()
        return dense

    def _scatter_cells(self) -> np.ndarray:
        starts, columns = (part() for part in self.aux)
        rising = starts.size == self.shape[0] + 1 and starts[0] == 0 and starts[-1] == columns.size
        if not rising or (starts[1:] < starts[:-1]).any():
            raise self._fault("its row starts do not rise from 0 to the number of values", "save it again")
        rows = np.repeat(np.arange(self.shape[0]), np.diff(starts.astype(np.int64)))
        if columns.size and not 0 <= int(columns.min()) <= int(columns.max()) < self.shape[1]:
            raise self._fault(f"a column beyond {self.shape[1]}", "save it again")
        places = rows * self.shape[1] + columns.astype(np.int64)
        self._check_indices(places, self.shape[0] * self.shape[1])
        dense = np.zeros(self.shape, BITS[self.dtype])
        dense.reshape(-1)[places] = self.data()
        return dense

    def _check_indices(self, indices: np.ndarray, end: int) -> None:
        if indices.size and not 0 <= int(indices.min()) <= int(indices.max()) < end:
            raise self._fault(f"an index beyond {end}", "save it again")
        if np.unique(indices).size != indices.size:
            raise self._fault("an index stands there twice", "save it again")

    def _widen(self, bits: np.ndarray) -> np.ndarray:
        return (bits.astype(np.uint32) << 16).view(np.float32) if self.dtype == "bfloat16" else bits

    def _fault(self, found: str, remedy: str) -> CrossfwError:
        return CrossfwError(f"the numbers of {self.label}", found, remedy)

"""`.safetensors` files, written in a stream and read through memory-mapping, so that size costs no memory.

file = u64 length of the header, header (JSON), data
header = {"__metadata__": {text: text}, name: {"dtype": "F32", "shape": [...], "data_offsets": [begin, end]}, ...}
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from crossfw.checkpoints.mapped import Cursor, MappedFile
from crossfw.checkpoints.stored import BITS, StoredArray, byte_count
from crossfw.errors import CrossfwError

CODES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint64": "U64",
    "uint32": "U32",
    "uint16": "U16",
    "uint8": "U8",
    "bool": "BOOL",
}
DTYPES = {code: dtype for dtype, code in CODES.items()}
METADATA = "__metadata__"
MAX_HEADER = 100_000_000
CHUNK = 1 << 20  # fits into the caches of a core; 16 MB take twice as long


@dataclass(frozen=True)
class Tensor:
    """A tensor to write.

    Attributes:
        name: of the tensor.
        dtype: a key of BITS.
        shape: of the tensor.
        bits: gives its bits when they are wanted; an array of that shape.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    bits: Callable[[], np.ndarray]

    @property
    def nbytes(self) -> int:
        """Its size in the file."""
        return byte_count(self.shape, np.dtype(BITS[self.dtype]).itemsize)


def chunks(array: np.ndarray, first: int = 0) -> Iterator[np.ndarray]:
    """The array's bytes in C order from the `first` on, in pieces of bounded size; copied only where they lie apart."""
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    for start in range(first, flat.size, CHUNK):
        yield flat[start : start + CHUNK]


def write_safetensors(
    path: Path, tensors: Iterable[Tensor], metadata: dict[str, str], source: MappedFile | None = None
) -> int:
    """Write aside and rename: the file is there completely or not at all. How many bytes it has.

    Unlike `crossfw.files.write_aside` this does not wait until gigabytes are on the disk, as `cp` does not.

    Args:
        path: the file.
        tensors: in any order; each is asked for its bits once.
        metadata: texts about the whole.
        source: the file that tensors are views of: what lies there as it shall be written is copied by the kernel.

    Raises:
        CrossfwError: the file cannot be written.
    """
    ordered = sorted(tensors, key=lambda tensor: (-np.dtype(BITS[tensor.dtype]).itemsize, tensor.name))
    header, total = _header(ordered, metadata)
    aside = path.with_name(f"{path.name}.tmp")
    try:
        with open(aside, "wb") as stream:
            stream.write(len(header).to_bytes(8, "little") + header)
            for tensor in ordered:
                _write(stream, tensor.bits(), source)
        os.replace(aside, path)
    except OSError as error:
        found = error.strerror or str(error)
        raise CrossfwError(f"write {path}", found, "name a file in a folder with enough room") from error
    finally:
        with suppress(OSError):
            aside.unlink()
    return 8 + len(header) + total


def _write(stream: BinaryIO, bits: np.ndarray, source: MappedFile | None) -> None:
    """One tensor: by the kernel as far as it can, the rest in pieces whose pages are given back."""
    done = source.copy(bits, stream) if source is not None else 0
    for piece in chunks(bits, done):
        stream.write(piece)
        if source is not None:
            source.release()


def _header(tensors: list[Tensor], metadata: dict[str, str]) -> tuple[bytes, int]:
    described: dict[str, Any] = {METADATA: metadata}
    end = 0
    for tensor in tensors:
        begin, end = end, end + tensor.nbytes
        described[tensor.name] = {
            "dtype": CODES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(described, separators=(",", ":"), ensure_ascii=False).encode()
    return text + b" " * (-len(text) % 8), end


class SafetensorsFile:
    """A `.safetensors` file: `arrays` name -> `StoredArray`, and `metadata`.

    Raises:
        CrossfwError: it is none, or a damaged one.
    """

    def __init__(self, path: Path | str):
        self.file = MappedFile(Path(path))
        cursor = Cursor(self.file)
        length = cursor.number("Q", "length of the header")
        cursor.need(length, "header")
        if length > MAX_HEADER:
            raise cursor.fault(f"a header of {length:,} bytes; {MAX_HEADER:,} is the most")
        try:
            header = json.loads(bytes(self.file.map[8 : 8 + length]))
            self.metadata: dict[str, str] = header.pop(METADATA, {})
            self.arrays = {name: self._array(name, entry, 8 + length) for name, entry in header.items()}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise self.file.fault(f"its header is none of a .safetensors file: {error!r}") from error

    def _array(self, name: str, entry: dict[str, Any], start: int) -> StoredArray:
        dtype, shape = DTYPES[entry["dtype"]], tuple(entry["shape"])
        begin, end = entry["data_offsets"]
        if any(type(number) is not int or number < 0 for number in (*shape, begin, end)):
            raise ValueError(f"{name!r} has {entry}")
        if self.file.check(start + begin, dtype, shape) != end - begin:
            raise ValueError(f"{name!r} has {entry}")
        label = f"{name!r} in {self.file.path}"
        return StoredArray(label, dtype, shape, "dense", lambda: self.file.view(start + begin, dtype, shape))

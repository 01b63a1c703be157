"""`.params` files written byte by byte from the format's description, without the code under test."""

from __future__ import annotations

import struct

import numpy as np

V1, V2, V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
CODES = {
    "float32": 0,
    "float64": 1,
    "float16": 2,
    "uint8": 3,
    "int32": 4,
    "int8": 5,
    "int64": 6,
    "bool": 7,
    "int16": 8,
    "uint16": 9,
    "uint32": 10,
    "uint64": 11,
    "bfloat16": 12,
}
DEVICE = struct.pack("<ii", 1, 0)


def listing(records: list[bytes], names: list[str]) -> bytes:
    """A whole file."""
    data = struct.pack("<QQQ", 0x112, 0, len(records)) + b"".join(records) + struct.pack("<Q", len(names))
    return data + b"".join(struct.pack("<Q", len(name.encode())) + name.encode() for name in names)


def shape_of(shape: tuple[int, ...]) -> bytes:
    """A TShape."""
    return struct.pack(f"<i{len(shape)}q", len(shape), *shape)


def code_of(value: np.ndarray, dtype: str | None = None) -> bytes:
    """The dtype's number; bfloat16 comes as uint16 and is named."""
    return struct.pack("<i", CODES[dtype or value.dtype.name])


def dense(value: np.ndarray, version: int = V2, dtype: str | None = None) -> bytes:
    """An array of version 1, 2 or 3, or, with version 0, of the oldest form."""
    value = np.asarray(value)
    tail = DEVICE + code_of(value, dtype) + value.tobytes()
    if version == 0:
        return struct.pack(f"<I{value.ndim}I", value.ndim, *value.shape) + tail
    storage = struct.pack("<i", 0) if version != V1 else b""
    return struct.pack("<I", version) + storage + shape_of(value.shape) + tail


def sparse(storage: int, shape: tuple[int, ...], data: np.ndarray, aux: list[np.ndarray]) -> bytes:
    """A row_sparse (1) or csr (2) array."""
    described = b"".join(code_of(part) + shape_of(part.shape) for part in aux)
    start = struct.pack("<Ii", V2, storage) + shape_of(data.shape) + shape_of(shape) + DEVICE + code_of(data)
    return start + described + data.tobytes() + b"".join(part.tobytes() for part in aux)


def none(version: int) -> bytes:
    """A None array."""
    if version == 0:
        return struct.pack("<I", 0)
    if version == V1:
        return struct.pack("<Ii", V1, 0)
    return struct.pack("<Iii", version, 0, -1 if version == V3 else 0)


def varied() -> bytes:
    """A small file with one of everything."""
    row = np.array([[1, 2], [3, 4]], np.float32)
    records = [
        dense(np.arange(6, dtype=np.float32).reshape(2, 3)),
        dense(np.arange(4, dtype=np.int64), V1),
        dense(np.arange(4, dtype=np.float64).reshape(2, 2), 0),
        dense(np.float16(2.5), V3),
        dense(np.zeros((0, 3), np.float32), V3),
        none(V2),
        none(V3),
        sparse(1, (5, 2), row, [np.array([1, 4], np.int64)]),
        sparse(2, (2, 4), np.array([5, 6, 7], np.float32), [np.array([0, 1, 3]), np.array([2, 0, 3])]),
        dense(np.array([0x3F80, 0xC040], np.uint16), dtype="bfloat16"),
    ]
    return listing(records, ["arg:w", "v1", "v0", "scalar", "empty", "none", "none3", "rows", "csr", "aux:bf16"])

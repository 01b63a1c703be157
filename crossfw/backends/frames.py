"""Messages between parent and worker: a JSON header, then raw arrays. Nothing is unpickled.

    frame = b"XFW1", u32 length of the header, header, arrays one after the other, C order, little-endian
    header = {"body": ..., "arrays": [{"dtype": "<f8", "shape": [35, 32]}, ...]}

In the body an array stands as {"$array": its index}.
"""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

import numpy as np

MAGIC = b"XFW1"
HEADER_LIMIT = 1 << 26
ARRAY_KINDS = "biuf"


class FrameError(ValueError):
    """The bytes on the pipe are no frame."""


def _pack(value: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in ARRAY_KINDS:
            raise FrameError(f"an array of dtype {value.dtype} cannot travel")
        arrays.append(np.asarray(value, order="C"))
        return {"$array": len(arrays) - 1}
    if isinstance(value, dict):
        return {str(key): _pack(item, arrays) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_pack(item, arrays) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


def _unpack(value: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(value, dict):
        if "$array" in value:
            return arrays[value["$array"]]
        return {key: _unpack(item, arrays) for key, item in value.items()}
    if isinstance(value, list):
        return [_unpack(item, arrays) for item in value]
    return value


def write_frame(stream: BinaryIO, body: Any) -> None:
    """Send one message: any nesting of dicts, lists, JSON scalars and numeric arrays.

    Raises:
        FrameError: for an array of objects, strings or complex numbers.
    """
    arrays: list[np.ndarray] = []
    packed = _pack(body, arrays)
    described = [{"dtype": a.dtype.newbyteorder("<").str, "shape": list(a.shape)} for a in arrays]
    header = json.dumps({"body": packed, "arrays": described}).encode()
    stream.write(MAGIC + struct.pack("<I", len(header)) + header)
    for array in arrays:
        stream.write(array.astype(array.dtype.newbyteorder("<"), copy=False).reshape(-1).view(np.uint8))
    stream.flush()


def _read_exactly(stream: BinaryIO, count: int) -> bytearray:
    data = bytearray(count)
    view = memoryview(data)
    while view:
        got = stream.readinto(view)
        if not got:
            raise EOFError("the other end closed the pipe")
        view = view[got:]
    return data


def read_frame(stream: BinaryIO) -> Any:
    """Receive one message.

    Raises:
        EOFError: the other end is gone.
        FrameError: what came is no frame.
    """
    start = _read_exactly(stream, 8)
    (length,) = struct.unpack("<I", start[4:])
    if start[:4] != MAGIC or length > HEADER_LIMIT:
        raise FrameError(f"expected a frame, got {bytes(start)!r}")
    header = json.loads(_read_exactly(stream, length))
    arrays = []
    for described in header["arrays"]:
        dtype, shape = np.dtype(described["dtype"]), tuple(described["shape"])
        if dtype.kind not in ARRAY_KINDS or any(size < 0 for size in shape):
            raise FrameError(f"an array of dtype {dtype} and shape {shape} cannot travel")
        count = int(np.prod(shape, dtype=np.int64))
        arrays.append(np.frombuffer(_read_exactly(stream, count * dtype.itemsize), dtype).reshape(shape))
    return _unpack(header["body"], arrays)

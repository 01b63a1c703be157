"""Messages between parent and worker: a JSON header, then raw arrays. Nothing is unpickled.

    frame = b"XFW1", u32 length of the header, header, arrays one after the other, C order, little-endian
    header = {"body": ..., "arrays": [{"dtype": "<f8", "shape": [35, 32]}, ...]}

In the body an array stands as {"$array": its index}. A large one may have a "file" and an "offset" in the header, and
no bytes.
"""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

import numpy as np

from crossfw.workers import spill

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


def write_frame(stream: BinaryIO, body: Any, folder: str | None = None) -> str:
    """Send one message: any nesting of dicts, lists, JSON scalars and numeric arrays.

    Args:
        folder: where a file of large arrays goes; None sends every array through the stream.

    Returns:
        The file that was written; empty where there is none.

    Raises:
        FrameError: for an array of objects, strings or complex numbers.
        CrossfwError: the folder has no room; nothing was sent then.
    """
    arrays: list[np.ndarray] = []
    packed = _pack(body, arrays)
    described = [{"dtype": a.dtype.newbyteorder("<").str, "shape": list(a.shape)} for a in arrays]
    pile = spill.Pile(folder or "")
    for array, description in zip(arrays, described):
        if folder and array.nbytes >= spill.LEAST:
            place = spill.place_of(array)
            if place is None:
                offset = pile.add(array)
                place = pile.path, offset
            description["file"], description["offset"] = place
    header = json.dumps({"body": packed, "arrays": described}).encode()
    stream.write(MAGIC + struct.pack("<I", len(header)) + header)
    for array, description in zip(arrays, described):
        if "file" not in description:
            stream.write(array.astype(array.dtype.newbyteorder("<"), copy=False).reshape(-1).view(np.uint8))
    stream.flush()
    return pile.path


def _read_exactly(stream: BinaryIO, count: int) -> bytearray:
    data = bytearray(count)
    view = memoryview(data)
    while view:
        got = stream.readinto(view)
        if not got:
            raise EOFError("the other end closed the pipe")
        view = view[got:]
    return data


def read_frame(stream: BinaryIO, owns_files: bool = False) -> Any:
    """Receive one message; where the receiver `owns_files`, those of large arrays go when the arrays do.

    Raises:
        EOFError: the other end is gone.
        FrameError: what came is no frame.
        OSError: a file of large arrays cannot be mapped.
    """
    start = _read_exactly(stream, 8)
    (length,) = struct.unpack("<I", start[4:])
    if start[:4] != MAGIC or length > HEADER_LIMIT:
        raise FrameError(f"expected a frame, got {bytes(start)!r}")
    header = json.loads(_read_exactly(stream, length))
    arrays, maps = [], {}
    for described in header["arrays"]:
        dtype, shape = np.dtype(described["dtype"]), tuple(described["shape"])
        if dtype.kind not in ARRAY_KINDS or any(size < 0 for size in shape):
            raise FrameError(f"an array of dtype {dtype} and shape {shape} cannot travel")
        if "file" in described:
            path = described["file"]
            if path not in maps:
                maps[path] = spill.map_file(path, owns_files)
            arrays.append(spill.view(maps[path], described["offset"], dtype, shape))
            continue
        count = int(np.prod(shape, dtype=np.int64))
        arrays.append(np.frombuffer(_read_exactly(stream, count * dtype.itemsize), dtype).reshape(shape))
    return _unpack(header["body"], arrays)

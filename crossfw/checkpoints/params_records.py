"""The binary `.params` file, a list of arrays and a list of names, little-endian:

    file   = u64 0x112, u64 0, u64 n, n x array, u64 k (0 or n), k x (u64 length, bytes)
    TShape = i32 ndim, i64 x ndim
    array  = u32 magic, then
      V2, V3   i32 storage; sparse: TShape of the stored data; TShape;
               i32 device type, i32 device number, i32 dtype; per index array: i32 dtype, TShape; data; index arrays
      V1       TShape, device, dtype, data
      V0       the magic is ndim itself; u32 x ndim, device, dtype, data

A None array, a parameter that was never initialised, ends after its shape: ndim 0 in V0 to V2; in V3, where ndim 0 is a
scalar, ndim -1 or a dimension of -1.
"""

from __future__ import annotations

from functools import partial

from crossfw.checkpoints.mapped import Cursor, MappedFile
from crossfw.checkpoints.stored import MAX_DIMENSIONS, StoredArray

LIST_MAGIC = 0x112
V1, V2, V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
MAX_ARRAYS = 1 << 18
MAX_NAME = 1 << 12
DTYPES = (
    "float32",
    "float64",
    "float16",
    "uint8",
    "int32",
    "int8",
    "int64",
    "bool",
    "int16",
    "uint16",
    "uint32",
    "uint64",
    "bfloat16",
)
STORAGES = ("dense", "row_sparse", "csr")


def read_records(file: MappedFile) -> dict[str, StoredArray]:
    """Name -> array, in the file's order; arrays of a list without names are called "0", "1", ...

    Raises:
        CrossfwError: where the file is not as described above, down to the last byte.
    """
    cursor = Cursor(file)
    magic, reserved, count = cursor.numbers("Q", 3, "start of the file")
    if magic != LIST_MAGIC or reserved:
        raise file.fault(f"it starts with {magic:#x}, {reserved:#x} instead of {LIST_MAGIC:#x}, 0")
    if count > min(MAX_ARRAYS, cursor.left // 4):
        raise cursor.fault(
            f"it claims {count:,} arrays; {cursor.left:,} bytes are left, and {MAX_ARRAYS:,} is the most"
        )
    arrays = [_array(cursor) for _ in range(count)]
    named = cursor.number("Q", "number of names")
    if named not in (0, count):
        raise cursor.fault(f"{named:,} names for {count:,} arrays")
    names = [_name(cursor) for _ in range(named)] or [str(index) for index in range(count)]
    if cursor.left:
        raise cursor.fault(f"{cursor.left:,} bytes follow after the end")
    found: dict[str, StoredArray] = {}
    for name, array in zip(names, arrays):
        if name in found:
            raise file.fault(f"two arrays are called {name!r}")
        found[name] = StoredArray(f"{name!r} in {file.path}", *array)
    return found


def _name(cursor: Cursor) -> str:
    length = cursor.number("Q", "length of a name")
    if length > MAX_NAME:
        raise cursor.fault(f"a name of {length:,} bytes; {MAX_NAME:,} is the most")
    raw = bytes(cursor.numbers("B", length, "name"))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise cursor.fault(f"a name that is no UTF-8: {raw[:40]!r}") from None


def _array(cursor: Cursor) -> tuple:
    """What `StoredArray` wants after its label; the cursor stands behind the array then."""
    magic = cursor.number("I", "start of an array")
    storage = cursor.number("i", "storage type") if magic in (V2, V3) else 0
    if not 0 <= storage < len(STORAGES) or (magic == V3 and storage):
        raise cursor.fault(f"storage type {storage} is unknown")
    stored_shape = _shape(cursor, magic) if storage else None
    shape = _shape(cursor, magic)
    if shape is None:
        return "", (), "none", tuple
    device = cursor.numbers("i", 2, "device")
    if device[0] < 0 or device[1] < 0:
        raise cursor.fault(f"device {device} is unknown")
    dtype = _dtype(cursor)
    described = [(_dtype(cursor), _shape(cursor, magic)) for _ in range(storage)]
    if storage:
        _check_sparse(cursor, STORAGES[storage], shape, stored_shape, described)
    parts = [_data(cursor, *part) for part in [(dtype, stored_shape if storage else shape), *described]]
    return dtype, shape, STORAGES[storage], parts[0], tuple(parts[1:])


def _shape(cursor: Cursor, magic: int) -> tuple[int, ...] | None:
    """A shape; None for that of a None array."""
    if magic in (V1, V2, V3):
        ndim, code = cursor.number("i", "number of dimensions"), "q"
    else:
        ndim, code = magic, "I"
    if magic == V3 and ndim == -1:
        return None
    if not 0 <= ndim <= MAX_DIMENSIONS:
        what = "is no array" if code == "I" else "is no number of dimensions"
        raise cursor.fault(f"{ndim:#x} {what}" if code == "I" else f"{ndim} {what}")
    shape = cursor.numbers(code, ndim, "shape")
    if magic == V3 and -1 in shape:
        return None
    if any(size < 0 for size in shape):
        raise cursor.fault(f"shape {shape} has a negative dimension")
    return shape if ndim or magic == V3 else None


def _dtype(cursor: Cursor) -> str:
    code = cursor.number("i", "dtype")
    if not 0 <= code < len(DTYPES):
        raise cursor.fault(f"dtype {code} is unknown")
    return DTYPES[code]


def _check_sparse(cursor: Cursor, storage: str, shape: tuple, stored: tuple | None, described: list) -> None:
    """Whether the stored data and the index arrays can belong to an array of that shape."""
    sizes = [part[1] for part in described]
    if stored is None or not stored:
        raise cursor.fault(f"a {storage} array without a shape of its data")
    if storage == "row_sparse":
        fits = sizes == [stored[:1]] and stored[1:] == shape[1:] and stored[0] <= shape[0]
    else:
        fits = len(shape) == 2 and len(stored) == 1 and sizes == [(shape[0] + 1,), stored]
    if not fits or any(not part[0].startswith(("int", "uint")) for part in described):
        raise cursor.fault(f"a {storage} array of shape {shape} with data of {stored} and index arrays {described}")


def _data(cursor: Cursor, dtype: str, shape: tuple[int, ...]) -> partial:
    length = cursor.file.check(cursor.position, dtype, shape)
    view = partial(cursor.file.view, cursor.position, dtype, shape)
    cursor.position += length
    return view

"""The zip form of MXNet 2.x: one `.npy` member per array, a folder of members per sparse array.

    name.npy                                              a dense array
    name/data.npy, indices.npy, shape.npy, format.npy     row_sparse
    the same and indptr.npy                               csr

Members stored without compression are memory-mapped; others are decompressed one at a time, when they are read.
"""

from __future__ import annotations

import re
import zipfile
from functools import partial

import numpy as np

from crossfw.checkpoints.mapped import MappedFile
from crossfw.checkpoints.params_records import MAX_ARRAYS, MAX_NAME
from crossfw.checkpoints.stored import BITS, StoredArray, byte_count

MAGIC = b"\x93NUMPY"
MAX_HEADER = 1 << 12
DEFLATE_LIMIT = 1040  # deflate makes nothing smaller than by this factor
HEADER = re.compile(
    r"\{'descr': ([^{}]{1,40}?), 'fortran_order': (True|False), "
    r"'shape': \(((?:\d{1,19}, ?){0,32}(?:\d{1,19})?)\),? ?\} *\n?"
)
DTYPES = {f"'{bits}'": name for name, bits in BITS.items() if name != "bfloat16"}
DTYPES["[('bfloat16', '<u2')]"] = "bfloat16"
SPARSE = {"data", "indices", "shape", "format"}


class Member:
    """One `.npy` file inside of the zip file."""

    def __init__(self, file: MappedFile, archive: zipfile.ZipFile, info: zipfile.ZipInfo):
        self.file, self.archive, self.info = file, archive, info
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self.fault("is encrypted, or compressed in another way than deflate")
        if info.file_size > DEFLATE_LIMIT * (info.compress_size + 64):
            raise self.fault(f"claims {info.file_size:,} bytes in {info.compress_size:,}")
        self.start = self._start()
        head = self._read(MAX_HEADER + 12)
        if head[:6] != MAGIC or head[6:8] not in (b"\1\0", b"\2\0", b"\3\0"):
            raise self.fault("is no .npy file")
        width = 2 if head[6] == 1 else 4
        length = int.from_bytes(head[8 : 8 + width], "little")
        self.offset = 8 + width + length
        text = head[8 + width : self.offset].decode("latin-1")
        parsed = HEADER.fullmatch(text) if length <= MAX_HEADER else None
        if not parsed or parsed[1] not in DTYPES:
            raise self.fault(f"has the header {text[:80]!r}: no plain array of numbers (pickled objects are not read)")
        self.dtype, self.fortran = DTYPES[parsed[1]], parsed[2] == "True"
        self.shape = tuple(int(size) for size in re.findall(r"\d+", parsed[3]))
        if byte_count(self.shape, np.dtype(BITS[self.dtype]).itemsize) != info.file_size - self.offset:
            raise self.fault(f"claims a {self.dtype} array of shape {self.shape} in {info.file_size:,} bytes")

    def array(self) -> np.ndarray:
        """Its bits: a view of the file where the member is not compressed."""
        shape = self.shape[::-1] if self.fortran else self.shape
        if self.info.compress_type == zipfile.ZIP_STORED:
            values = self.file.view(self.start + self.offset, self.dtype, shape)
        else:
            values = np.frombuffer(self._read(self.info.file_size), np.uint8)[self.offset :]
            values = values.view(BITS[self.dtype]).reshape(shape)
        return values.transpose() if self.fortran else values

    def fault(self, found: str) -> Exception:
        """The error for what is wrong with this member."""
        return self.file.fault(f"its member {self.info.filename!r} {found}")

    def _start(self) -> int:
        """Where its bytes begin, by its own header in front of them."""
        at = self.info.header_offset
        head = self.file.map[at : at + 30]
        if len(head) < 30 or head[:4] != b"PK\3\4":
            raise self.fault("is not where the table of contents says")
        start = at + 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
        if start + self.info.compress_size > self.file.size:
            raise self.fault("reaches beyond the end of the file")
        if self.info.compress_type == zipfile.ZIP_STORED and self.info.file_size != self.info.compress_size:
            raise self.fault("has two sizes")
        return start

    def _read(self, limit: int) -> bytes:
        try:
            with self.archive.open(self.info) as stream:
                data = stream.read(limit)
        except Exception as error:  # zipfile and zlib raise a dozen kinds for damaged files
            raise self.fault(f"cannot be decompressed: {error}") from error
        if len(data) < min(limit, self.info.file_size):
            raise self.fault("is shorter than it claims")
        return data


def read_zip(file: MappedFile) -> dict[str, StoredArray]:
    """Name -> array, in the order of the zip file's table of contents.

    Raises:
        CrossfwError: it is no zip file, a damaged one, or one with anything but arrays of numbers.
    """
    try:
        archive = zipfile.ZipFile(file.path)
        infos = [info for info in archive.infolist() if not info.is_dir()]
    except Exception as error:  # zipfile raises a dozen kinds for damaged files
        raise file.fault(f"it begins like a zip file, but: {error}") from error
    names = {info.filename for info in infos}
    if any(name.endswith("/data.pkl") for name in names):
        raise file.fault("it is a PyTorch checkpoint", "load it with torch.load; crossfw convert reads MXNet's files")
    if len(names) != len(infos) or len(infos) > MAX_ARRAYS or any(len(name) > MAX_NAME for name in names):
        raise file.fault(f"{len(infos):,} members, two of one name, or a name of over {MAX_NAME:,} characters")
    strangers = sorted(name for name in names if not name.endswith(".npy"))
    if strangers:
        raise file.fault(f"it holds {strangers[0]!r}, which is no array", "name a file that MXNet saved")
    return _assemble(file, archive, {info.filename[: -len(".npy")]: info for info in infos})


def _assemble(file: MappedFile, archive: zipfile.ZipFile, infos: dict[str, zipfile.ZipInfo]) -> dict[str, StoredArray]:
    folders: dict[str, set[str]] = {}
    for name in infos:
        folder, _, leaf = name.rpartition("/")
        folders.setdefault(folder, set()).add(leaf)
    sparse = {folder for folder, leaves in folders.items() if folder and leaves in (SPARSE, SPARSE | {"indptr"})}
    _check_places(file, list(infos.values()))
    found: dict[str, StoredArray] = {}
    for name, info in infos.items():
        folder, _, leaf = name.rpartition("/")
        label = f"{name!r} in {file.path}"
        if folder not in sparse:
            member = Member(file, archive, info)
            found[name] = StoredArray(label, member.dtype, member.shape, "dense", member.array)
        elif leaf == "data":
            members = {part: Member(file, archive, infos[f"{folder}/{part}"]) for part in folders[folder] - {"format"}}
            found[folder] = _sparse(f"{folder!r} in {file.path}", members)
    return found


def _check_places(file: MappedFile, infos: list[zipfile.ZipInfo]) -> None:
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise file.fault(f"its member {info.filename!r} overlaps another one")
        end = info.header_offset + 30 + info.compress_size


def _sparse(label: str, members: dict[str, Member]) -> StoredArray:
    data, indices, shape_member = members["data"], members["indices"], members["shape"]
    if len(shape_member.shape) != 1 or shape_member.dtype != "int64" or shape_member.shape[0] > 32:
        raise shape_member.fault("is no shape")
    shape = tuple(shape_member.array().tolist())
    aux = [members["indptr"], indices] if "indptr" in members else [indices]
    if "indptr" in members:
        fits = len(shape) == 2 and data.shape == indices.shape and members["indptr"].shape == (shape[0] + 1,)
    else:
        fits = len(shape) > 0 and indices.shape == data.shape[:1] and data.shape[1:] == shape[1:]
    integers = all(member.dtype.startswith(("int", "uint")) for member in aux)
    if not fits or not integers or any(size < 0 for size in shape) or byte_count(shape, 8) is None:
        raise data.fault(f"does not belong to a sparse array of shape {shape}")
    storage = "csr" if "indptr" in members else "row_sparse"
    return StoredArray(label, data.dtype, shape, storage, data.array, tuple(partial(member.array) for member in aux))

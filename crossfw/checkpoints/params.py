"""`.params` files, read without MXNet: a mapping of names to arrays that stay in the file until they are used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from crossfw.checkpoints.mapped import MappedFile
from crossfw.checkpoints.params_records import LIST_MAGIC, read_records
from crossfw.checkpoints.params_zip import read_zip
from crossfw.checkpoints.stored import StoredArray
from crossfw.checks import nearest
from crossfw.errors import CrossfwError

AUXILIARY = "aux:"
PREFIXES = ("arg:", AUXILIARY)


class ParamsFile(Mapping[str, StoredArray]):
    """The arrays of a `.params` file under the names that stand in it, in its order.

    Args:
        path: a file of `save_parameters`, `collect_params().save`, `export`, `Module.save_checkpoint` or `nd.save`,
            of any MXNet from 0.x to 2.x (binary or zip).

    Raises:
        CrossfwError: it is no such file, or a damaged one.
    """

    def __init__(self, path: Path | str):
        self.file = MappedFile(Path(path))
        start = bytes(self.file.map[:16])
        if start[:4] == LIST_MAGIC.to_bytes(4, "little"):
            self._arrays = read_records(self.file)
        elif start[:2] == b"PK":
            self._arrays = read_zip(self.file)
        else:
            raise _stranger(self.file, start)

    def __getitem__(self, name: str) -> StoredArray:
        if name not in self._arrays:
            raise KeyError(f"{self.file.path} has no array {name!r}{nearest(name, self._arrays)}")
        return self._arrays[name]

    def __repr__(self) -> str:
        return f"<{self.file.path}: {len(self)} arrays, {sum(a.nbytes for a in self.values()) / 1e6:,.1f} MB>"

    def __contains__(self, name: object) -> bool:
        return name in self._arrays

    def get(self, name: str, default: Any = None) -> Any:
        """The array of that name, or `default`."""
        return self._arrays.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)


def read_params(path: Path | str) -> ParamsFile:
    """The file's arrays: name -> `StoredArray`; see `ParamsFile`."""
    return ParamsFile(path)


def plain_names(names: Iterable[str]) -> dict[str, str]:
    """Name -> the name without `arg:` or `aux:`; as it was where two would become one."""
    names = list(names)
    plain = {name: name[4:] if name.startswith(PREFIXES) else name for name in names}
    uses: dict[str, int] = {}
    for name in plain.values():
        uses[name] = uses.get(name, 0) + 1
    return {name: short if uses[short] == 1 and short else name for name, short in plain.items()}


def is_auxiliary(name: str) -> bool:
    """Whether an array of `export` or `save_checkpoint` is state that no optimizer changes: running statistics."""
    return name.startswith(AUXILIARY)


def _stranger(file: MappedFile, start: bytes) -> CrossfwError:
    """What a file is that is no `.params` file, by its first bytes."""
    known = (
        (start[8:9] == b"{", "a .safetensors file", "it needs no conversion"),
        (
            start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"),
            "a pickle: a Trainer's states (save_states), or an old PyTorch checkpoint",
            "name the .params file that holds the weights; a pickle is never unpickled",
        ),
        (start[:1] == b"{", "JSON, perhaps the model's -symbol.json", "name the .params file beside it"),
        (start.startswith(b"version http"), "a pointer of Git LFS, not the file itself", "fetch it with: git lfs pull"),
        (start[:1] == b"<", "a web page, perhaps that of a failed download", "download the file again"),
        (start[:4] == b"\x89HDF", "an HDF5 file", "name a file that MXNet saved"),
        (start[:2] == b"\x1f\x8b", "compressed with gzip", "unpack it first"),
        (not start, "an empty file", "save or download it again"),
    )
    for fits, what, remedy in known:
        if fits:
            return file.fault(f"it is {what}", remedy)
    return file.fault(f"no .params file: it starts with {start.hex(' ') or 'nothing'}", "name a file that MXNet saved")

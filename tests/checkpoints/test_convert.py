"""`crossfw convert` without a module: every array bit for bit under its own name, in constant memory; clear errors."""

from __future__ import annotations

import errno
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.torch import load_file

from crossfw.checkpoints import copying
from crossfw.checkpoints.convert import (
    differences,
    plan_conversion,
    summary,
    write,
)
from crossfw.checkpoints.params import read_params
from crossfw.checkpoints.params_records import DTYPES
from crossfw.checkpoints.safetensors_file import SafetensorsFile
from crossfw.errors import CrossfwError
from tests.checkpoints import params_bytes as raw


def crossfw(*arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "crossfw", "convert", *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, check=False)


@pytest.fixture
def varied(tmp_path) -> Path:
    (tmp_path / "x.params").write_bytes(raw.varied())
    return tmp_path / "x.params"


def test_every_dtype_arrives_bit_for_bit(tmp_path):
    values = [np.arange(5).astype("uint16" if dtype == "bfloat16" else dtype) for dtype in DTYPES]
    records = [raw.dense(value, dtype=dtype) for value, dtype in zip(values, DTYPES)]
    (tmp_path / "x.params").write_bytes(raw.listing(records, [f"arg:{dtype}" for dtype in DTYPES]))
    write(plan_conversion(tmp_path / "x.params"), tmp_path / "x.safetensors")
    found = load_file(str(tmp_path / "x.safetensors"))
    assert set(found) == set(DTYPES)
    for dtype, value in zip(DTYPES, values):
        assert str(found[dtype].dtype) == f"torch.{dtype}"
        assert bytes(found[dtype].untyped_storage()) == value.tobytes()
    with safe_open(str(tmp_path / "x.safetensors"), "pt") as file:
        assert file.metadata()["format"] == "pt"


def test_one_of_everything(varied):
    plan = plan_conversion(varied)
    size = write(plan, varied.with_suffix(".safetensors"))
    assert size == varied.with_suffix(".safetensors").stat().st_size
    arrays = read_params(varied)
    found = SafetensorsFile(varied.with_suffix(".safetensors")).arrays
    assert set(plan.left_out) == {"none", "none3"}
    assert set(plan.notes) == {"rows", "csr"}
    assert set(found) == {"w", "v1", "v0", "scalar", "empty", "rows", "csr", "bf16"}
    for name, array in arrays.items():
        if array.storage != "none":
            np.testing.assert_array_equal(found[name.partition(":")[2] or name].to_dense(), array.to_dense())
    text = summary(plan, varied.with_suffix(".safetensors"))
    assert "left out: none, none3: it is a None array" in text
    assert "8 tensors" in text


def test_tensors_are_aligned(varied):
    write(plan_conversion(varied), varied.with_suffix(".safetensors"))
    data = varied.with_suffix(".safetensors").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    assert length % 8 == 0
    header = json.loads(data[8 : 8 + length])
    sizes = {"F64": 8, "I64": 8, "F32": 4, "F16": 2, "BF16": 2}
    for name, entry in header.items():
        if name != "__metadata__":
            assert entry["data_offsets"][0] % sizes[entry["dtype"]] == 0


def test_prefixes_stay_where_names_would_clash(tmp_path):
    one = raw.dense(np.ones(1, np.float32))
    (tmp_path / "x.params").write_bytes(raw.listing([one, one, one], ["arg:w", "aux:w", "arg:b"]))
    assert [tensor.name for tensor in plan_conversion(tmp_path / "x.params").tensors] == ["arg:w", "aux:w", "b"]


def test_check_names_each_difference(varied):
    destination = varied.with_suffix(".safetensors")
    write(plan_conversion(varied), destination)
    assert differences(plan_conversion(varied), destination) == []
    data = bytearray(destination.read_bytes())
    data[-1] ^= 1
    destination.write_bytes(data)
    assert differences(plan_conversion(varied), destination) == ["scalar holds other numbers"]
    one, two = raw.dense(np.ones(2, np.float32)), raw.dense(np.ones((2, 1), np.float32))
    varied.write_bytes(raw.listing([one, two, one], ["a", "b", "c"]))
    write(plan_conversion(varied), destination)
    varied.write_bytes(raw.listing([one, one, one], ["a", "b", "d"]))
    found = differences(plan_conversion(varied), destination)
    assert found == ["d is missing", "c has no source", "b is float32 (2, 1) instead of float32 (2,)"]


def test_the_command(varied):
    folder = varied.parent
    done = crossfw("x.params", "y.safetensors", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "8 tensors" in done.stdout
    done = crossfw("x.params", "y.safetensors", "--check", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    data = bytearray((folder / "y.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "y.safetensors").write_bytes(data)
    done = crossfw("x.params", "y.safetensors", "--check", cwd=folder)
    assert done.returncode == 1
    assert done.stdout == "differs: scalar holds other numbers\n"
    assert sorted(path.name for path in folder.iterdir()) == ["x.params", "y.safetensors"]


NET = "from torch import nn\ndef build(): return nn.Linear(2, 2)\ndef text(): return 'no module'\n"
NET += "def fail(): raise ValueError('not today')\ndef leave():\n    import os\n    os._exit(3)\n"
BAD = {
    "no such file": (["none.params", "y"], ["none.params", "No such file"]),
    "its own source": (["x.params", "x.params"], ["the file to convert"]),
    "a folder that is not there": (["x.params", "none/y"], ["write none/y", "No such file"]),
    "a destination that is a folder": (["x.params", "folder"], ["write folder"]),
    "something else": (["net.py", "y"], ["no .params file"]),
    "nothing to check": (["x.params", "y", "--check"], ["read y", "No such file"]),
    "a check of something else": (["x.params", "x.params", "--check"], ["read x.params"]),
    "no function": (["x.params", "y", "--for", "net.py"], ["FILE.py:FUNCTION"]),
    "no such module": (["x.params", "y", "--for", "none.py:build"], ["no file none.py"]),
    "no such function": (["x.params", "y", "--for", "net.py:biuld"], ["did you mean 'build'"]),
    "no module": (["x.params", "y", "--for", "net.py:text"], ["it returned a str"]),
    "a function that fails": (["x.params", "y", "--for", "net.py:fail"], ["ValueError: not today", "line 4"]),
    "a function that ends its process": (["x.params", "y", "--for", "net.py:leave"], ["exited with code 3"]),
    "a file that is no Python": (["x.params", "y", "--for", "wrong.py:build"], ["SyntaxError"]),
    "an interpreter that is not there": (
        ["x.params", "y", "--for", "net.py:build", "--torch-python", "/nowhere/python"],
        ["/nowhere/python cannot be started"],
    ),
    "nothing that fits": (["x.params", "y", "--for", "net.py:build"], ["has no partner"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(varied, case):
    folder = varied.parent
    (folder / "net.py").write_text(NET)
    (folder / "wrong.py").write_text("def build(:")
    (folder / "folder").mkdir()
    arguments, words = BAD[case]
    done = crossfw(*arguments, cwd=folder)
    assert done.returncode == 2, done
    for word in words:
        assert word in done.stderr, done.stderr
    for part in ("asked: ", "found: ", "to do: "):
        assert done.stderr.count(part) == 1
    assert "Traceback" not in done.stderr
    assert not (folder / "y").exists()
    assert not list(folder.glob("*.tmp"))


def test_a_reserved_name(tmp_path):
    record = raw.dense(np.ones(1, np.float32))
    (tmp_path / "x.params").write_bytes(raw.listing([record], ["__metadata__"]))
    with pytest.raises(CrossfwError, match="reserves"):
        plan_conversion(tmp_path / "x.params")


def refuse(code: int, after: int = 0):
    """A way of copying that copies so many bytes and then fails."""
    left = [after] if after else []

    def way(source: int, destination: int, offset: int, count: int) -> int:
        if not left:
            raise OSError(code, os.strerror(code))
        return os.write(destination, os.pread(source, left.pop(), offset))

    return way


def end_early(*_: int) -> int:
    return 0


KERNELS = {
    "nothing in the kernel": [],
    "no copy_file_range": ["sendfile"],
    "another file system": [refuse(errno.EXDEV), "sendfile"],
    "no such call, and no other": [refuse(errno.ENOSYS), refuse(errno.ENOTSOCK)],
    "a file system that copies a part": [refuse(errno.EINVAL, after=300_001), end_early],
}


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_way_of_copying_gives_the_same_file(tmp_path, monkeypatch, kernel):
    rng = np.random.default_rng(0)
    values = [rng.standard_normal(shape, np.float32) for shape in ((300, 700), (5,), (3, 100_001))]
    (tmp_path / "x.params").write_bytes(raw.listing([raw.dense(value) for value in values], ["a", "b", "c"]))
    write(plan_conversion(tmp_path / "x.params"), tmp_path / "x.safetensors")
    calls = []

    def sendfile(source: int, destination: int, offset: int, count: int) -> int:
        calls.append(count)
        return os.sendfile(destination, source, offset, min(count, 100_003))  # fewer than was asked for

    ways = [sendfile if way == "sendfile" else way for way in KERNELS[kernel]]
    monkeypatch.setattr(copying, "ways", lambda: ways)
    write(plan_conversion(tmp_path / "x.params"), tmp_path / "y.safetensors")
    assert (tmp_path / "x.safetensors").read_bytes() == (tmp_path / "y.safetensors").read_bytes()
    assert bool(calls) == ("sendfile" in KERNELS[kernel])
    found = SafetensorsFile(tmp_path / "y.safetensors").arrays
    for name, value in zip("abc", values):
        np.testing.assert_array_equal(found[name].array(), value)


def test_the_kernel_copies_what_is_large(tmp_path):
    """And from the file that was opened: one that has its name now is another."""
    value = np.arange(200_000, dtype=np.float32)
    (tmp_path / "x.params").write_bytes(raw.listing([raw.dense(value)], ["a"]))
    params = read_params(tmp_path / "x.params")
    with open(tmp_path / "copy", "wb") as stream:
        assert params.file.copy(params["a"].array()[5:], stream) == value[5:].nbytes
        assert params.file.copy(params["a"].array()[:5], stream) == 0
        assert params.file.copy(params["a"].array()[::-1], stream) == 0
        assert params.file.copy(value, stream) == 0
    assert (tmp_path / "copy").read_bytes() == value[5:].tobytes()
    (tmp_path / "x.params").replace(tmp_path / "old.params")
    (tmp_path / "x.params").write_bytes(bytes(1_000_000))
    with open(tmp_path / "copy", "wb") as stream:
        assert params.file.copy(params["a"].array(), stream) == 0


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    (tmp_path / "x.params").write_bytes(raw.listing([raw.dense(np.ones(200_000, np.float32))], ["a"]))
    monkeypatch.setattr(copying, "ways", lambda: [refuse(errno.ENOSPC)])
    with pytest.raises(CrossfwError, match="No space left"):
        write(plan_conversion(tmp_path / "x.params"), tmp_path / "x.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["x.params"]


OPEN_HUGE = """
import resource, sys
from crossfw.checkpoints.params import read_params
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
file = read_params(sys.argv[1])
last = file["last"].array()
total = float(last.sum()) + sum(float(file["huge"].array()[row].sum()) for row in range(0, 2**20, 2**16))
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(len(file), file["huge"].nbytes, total, grown)
"""


def test_a_huge_file_opens_in_constant_memory(tmp_path):
    """Of 4 GB that are a hole in the file, so that the disk is not needed either."""
    rows, width = 2**20, 1024
    with open(tmp_path / "x.params", "wb") as file:
        file.write(struct.pack("<QQQ", 0x112, 0, 2))
        file.write(struct.pack("<Iii2q3i", raw.V2, 0, 2, rows, width, 1, 0, 0))
        file.seek(4 * rows * width, os.SEEK_CUR)
        file.write(raw.dense(np.ones(3, np.float32)))
        file.write(raw.listing([], ["huge", "last"])[24:])
    command = [sys.executable, "-c", OPEN_HUGE, str(tmp_path / "x.params")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    count, size, total, grown = (float(word) for word in done.stdout.split())
    assert (count, size, total) == (2, 2**32, 3)
    assert grown < 20_000, "kilobytes"

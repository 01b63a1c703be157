"""Damaged and hostile files: a right result or one clear error; never a crash, a hang, or a large allocation."""

from __future__ import annotations

import io
import json
import os
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossfw.checkpoints.params import read_params
from crossfw.checkpoints.safetensors_file import SafetensorsFile, Tensor, write_safetensors
from crossfw.errors import CrossfwError
from tests.checkpoints import params_bytes as raw

ALLOWED = 4 << 20
HOSTILE = (0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**33, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 0xF993FAC9, 0xF993FACA)


def zipped(save) -> bytes:
    stream = io.BytesIO()
    save(stream, a=np.arange(6, dtype=np.float32).reshape(2, 3), b=np.zeros((40, 40)), **{"c.d": np.arange(3)})
    return stream.getvalue()


FILES = {"binary": raw.varied(), "zip": zipped(np.savez), "deflated": zipped(np.savez_compressed)}


@pytest.fixture(scope="module")
def attempt(tmp_path_factory):
    """Writes bytes, reads everything there is, and returns name -> array, or None after a CrossfwError."""
    path = tmp_path_factory.mktemp("fuzz") / "x.params"

    def read(data: bytes) -> dict[str, np.ndarray] | None:
        path.write_bytes(data)
        tracemalloc.start()
        try:
            file = read_params(path)
            found = {name: array.to_dense(ALLOWED >> 2) for name, array in file.items() if array.storage != "none"}
            # dense arrays of a binary file lie side by side in it
            assert data[:2] == b"PK" or sum(a.nbytes for a in file.values() if a.storage == "dense") <= len(data)
            return found
        except CrossfwError:
            return None
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak < ALLOWED

    return read


@pytest.mark.parametrize("kind", FILES)
def test_whole_files_are_read(attempt, kind):
    assert len(attempt(FILES[kind])) == {"binary": 8}.get(kind, 3)


@pytest.mark.parametrize("kind", FILES)
def test_no_cut_file_is_read(attempt, kind):
    data = FILES[kind]
    for end in range(0, len(data), 1 if kind == "binary" else 17):
        assert attempt(data[:end]) is None, end


@pytest.mark.parametrize("kind", FILES)
def test_every_byte_changed(attempt, kind):
    """Into one that is far away; what is still read has at most one array other than it was."""
    data, whole = FILES[kind], attempt(FILES[kind])
    for place in range(0, len(data), 1 if kind == "binary" else 13):
        found = attempt(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        if found is not None and kind == "binary":
            assert sum(name not in found or not same(found[name], value) for name, value in whole.items()) <= 1


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@settings(
    max_examples=int(os.environ.get("CROSSFW_FUZZ", "400")),
    deadline=2000,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data(), kind=st.sampled_from(sorted(FILES)))
def test_hostile_files(attempt, data, kind):
    content = bytearray(FILES[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        action = data.draw(st.sampled_from(["flip", "number", "cut", "insert", "repeat"]))
        if action == "flip":
            content[place] ^= 1 << data.draw(st.integers(0, 7))
        elif action == "number":
            width = data.draw(st.sampled_from([4, 8]))
            number = data.draw(st.sampled_from(HOSTILE)) & ((1 << 8 * width) - 1)
            content[place : place + width] = number.to_bytes(width, "little")
        elif action == "cut":
            del content[place : place + data.draw(st.integers(1, 64))]
        elif action == "insert":
            content[place:place] = data.draw(st.binary(min_size=1, max_size=16))
        else:
            content[place:place] = content[place : place + 40]
        if not content:
            return
    attempt(bytes(content))


@settings(max_examples=200, deadline=2000)
@given(st.binary(max_size=200), st.sampled_from([b"", b"PK\3\4", raw.listing([], [])[:24]]))
def test_arbitrary_bytes(attempt, data, start):
    attempt(start + data)


def test_a_zip_member_with_a_hostile_shape(attempt):
    plain = zipped(np.savez)
    for shape in (b"(2, 3), }", b"(9, 9), }", b"1" * 19 + b",), }", b"(" + b"1" * 60):
        damaged = plain.replace(b"(2, 3), }".ljust(len(shape)), shape)
        assert (attempt(damaged) is not None) == (shape == b"(2, 3), }"), shape


@settings(max_examples=200, deadline=2000)
@given(st.integers(0, 1 << 30), st.sampled_from([1, 7, 0x7F, 0x80, 0xFF]))
def test_damaged_safetensors(tmp_path_factory, place, change):
    path = tmp_path_factory.getbasetemp() / "x.safetensors"
    value = np.arange(6, dtype=np.float32)
    write_safetensors(path, [Tensor("a", "float32", (6,), lambda: value)], {"format": "pt"})
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= change
    path.write_bytes(data)
    with suppress(CrossfwError):
        for array in SafetensorsFile(path).arrays.values():
            assert array.bits().size <= 6 * 4


@pytest.mark.parametrize("changed", [{"shape": [6.0]}, {"shape": [True]}, {"shape": [-6]}, {"data_offsets": [-24, 0]}])
@pytest.mark.parametrize("key", ["dtype", "shape", "data_offsets", ""])
def test_hostile_safetensors_headers(tmp_path, changed, key):
    entry = {"dtype": "F32", "shape": [6], "data_offsets": [0, 24], **changed}
    entry.pop(key, None)
    text = json.dumps({"a": entry}).encode()
    (tmp_path / "x.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(24))
    with pytest.raises(CrossfwError, match="header"):
        SafetensorsFile(tmp_path / "x.safetensors")

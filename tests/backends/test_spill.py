"""Large arrays in files: they arrive whole, are written once, and leave nothing behind."""

from __future__ import annotations

import gc
import io

import numpy as np
import pytest

from crossfw.backends import spill
from crossfw.backends.frames import read_frame, write_frame
from crossfw.errors import CrossfwError

MATRIX = np.arange(12.0).reshape(3, 4)


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch):
    monkeypatch.setattr(spill, "LEAST", 1)


def send(body, folder, owns_files=True):
    pipe = io.BytesIO()
    written = write_frame(pipe, body, str(folder))
    pipe.seek(0)
    return written, read_frame(pipe, owns_files)


def files(folder):
    gc.collect()
    return list(folder.iterdir())


@pytest.mark.parametrize(
    "array", [MATRIX, MATRIX.T, MATRIX[:, 1:3], MATRIX.astype(">f4"), MATRIX.astype("int32"), MATRIX > 5]
)
def test_an_array_arrives_whole_and_its_file_goes_with_it(array, tmp_path):
    _, found = send({"a": array}, tmp_path)
    np.testing.assert_array_equal(found["a"], array)
    assert found["a"].dtype == array.dtype.newbyteorder("<")
    assert not found["a"].flags.writeable
    assert len(files(tmp_path)) == 1
    del found
    assert files(tmp_path) == []


def test_a_view_keeps_the_file_alive(tmp_path):
    row = send([MATRIX], tmp_path)[1][0][1]
    assert len(files(tmp_path)) == 1
    np.testing.assert_array_equal(row, MATRIX[1])


def test_an_array_that_stands_in_a_file_is_not_written_again(tmp_path):
    kept = spill.kept(MATRIX, str(tmp_path))
    assert spill.kept(kept, str(tmp_path)) is kept
    written, found = send([kept], tmp_path, owns_files=False)
    assert written == []
    np.testing.assert_array_equal(found[0], MATRIX)


@pytest.mark.parametrize("part", [np.s_[1:], np.s_[:, ::2], np.s_[::-1], np.s_[None]])
def test_a_part_of_it_is(part, tmp_path):
    kept = spill.kept(MATRIX, str(tmp_path))
    written, found = send([kept[part]], tmp_path)
    assert len(written) == 1
    np.testing.assert_array_equal(found[0], MATRIX[part])


def test_small_arrays_stay_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(spill, "LEAST", MATRIX.nbytes + 1)
    assert spill.kept(MATRIX, str(tmp_path)) is MATRIX
    assert send([MATRIX], tmp_path)[0] == []


def test_without_room_the_error_says_what_to_do(tmp_path):
    with pytest.raises(CrossfwError, match="room for an array") as told:
        send([MATRIX], tmp_path / "absent")
    assert "TMPDIR" in told.value.args[2]

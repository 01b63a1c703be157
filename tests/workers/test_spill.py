"""Large arrays in files: they arrive whole, are written once, and leave nothing behind."""

from __future__ import annotations

import errno
import gc
import io
import os
from pathlib import Path

import numpy as np
import pytest

from crossfw.errors import CrossfwError
from crossfw.workers import spill
from crossfw.workers.frames import read_frame, write_frame

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


def test_arrays_of_a_message_share_a_file(tmp_path):
    written, found = send({"a": MATRIX, "b": [MATRIX[:1], MATRIX + 1]}, tmp_path)
    assert files(tmp_path) == [Path(written)]
    np.testing.assert_array_equal(found["b"][0], MATRIX[:1])
    np.testing.assert_array_equal(found["b"][1], MATRIX + 1)
    assert found["b"][1].ctypes.data % spill.ALIGNMENT == 0
    del found["a"], found["b"][0]
    assert len(files(tmp_path)) == 1
    del found
    assert files(tmp_path) == []


def test_a_view_keeps_the_file_alive(tmp_path):
    row = send([MATRIX], tmp_path)[1][0][1]
    assert len(files(tmp_path)) == 1
    np.testing.assert_array_equal(row, MATRIX[1])


def kept(array, folder):
    return spill.kept([("a", array)], str(folder))["a"]


def test_an_array_that_stands_in_a_file_is_not_written_again(tmp_path):
    there = kept(MATRIX, tmp_path)
    assert kept(there, tmp_path) is there
    written, found = send([there], tmp_path, owns_files=False)
    assert written == ""
    np.testing.assert_array_equal(found[0], MATRIX)


def test_when_its_file_is_gone_it_is_written_again(tmp_path):
    there = kept(MATRIX, tmp_path)
    for file in files(tmp_path):
        file.unlink()
    written, found = send([there], tmp_path)
    assert written
    np.testing.assert_array_equal(found[0], MATRIX)


@pytest.mark.parametrize(
    ("part", "stands_there"), [(np.s_[1:], True), (np.s_[2, 1:3], True), (np.s_[:, ::2], False), (np.s_[::-1], False)]
)
def test_a_part_of_it_arrives_whole(part, stands_there, tmp_path):
    there = kept(MATRIX, tmp_path)
    written, found = send([there[part]], tmp_path)
    assert (written == "") == stands_there
    np.testing.assert_array_equal(found[0], MATRIX[part])


def test_a_map_of_the_users_is_not_taken_for_one(tmp_path):
    np.save(tmp_path / "x.npy", MATRIX)
    theirs = np.load(tmp_path / "x.npy", mmap_mode="r")
    _, found = send([np.asarray(theirs)], tmp_path)
    np.testing.assert_array_equal(found[0], MATRIX)
    del found
    assert tmp_path / "x.npy" in files(tmp_path)


def test_small_arrays_stay_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(spill, "LEAST", MATRIX.nbytes + 1)
    assert kept(MATRIX, tmp_path) is MATRIX
    assert send([MATRIX], tmp_path)[0] == ""


@pytest.mark.parametrize(
    ("error", "remedy"), [(errno.ENOSPC, "a disk with more room"), (errno.EACCES, "that can be written to")]
)
def test_without_room_nothing_stays_and_the_error_says_what_to_do(error, remedy, tmp_path, monkeypatch):
    calls = []

    def write(array, dtype):
        calls.append(array)
        if len(calls) == 2:
            raise OSError(error, os.strerror(error))
        return np.array(array, dtype)

    monkeypatch.setattr(spill.np, "ascontiguousarray", write)
    with pytest.raises(CrossfwError, match="for an array in") as told:
        send([MATRIX, MATRIX + 1], tmp_path)
    assert remedy in told.value.args[2]
    assert files(tmp_path) == []


def test_a_folder_that_is_gone_is_told(tmp_path):
    with pytest.raises(CrossfwError, match="No such file") as told:
        send([MATRIX], tmp_path / "absent")
    assert "more room" not in told.value.args[2]

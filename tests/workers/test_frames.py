"""Frames: what goes in comes out; what is no frame is refused; nothing is unpickled."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from crossfw.workers.frames import FrameError, read_frame, write_frame

DTYPES = ("float64", "float32", "int64", "int32", "uint8", "bool")
arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text()
keys = st.text().filter(lambda key: key != "$array")
bodies = st.recursive(
    scalars | arrays, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)
)


def through(body):
    pipe = io.BytesIO()
    write_frame(pipe, body)
    pipe.seek(0)
    return read_frame(pipe)


def with_header(header: bytes) -> bytes:
    return b"XFW1" + struct.pack("<I", len(header)) + header


def assert_same(a, b):
    if isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        np.testing.assert_array_equal(a, b)
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, list):
        assert len(a) == len(b)
        for x, y in zip(a, b):
            assert_same(x, y)
    else:
        assert a == b


@given(bodies)
def test_round_trip(body):
    assert_same(body, through(body))


def test_arrays_that_are_not_contiguous_or_big_endian_arrive_whole():
    a = np.arange(12.0).reshape(3, 4).T
    assert_same({"a": np.ascontiguousarray(a), "b": np.arange(3)}, through({"a": a, "b": np.arange(3, dtype=">i8")}))


@pytest.mark.parametrize("array", [np.array([object()]), np.array(["text"]), np.array([1j])])
def test_only_numbers_travel(array):
    with pytest.raises(FrameError, match="cannot travel"):
        through(array)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", EOFError),
        (b"XFW1\x10", EOFError),
        (b"GET / HTTP/1.1\r\n", FrameError),
        (b"XFW1" + struct.pack("<I", 2**31), FrameError),
        (with_header(b'{"body": 1, "arrays": [{"dtype": "|O", "shape": [1]}]}'), FrameError),
        (with_header(b'{"body": 1, "arrays": [{"dtype": "<f8", "shape": [-1]}]}'), FrameError),
        (with_header(b'{"body": 1, "arrays": [{"dtype": "<f8", "shape": [2]}]}') + bytes(15), EOFError),
    ],
)
def test_what_is_no_frame_is_refused(data, error):
    with pytest.raises(error):
        read_frame(io.BytesIO(data))

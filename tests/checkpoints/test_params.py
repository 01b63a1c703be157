"""`.params` files: those that MXNet itself writes, older ones byte by byte, zip files, and files of other kinds."""

from __future__ import annotations

import io
import struct
import zipfile

import mxnet as mx
import numpy as np
import pytest

from crossfw.checkpoints.params import (
    ParamsFile,
    is_auxiliary,
    plain_names,
    read_params,
)
from crossfw.checkpoints.params_records import DTYPES
from crossfw.errors import CrossfwError
from tests.checkpoints import params_bytes as raw

# MXNet asks SciPy for names that are deprecated
pytestmark = pytest.mark.filterwarnings("ignore:Please use .csr_matrix.:DeprecationWarning")

VALUES = np.array([[0, 1, 2], [100, 3, 1]])


def written(folder, data: bytes) -> ParamsFile:
    (folder / "x.params").write_bytes(data)
    return read_params(folder / "x.params")


def saved(folder, arrays) -> ParamsFile:
    """What MXNet itself saved; it writes wrong shapes of sparse arrays that are still being computed."""
    for array in arrays.values() if isinstance(arrays, dict) else arrays:
        array.wait_to_read()
    mx.nd.save(str(folder / "x.params"), arrays)
    return read_params(folder / "x.params")


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool"])
def test_dtypes_that_mxnet_writes(tmp_path, dtype):
    value = VALUES.astype(dtype)
    array = saved(tmp_path, {"x": mx.nd.array(value, dtype=dtype)})["x"]
    assert (array.dtype, array.shape, array.storage) == (dtype, (2, 3), "dense")
    assert array.array().dtype == dtype
    np.testing.assert_array_equal(array.array(), value)


def test_bfloat16_is_widened_exactly(tmp_path):
    value = np.array([1, -3, 0.5, 2.0**100, 0], np.float32)
    bfloat16 = np.dtype([("bfloat16", np.uint16)])  # as MXNet calls it
    array = saved(tmp_path, {"x": mx.nd.amp_cast(mx.nd.array(value), bfloat16)})["x"]
    assert array.dtype == "bfloat16"
    np.testing.assert_array_equal(array.array(), value)
    np.testing.assert_array_equal(array.bits(), (value.view(np.uint32) >> 16).astype(np.uint16))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("version", [0, raw.V1, raw.V2, raw.V3])
def test_every_dtype_of_every_version(tmp_path, dtype, version):
    value = np.arange(1, 7).reshape(2, 3).astype("uint16" if dtype == "bfloat16" else dtype)
    data = raw.listing([raw.dense(value, version, dtype), raw.none(version), raw.dense(value[0], version, dtype)], [])
    found = written(tmp_path, data)
    assert [array.storage for array in found.values()] == ["dense", "none", "dense"]
    assert found["0"].dtype == dtype
    np.testing.assert_array_equal(found["0"].bits(), value)
    np.testing.assert_array_equal(found["2"].bits(), value[0])
    with pytest.raises(CrossfwError, match="None array"):
        found["1"].to_dense()


def test_sparse_arrays_that_mxnet_writes(tmp_path):
    value = np.array([[0, 0, 1.5], [0, 0, 0], [2, 0, -3]], np.float32)
    dense = mx.nd.array(value)
    arrays = {"csr": dense.tostype("csr"), "rows": dense.tostype("row_sparse")}
    arrays.update(no_csr=mx.nd.sparse.zeros("csr", (3, 4)), no_rows=mx.nd.sparse.zeros("row_sparse", (3, 4)))
    found = saved(tmp_path, arrays)
    assert [array.storage for array in found.values()] == ["csr", "row_sparse", "csr", "row_sparse"]
    for name in ("csr", "rows"):
        np.testing.assert_array_equal(found[name].to_dense(), value)
        np.testing.assert_array_equal(found[f"no_{name}"].to_dense(), np.zeros((3, 4)))
    with pytest.raises(CrossfwError, match="csr"):
        found["csr"].array()
    with pytest.raises(CrossfwError, match="limit"):
        found["csr"].to_dense(limit=35)


def test_empty_arrays_and_scalars(tmp_path):
    with mx.util.np_shape(True):
        found = saved(tmp_path, {"empty": mx.nd.zeros((0, 3)), "scalar": mx.nd.ones(())})
    assert (found["empty"].shape, found["empty"].array().shape) == ((0, 3), (0, 3))
    assert found["scalar"].array() == 1
    assert found["scalar"].shape == ()


def test_none_arrays_of_version_3(tmp_path):
    one = raw.dense(np.float32(7), raw.V3)
    unknown_size = struct.pack("<Ii", raw.V3, 0) + raw.shape_of((4, -1))
    found = written(tmp_path, raw.listing([raw.none(raw.V3), unknown_size, one], ["a", "b", "c"]))
    assert [array.storage for array in found.values()] == ["none", "none", "dense"]
    assert found["c"].array() == 7


def test_arrays_are_views_of_the_file(tmp_path):
    array = saved(tmp_path, [mx.nd.ones((4, 4))])["0"].array()
    assert not array.flags.owndata
    assert not array.flags.writeable


def test_module_checkpoint_has_prefixes(tmp_path):
    found = saved(tmp_path, {"arg:w": mx.nd.ones(2), "aux:mean": mx.nd.zeros(2), "arg:w2": mx.nd.ones(1)})
    assert plain_names(found) == {"arg:w": "w", "aux:mean": "mean", "arg:w2": "w2"}
    assert [name for name in found if is_auxiliary(name)] == ["aux:mean"]
    assert plain_names(["arg:w", "aux:w", "arg:"]) == {"arg:w": "arg:w", "aux:w": "aux:w", "arg:": "arg:"}


def test_zip_form(tmp_path):
    arrays = {"0.weight": VALUES.astype(np.float32), "f": np.asfortranarray(VALUES), "n": np.float64(3)}
    arrays.update(empty=np.zeros((0, 2), np.int8), flags=np.array([True, False]))
    for save in (np.savez, np.savez_compressed):
        with open(tmp_path / "x.params", "wb") as file:
            save(file, **arrays)
        found = read_params(tmp_path / "x.params")
        assert list(found) == list(arrays)
        for name, value in arrays.items():
            assert (found[name].dtype, found[name].shape) == (value.dtype.name, value.shape)
            np.testing.assert_array_equal(found[name].array(), value)
        assert found["0.weight"].array().flags.owndata is False


def npy(value: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, value)
    return stream.getvalue()


def test_sparse_and_bfloat16_in_the_zip_form(tmp_path):
    bf16 = npy(np.array([0x3F80], np.uint16)).replace(b"'<u2', ", b"[('bfloat16', '<u2')], ")
    bf16 = bf16.replace(b"  \n" if b"  \n" in bf16 else b"\n", b"\n")
    start = bf16.index(b"{")
    text = bf16[start : bf16.index(b"\n")].rstrip()
    bf16 = bf16[:8] + struct.pack("<H", len(text) + 1) + text + b"\n" + bf16[-2:]
    members = {
        "r/data.npy": npy(np.ones((1, 2), np.float32)),
        "r/indices.npy": npy(np.array([2])),
        "r/shape.npy": npy(np.array([3, 2])),
        "r/format.npy": b"MXNet's own header here is not valid",
        "c/data.npy": npy(np.array([4], np.float32)),
        "c/indices.npy": npy(np.array([1])),
        "c/indptr.npy": npy(np.array([0, 0, 1])),
        "c/shape.npy": npy(np.array([2, 2])),
        "c/format.npy": b"",
        "bf16.npy": bf16,
    }
    with zipfile.ZipFile(tmp_path / "x.params", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    found = read_params(tmp_path / "x.params")
    assert {name: array.storage for name, array in found.items()} == {"r": "row_sparse", "c": "csr", "bf16": "dense"}
    np.testing.assert_array_equal(found["r"].to_dense(), [[0, 0], [0, 0], [1, 1]])
    np.testing.assert_array_equal(found["c"].to_dense(), [[0, 0], [0, 4]])
    assert found["bf16"].dtype == "bfloat16"
    assert found["bf16"].array() == [1]


def test_objects_are_never_unpickled(tmp_path):
    with open(tmp_path / "x.params", "wb") as file:
        np.savez(file, a=np.array([{}], object))
    with pytest.raises(CrossfwError, match="no plain array of numbers"):
        read_params(tmp_path / "x.params")


ONE = raw.dense(np.ones(2, np.float32))
ROWS = np.ones((1, 2), np.float32)
WRONG = {
    "an empty file": (b"", "an empty file"),
    "safetensors": (struct.pack("<Q", 2) + b"{}", "a .safetensors file"),
    "an old torch pickle": (b"\x80\x02\x8a\nl\xfc", "a pickle"),
    "a symbol": (b'{"nodes": []}', "symbol.json"),
    "a pointer of LFS": (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "a web page": (b"<!DOCTYPE html>", "a web page"),
    "something else": (b"hello, world", "no .params file"),
    "only the magic": (struct.pack("<Q", 0x112), "the start of the file needs 24 bytes"),
    "2^63 arrays": (struct.pack("<QQQ", 0x112, 0, 1 << 63), "9,223,372,036,854,775,808 arrays"),
    "more names than arrays": (raw.listing([ONE], ["a", "b"]), "2 names for 1 arrays"),
    "two of one name": (raw.listing([ONE, ONE], ["a", "a"]), "two arrays are called 'a'"),
    "bytes after the end": (raw.listing([ONE], ["a"]) + b"\0", "1 bytes follow after the end"),
    "a name past the end": (raw.listing([ONE], ["a"])[:-9] + struct.pack("<Q", 9) + b"a", "the name needs 9 bytes"),
    "a name of 2^63": (raw.listing([ONE], ["a"])[:-9] + struct.pack("<Q", 1 << 63) + b"a", "a name of 9,223"),
    "a name that is no text": (raw.listing([ONE], ["a"])[:-1] + b"\xff", "no UTF-8"),
    "an unknown version": (raw.listing([b"\xcb" + ONE[1:]], []), "0xf993facb is no array"),
    "an unknown dtype": (raw.listing([ONE[:28] + b"\x0d" + ONE[29:]], []), "dtype 13 is unknown"),
    "an unknown storage": (raw.listing([ONE[:4] + b"\3" + ONE[5:]], []), "storage type 3 is unknown"),
    "an unknown device": (raw.listing([ONE[:23] + b"\x80" + ONE[24:]], []), "is unknown"),
    "too many dimensions": (raw.listing([ONE[:8] + b"\x21" + ONE[9:]], []), "33 is no number of dimensions"),
    "a negative dimension": (raw.listing([ONE[:12] + b"\xff" * 8 + ONE[20:]], []), "negative dimension"),
    "2^62 numbers": (raw.listing([ONE[:12] + struct.pack("<q", 1 << 62) + ONE[20:]], []), "are left"),
    "sparse in version 3": (raw.listing([struct.pack("<Ii", raw.V3, 1)], []), "storage type 1"),
    "more rows than there are": (raw.listing([raw.sparse(1, (0, 2), ROWS, [np.array([0])])], []), "row_sparse"),
    "rows named by reals": (raw.listing([raw.sparse(1, (3, 2), ROWS, [np.array([0.0])])], []), "row_sparse"),
    "csr of three dimensions": (
        raw.listing([raw.sparse(2, (1, 1, 1), ROWS[0, :1], [np.array([0, 1]), np.array([0])])], []),
        "csr array of shape (1, 1, 1)",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said(tmp_path, case):
    data, words = WRONG[case]
    with pytest.raises(CrossfwError) as caught:
        written(tmp_path, data)
    assert words in str(caught.value)
    assert "x.params" in caught.value.asked


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (raw.sparse(1, (3, 2), ROWS, [np.array([3])]), "an index beyond 3"),
        (raw.sparse(1, (3, 2), ROWS, [np.array([-1])]), "an index beyond 3"),
        (raw.sparse(1, (3, 2), np.ones((2, 2)), [np.array([1, 1])]), "twice"),
        (raw.sparse(2, (2, 2), np.ones(1), [np.array([0, 1, 2]), np.array([0])]), "row starts"),
        (raw.sparse(2, (2, 2), np.ones(1), [np.array([0, 9, 1]), np.array([0])]), "row starts"),
        (raw.sparse(2, (2, 2), np.ones(1), [np.array([0, 1, 1]), np.array([2])]), "a column beyond 2"),
        (raw.sparse(2, (2, 2), np.ones(2), [np.array([0, 2, 2]), np.array([1, 1])]), "twice"),
        (raw.sparse(1, (1 << 40, 2), ROWS, [np.array([0])]), "over the limit"),
    ],
)
def test_sparse_indices_that_point_nowhere(tmp_path, array, words):
    found = written(tmp_path, raw.listing([array], ["x"]))
    with pytest.raises(CrossfwError, match=words):
        found["x"].to_dense()


def test_a_torch_checkpoint_is_told_apart(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.params", "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    with pytest.raises(CrossfwError, match=r"torch\.load"):
        read_params(tmp_path / "x.params")


def test_no_such_file(tmp_path):
    for path in (tmp_path / "none.params", tmp_path):
        with pytest.raises(CrossfwError, match="directory"):
            read_params(path)


def test_a_name_that_is_not_there_and_what_a_file_is(tmp_path):
    path = tmp_path / "x.params"
    mx.nd.save(str(path), {"out.weight": mx.nd.ones((2, 3))})
    params = read_params(path)
    assert repr(params) == f"<{path}: 1 arrays, 0.0 MB>"
    assert "function" not in repr(params["out.weight"])
    assert "out.wieght" not in params
    assert params.get("out.wieght") is None
    with pytest.raises(KeyError, match="did you mean 'out.weight'"):
        params["out.wieght"]

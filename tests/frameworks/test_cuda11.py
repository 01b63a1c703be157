"""The libraries of CUDA 11 are found in their wheels, and what is missing is told."""

from __future__ import annotations

import _ctypes
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crossfw.frameworks import cuda11

PRELOAD = "from crossfw.frameworks import cuda11; cuda11.preload()"


def environment(folder: Path, libraries: tuple) -> Path:
    """A folder of packages with mxnet-cu112's metadata, and any shared object under each library's name."""
    about = folder / "mxnet_cu112-1.9.1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: mxnet-cu112\nVersion: 1.9.1\n")
    for wheel, file in libraries:
        place = folder / "nvidia" / wheel / "lib" / file
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_ctypes.__file__, place)
    return folder


def preload(folder: Path) -> subprocess.CompletedProcess:
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); {PRELOAD}"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_another_mxnet_needs_nothing():
    cuda11.preload()


@pytest.mark.parametrize("gone", [(), ("libcudnn.so.8",), ("libcudart.so.11.0", "libnccl.so.2")])
def test_what_is_missing_is_told(tmp_path, gone):
    there = tuple((wheel, file) for wheel, file in cuda11.LIBRARIES if file not in gone)
    done = preload(environment(tmp_path, there))
    if Path("/dev/nvidia0").exists() and not gone:
        assert done.returncode == 0, done.stderr
        return
    wanted = f"needs {', '.join(gone)}: pip install 'crossfw[cu112]'" if gone else "libcuda.so.1 is not here"
    assert wanted in done.stderr.splitlines()[-1]

"""What mxnet-cu112 needs of CUDA 11, from the wheels of the extra `cu112`.

The folders of these wheels are not on the loader's path, so the libraries are loaded, for everybody in the process,
before MXNet asks for them by name.
"""

from __future__ import annotations

import ctypes
import importlib.util
from importlib import metadata
from pathlib import Path

DISTRIBUTION = "mxnet-cu112"
LIBRARIES = (  # folder in `nvidia` and file; each after those that it needs itself
    ("cuda_runtime", "libcudart.so.11.0"),
    ("cublas", "libcublasLt.so.11"),
    ("cublas", "libcublas.so.11"),
    ("cufft", "libcufft.so.10"),
    ("curand", "libcurand.so.10"),
    ("cusolver", "libcusolver.so.11"),
    ("cuda_nvrtc", "libnvrtc.so.11.2"),
    ("nvtx", "libnvToolsExt.so.1"),
    ("cudnn", "libcudnn.so.8"),
    ("nccl", "libnccl.so.2"),
)
DRIVER = "libcuda.so.1"


def preload() -> None:
    """Load the libraries if the MXNet of this environment is the one for CUDA; do nothing if it is not.

    Raises:
        ImportError: a library is in no wheel and not on the loader's path, or there is no driver.
    """
    try:
        metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return
    missing = [file for folder, file in LIBRARIES if not _load(folder, file)]
    if missing:
        raise ImportError(f"{DISTRIBUTION} needs {', '.join(missing)}: pip install 'crossfw[cu112]'")
    if not _load("", DRIVER):
        raise ImportError(
            f"{DISTRIBUTION} needs NVIDIA's driver, and {DRIVER} is not here: on a machine without a card, "
            f"pip uninstall {DISTRIBUTION} and pip install 'crossfw[mxnet]'"
        )


def _load(folder: str, file: str) -> bool:
    """Load a library from its wheel, or else from wherever the loader finds it."""
    found = importlib.util.find_spec("nvidia") if folder else None
    places = [Path(base) / folder / "lib" / file for base in found.submodule_search_locations or ()] if found else []
    for place in (*(str(place) for place in places if place.exists()), file):
        try:
            ctypes.CDLL(place, mode=ctypes.RTLD_GLOBAL)
        except OSError:
            continue
        return True
    return False

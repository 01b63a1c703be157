"""What a worker's process reads back about itself: versions and threads."""

from __future__ import annotations

import os
import platform
from typing import Any

import numpy as np

from crossfw.frameworks.threads import affinity

# They change results or speed.
SWITCHES = ("MXNET_", "OMP_", "MKL_", "DNNL_", "ONEDNN_", "TORCH_", "OPENBLAS_", "MALLOC_", "NVIDIA_TF32")


def thread_pools() -> dict[str, int]:
    """Threads of every OpenMP and BLAS runtime in the process, by library; empty without threadpoolctl.

    Of two copies of one library the second is called by its file's name too.
    """
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return {}
    found: dict[str, int] = {}
    for pool in threadpool_info():
        name = pool["prefix"]
        found[f"{name} in {os.path.basename(pool['filepath'])}" if name in found else name] = pool["num_threads"]
    return found


def describe(framework: str, backend: Any) -> dict[str, Any]:
    """Versions of Python, NumPy and the framework; threads, CPUs and card as whoever decides tells them."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        framework: backend.library.__version__,
        **backend.card(),
        "threads": backend.threads(),
        "thread_pools": thread_pools(),
        "cpus": affinity(),
        "variables": {name: value for name, value in os.environ.items() if name.startswith(SWITCHES)},
    }

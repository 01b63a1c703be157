"""What a worker's process reads back about itself: versions and threads."""

from __future__ import annotations

import os
import platform
from typing import Any

import numpy as np

SWITCHES = ("MXNET_", "OMP_", "MKL_", "DNNL_", "ONEDNN_", "TORCH_", "NVIDIA_TF32")  # they change results or speed


def thread_pools() -> dict[str, int]:
    """Threads of every OpenMP and BLAS runtime in the process, by library; empty without threadpoolctl."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return {}
    return {pool["prefix"]: pool["num_threads"] for pool in threadpool_info()}


def describe(framework: str, backend: Any) -> dict[str, Any]:
    """Versions of Python, NumPy and the framework; threads as the framework and its runtimes report them."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        framework: backend.library.__version__,
        "threads": backend.threads(),
        "thread_pools": thread_pools(),
        "variables": {name: value for name, value in os.environ.items() if name.startswith(SWITCHES)},
    }

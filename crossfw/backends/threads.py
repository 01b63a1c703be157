"""How many threads a process may use: set in its environment before anything heavy is imported."""

from __future__ import annotations

import os

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def environment(threads: int) -> dict[str, str]:
    """The variables that bound OpenMP and the linear-algebra libraries to `threads`.

    MXNet's engine keeps its default of one operator at a time, which then has all the threads.
    """
    return {**{name: str(threads) for name in VARIABLES}, "MXNET_CPU_WORKER_NTHREADS": "1"}


def requested_threads() -> int:
    """What this process was asked for; all cores when it was asked for nothing."""
    return int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1))

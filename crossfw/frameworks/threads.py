"""How many threads a process may use, and on which CPUs: set before anything heavy is imported."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
ENGINE = "MXNET_CPU_WORKER_NTHREADS"
CPUS = "CROSSFW_CPUS"
# When it is imported, MXNet measures whether threads pay for elementwise operations, on whatever the machine does just
# then, and here left products of 286,000 elements to one thread, which takes 2.8 times as long. 0: always all threads.
MXNET_TUNING = {"MXNET_USE_OPERATOR_TUNING": "0"}
# MXNet copies arrays of 200,000 elements or more from and to NumPy with OpenMP, in the thread of Python, whose team
# then stands beside that of the engine. With more OpenMP threads than cores their library no longer lets them spin
# until the next operation: all sleep, and a step of an LSTM of 256 units (262,144 elements in W_hh) took 92 ms for 23.
MXNET_COPIES = {"MXNET_CPU_PARALLEL_SIZE": str(2**31 - 1)}
# glibc gives what a step freed back to the system, and the next step then pays for every page anew: up to a third of
# its time, in either framework. Its largest thresholds keep freed memory in the process, as other allocators do.
ALLOCATOR = {"MALLOC_TRIM_THRESHOLD_": str(2**40), "MALLOC_MMAP_THRESHOLD_": str(2**25)}

# Where nothing is timed, memory that a large model no longer needs goes back to the system: half a GB of a ResNet-50.
FRUGAL = {"MALLOC_TRIM_THRESHOLD_": str(2**26), "MALLOC_MMAP_THRESHOLD_": str(2**22)}


def environment(threads: int, cpus: tuple[int, ...] = ()) -> dict[str, str]:
    """The variables that bound OpenMP and the linear-algebra libraries to `threads`, and the process to `cpus`.

    MXNet's engine keeps its default of one operator at a time, which then has all the threads. On a graphics card no
    library may round to TF32, which one framework does by default and the other does not.
    """
    pinned = {CPUS: ",".join(map(str, cpus))} if cpus else {}
    counts = {name: str(threads) for name in VARIABLES}
    return {**counts, ENGINE: "1", "NVIDIA_TF32_OVERRIDE": "0", **MXNET_TUNING, **MXNET_COPIES, **ALLOCATOR, **pinned}


def requested_threads() -> int:
    """What this process was asked for; all cores when it was asked for nothing."""
    return int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1))


def pin() -> None:
    """Keep this process on the CPUs that it was given, if any were; threads that it starts later inherit them."""
    if os.environ.get(CPUS) and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(cpu) for cpu in os.environ[CPUS].split(",")})


def affinity() -> list[int]:
    """The CPUs that this process may run on; empty where the system does not tell."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def choose_cpus(threads: int) -> tuple[int, ...]:
    """As many CPUs as there are threads, on cores of their own as far as possible; none where pinning cannot be.

    Workers that take turns are all pinned to these: the threads that a framework starts beside those of OpenMP
    (MXNet's engine and its schedulers) then get no CPU more than the other framework has, no worker finds a faster or
    cooler core than the next one, and none is moved in the middle of a step.
    """
    allowed = affinity()
    if len(allowed) < threads:
        return ()
    first_of_core, others, seen = [], [], set()
    for cpu in allowed:
        listing = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        core = listing.read_text().strip() if listing.exists() else str(cpu)
        (others if core in seen else first_of_core).append(cpu)
        seen.add(core)
    return tuple(sorted((first_of_core + others)[:threads]))

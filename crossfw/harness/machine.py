"""The machine that a run happened on, and what else it did while speed was measured, as far as it shows that."""

from __future__ import annotations

import contextlib
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

CPUS = Path("/sys/devices/system/cpu")
CGROUPS = (Path("/sys/fs/cgroup/cpu.stat"), Path("/sys/fs/cgroup/cpu/cpu.stat"))
OTHERS = 0.05  # of the CPUs' time, that other programs may take
STOLEN = 0.01  # of the CPUs' time, that the hypervisor may take
IDLE = 0.3  # load for each core


def describe_machine() -> dict[str, Any]:
    """Processor, cores, memory, system, the parent's Python, and what may disturb: load, turbo, saving of power."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text().splitlines() if listing.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "system": platform.platform(),
        "python": platform.python_version(),
        **load_at_start(psutil.getloadavg()[0], os.cpu_count() or 1),
        **frequency_policy(CPUS),
    }


def load_at_start(load: float, cores: int) -> dict[str, str]:
    """The load average of the last minute, with a word where the machine was not idle."""
    text = f"{load:.2f} processes on {cores} cores"
    return {"load_when_the_run_began": text + (", not idle" if load > IDLE * cores else "")}


def frequency_policy(cpus: Path) -> dict[str, str]:
    """Governor and turbo, from the kernel's files below `cpus`, with a word where they make speed vary."""
    found = {}
    if governor := _read(cpus / "cpu0/cpufreq/scaling_governor"):
        vary = "" if governor == "performance" else ", not performance: the clock follows the load"
        found["frequency_governor"] = governor + vary
    states = {cpus / "intel_pstate/no_turbo": {"0": True, "1": False}, cpus / "cpufreq/boost": {"1": True, "0": False}}
    for path, meaning in states.items():
        if (state := meaning.get(_read(path))) is not None:
            found["turbo"] = "on: the clock depends on temperature and on other cores" if state else "off"
    return found


@dataclass(frozen=True)
class Conditions:
    """Counters at one moment, all in seconds since some start; a difference of two tells what happened between.

    Attributes:
        moment: in seconds. cpus: how many are watched.
        busy, stolen: time of the watched CPUs at work, and taken away by the hypervisor.
        own: processor time of this process and its workers.
        held_back: time that a container's quota held its processes back.
        overheated: how often a core was slowed for its temperature (a count).
    """

    moment: float
    cpus: int
    busy: float
    stolen: float
    own: float
    held_back: float
    overheated: int

    @classmethod
    def now(cls, cpus: tuple[int, ...]) -> Conditions:
        """The present counters of some CPUs; of all when empty."""
        times = psutil.cpu_times(percpu=True)
        watched = [times[cpu] for cpu in cpus if cpu < len(times)] or times
        stolen = sum(getattr(cpu, "steal", 0.0) for cpu in watched)
        idle = sum(cpu.idle + getattr(cpu, "iowait", 0.0) for cpu in watched)
        total = sum(sum(cpu) - getattr(cpu, "guest", 0.0) - getattr(cpu, "guest_nice", 0.0) for cpu in watched)
        counts = [_read(path) for path in CPUS.glob("cpu[0-9]*/thermal_throttle/core_throttle_count")]
        return cls(
            moment=time.monotonic(),
            cpus=len(watched),
            busy=total - idle - stolen,
            stolen=stolen,
            own=_own_seconds(),
            held_back=_held_back(),
            overheated=sum(map(int, counts or [0])),
        )


def disturbances(before: Conditions, after: Conditions) -> list[str]:
    """What disturbed the time between two moments on the watched CPUs; empty where nothing did, or nothing shows."""
    span = after.cpus * max(after.moment - before.moment, 1e-9)
    others = ((after.busy - before.busy) - (after.own - before.own)) / span
    stolen = (after.stolen - before.stolen) / span
    held_back, overheated = after.held_back - before.held_back, after.overheated - before.overheated
    found = []
    if others > OTHERS:
        found.append(f"other programs took {others:.0%} of the processor time while speed was measured")
    if stolen > STOLEN:
        found.append(f"the hypervisor took {stolen:.0%} of the processor time while speed was measured")
    if held_back > 0:
        found.append(f"the container's quota held processes back for {held_back:.2g} s while speed was measured")
    if overheated > 0:
        found.append(f"the processor was slowed {overheated} times for its temperature while speed was measured")
    return found


def _own_seconds() -> float:
    total = 0.0
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        with contextlib.suppress(psutil.Error):  # it may have ended
            spent = process.cpu_times()
            total += spent.user + spent.system
    return total


def _held_back() -> float:
    for path in CGROUPS:
        counters = dict(line.split() for line in _read(path).splitlines() if len(line.split()) == 2)
        if "throttled_usec" in counters:
            return int(counters["throttled_usec"]) / 1e6
        if "throttled_time" in counters:
            return int(counters["throttled_time"]) / 1e9
    return 0.0


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""

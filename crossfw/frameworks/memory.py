"""How much memory a process uses, as its system tells it."""

from __future__ import annotations

import contextlib
from pathlib import Path

STATUS = Path("/proc/self/status")


class ResidentMemory:
    """What is resident of this process, in bytes."""

    def now(self) -> int:
        """At this moment."""
        return _bytes("VmRSS")

    def forget_peak(self) -> None:
        """From here on; where that is not allowed, the peak is that since the process began."""
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")

    def peak(self) -> int:
        """The most since `forget_peak`."""
        return _bytes("VmHWM")


def resident_memory() -> ResidentMemory | None:
    """None where there is no /proc."""
    return ResidentMemory() if STATUS.exists() else None


def _bytes(field: str) -> int:
    for line in STATUS.read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise ValueError(f"{STATUS} has no {field}")

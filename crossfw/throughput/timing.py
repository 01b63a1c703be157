"""Timing and memory of steps, in the process of the framework."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

import numpy as np

from crossfw.training.dropout import masks


class Stopwatch:
    """A batch in native arrays, and what it takes to run steps on it.

    Training steps hand their detached state on, as a language model's do, and drop the same units every time.
    """

    def __init__(self, backend: Any, batch: dict[str, np.ndarray]):
        rng = np.random.default_rng(0)
        self.backend, spec = backend, backend.model.spec
        self.batch = {name: backend.native(value) for name, value in batch.items()}
        drawn = masks(spec, batch, rng)
        self.kept = {**self.batch, **{name: backend.native(value) for name, value in drawn.items()}}
        self.state = backend.model.initial_state(batch["inputs"].shape[1])
        self.tiny = {name: value[:2, :1] if value.ndim > 1 else value[:1] for name, value in batch.items()}

    def run(self, mode: str, repeats: int) -> None:
        """`repeats` steps, "train" or "infer", and the wait until they are done."""
        if mode == "train":
            for _ in range(repeats):
                _, self.state = self.backend.step(self.kept, self.state)
        else:
            for _ in range(repeats):
                _, self.state = self.backend.forward(self.batch, self.state)
        self.backend.sync()

    def time(self, mode: str, repeats: int) -> float:
        """Seconds for `repeats` steps; short ones come after one that is not timed, as others used the caches."""
        if repeats > 1:
            self.run(mode, 1)
        start = time.perf_counter()
        self.run(mode, repeats)
        return time.perf_counter() - start

    def matrix_rate(self, size: int, repeats: int, dtype: str) -> float:
        """Floating-point operations per second of the product of two (size, size) matrices, the best of `repeats`."""
        seconds = []
        for _ in range(repeats + 1):
            self.backend.sync()
            start = time.perf_counter()
            self.backend.matrix_product(size, dtype)
            self.backend.sync()
            seconds.append(time.perf_counter() - start)
        return 2.0 * size**3 / min(seconds[1:])

    def peak_memory(self, mode: str, steps: int) -> dict:
        """Resident bytes before the steps (`idle`) and the most during them (`peak`).

        A step on a tiny batch comes first, so that what the framework loads on first use is idle's. Empty where
        there is no /proc, and on another device, whose memory this is not.
        """
        status = Path("/proc/self/status")
        if not status.exists() or self.backend.device != "cpu":
            return {}
        Stopwatch(self.backend, self.tiny).run(mode, 1)
        idle = _resident(status, "VmRSS")
        with contextlib.suppress(OSError):  # where it is not allowed, the peak is that since the start
            Path("/proc/self/clear_refs").write_text("5")
        self.run(mode, steps)
        return {"idle": idle, "peak": _resident(status, "VmHWM")}


def _resident(status: Path, field: str) -> int:
    for line in status.read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise ValueError(f"{status} has no {field}")

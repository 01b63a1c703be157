"""Is the throughput that `crossfw run` prints that of a bare loop over the same step? `python -m tests.bench.overhead`

For each implementation, in a process that imports nothing but its framework: the harness's own timing of a step and a
plain loop over it take turns, on the task lm_rnn. Exits with 1 if the two differ by more than 3 %.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from crossfw.catalogue import find_task
from crossfw.frameworks.threads import environment
from crossfw.harness.options import RunOptions
from crossfw.harness.speed import SpeedTest
from crossfw.harness.work import Work
from crossfw.harness.workers import InProcess
from crossfw.models import IMPLEMENTATIONS, Implementation
from crossfw.throughput.rounds import Contest
from crossfw.throughput.statistics import ratio_interval

ROUNDS, ALLOWED, THREADS = 20, 0.03, 2


class BareLoop:
    """Answers the contest's calls with a plain loop, written out."""

    def __init__(self, backend: InProcess, batch: dict[str, np.ndarray]):
        self.inner = backend._service.backend
        self.batch = {name: self.inner.native(value) for name, value in batch.items()}
        self.state = self.inner.model.initial_state(batch["inputs"].shape[1])

    def call(self, method: str, **arguments: int) -> float | None:
        """Only `time` does anything."""
        if method != "time":
            return None
        self.inner.sync()
        start = time.perf_counter()
        for _ in range(arguments["repeats"]):
            loss, self.state = self.inner.step(self.batch, self.state)
        self.inner.sync()
        return time.perf_counter() - start


def measure(name: str) -> int:
    """Print the ratio for one implementation; 1 if it is too far from 1."""
    work = Work(find_task("lm_rnn"), RunOptions(tasks=(), out=Path(".")))
    backend = InProcess(Implementation(name))
    SpeedTest(work, None, set(), lambda: None).prepare(backend)
    backends = {"harness": backend, "bare": BareLoop(backend, work.batch)}
    contest = Contest(backends, work.batch, work.spec.positions(work.batch))
    speeds = contest.run("train", ROUNDS, math.inf, lambda: None).by_name
    ratio = ratio_interval(speeds["harness"], speeds["bare"])
    print(f"{name:14s} harness / bare loop: {ratio.value:.4f} ({ratio.low:.4f} to {ratio.high:.4f})", flush=True)
    return int(abs(ratio.value - 1) > ALLOWED)


def main() -> int:
    """Every implementation but the reference, each in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.overhead"]
    settings = {**os.environ, **environment(THREADS)}
    return max(subprocess.run([*command, name], env=settings, check=False).returncode for name in IMPLEMENTATIONS[1:])


if __name__ == "__main__":
    sys.exit(measure(sys.argv[1]) if len(sys.argv) > 1 else main())

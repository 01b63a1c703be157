"""Is the throughput that `crossfw run` prints that of a bare loop over the same step? `python -m tests.bench.overhead`

A worker is timed as the harness times it, and a plain loop over the same backend in the same process, in turns.
Exits with 1 if the two differ by more than 3 %.
"""

from __future__ import annotations

import sys
import time

from crossfw.backends.client import InProcess
from crossfw.data import Batch
from crossfw.harness.cells import Work
from crossfw.harness.options import RunOptions
from crossfw.harness.speed import SpeedTest
from crossfw.models import IMPLEMENTATIONS, Implementation
from crossfw.task import find_task
from crossfw.throughput.rounds import Contest
from crossfw.throughput.statistics import ratio_interval

ROUNDS, ALLOWED = 15, 0.03


class BareLoop:
    """Answers the contest's calls with a plain loop, written out."""

    def __init__(self, backend: InProcess, batch: Batch):
        self.inner = backend._service.backend
        self.inputs, self.targets = self.inner.native(batch.inputs), self.inner.native(batch.targets)
        self.state = self.inner.model.initial_state(batch.inputs.shape[1])

    def call(self, method: str, **arguments: int) -> float | None:
        """Only `time` does anything."""
        if method != "time":
            return None
        self.inner.sync()
        start = time.perf_counter()
        for _ in range(arguments["repeats"]):
            loss, self.state = self.inner.step(self.inputs, self.targets, self.state)
        self.inner.sync()
        return time.perf_counter() - start


def main() -> int:
    """Print the ratio for every implementation that is not the reference."""
    from pathlib import Path

    work = Work(find_task("lm_rnn"), RunOptions(tasks=(), out=Path(".")))
    worst = 0.0
    for name in IMPLEMENTATIONS[1:]:
        backend = InProcess(Implementation(name))
        SpeedTest(work, None, set(), lambda: None).prepare(backend)
        contest = Contest(
            {"harness": backend, "bare": BareLoop(backend, work.batch)}, work.batch.inputs, work.batch.targets
        )
        speeds = contest.run("train", ROUNDS, lambda: None).by_name
        ratio = ratio_interval(speeds["harness"], speeds["bare"])
        print(f"{name:14s} harness / bare loop: {ratio.value:.4f} ({ratio.low:.4f} to {ratio.high:.4f})")
        worst = max(worst, abs(ratio.value - 1))
    print(f"largest difference {worst:.2%}, allowed {ALLOWED:.0%}")
    return int(worst > ALLOWED)


if __name__ == "__main__":
    sys.exit(main())

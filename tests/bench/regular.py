"""Is crossfw quick to begin with, and are its agreement stages? `python -m tests.bench.regular [start] [agreement]`

Prints seconds beside their limits: `import crossfw` and `crossfw list` (the median of several processes, the start of
Python included), and agreement stages 0 to 7 of every task in both dtypes, from reading the data to the graded rows,
as many implementations at once as there are cores, with the processor time of all processes beside it. Exits with 1
above a limit.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from crossfw.catalogue import find_task, task_names
from crossfw.data import CorpusUnavailable
from crossfw.harness.cells import DTYPES, Cells
from crossfw.harness.conclude import Conclusion
from crossfw.harness.crew import Crew, run_side_by_side
from crossfw.harness.options import RunOptions
from crossfw.harness.store import Store
from crossfw.harness.work import Work

PROCESSES = 7
IMPORT_SECONDS, LIST_SECONDS, AGREEMENT_SECONDS, CORES = 0.3, 0.6, 60.0, 2
FRAMEWORKS = "; import sys; sys.exit(bool({'mxnet', 'torch'} & set(sys.modules)))"


def report(what: str, seconds: float, limit: float, more: str = "") -> int:
    """Print a line; 1 where the limit is broken."""
    print(f"{what:42} {seconds:7.3f} s, at most {limit:g} s{more}", flush=True)
    return int(seconds > limit)


def start(arguments: list[str]) -> float:
    """Median seconds of Python with these arguments."""
    seconds = []
    for _ in range(PROCESSES):
        begin = time.perf_counter()
        subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
        seconds.append(time.perf_counter() - begin)
    return median(seconds)


def stages(work: Work, store: Store, crew: Crew) -> int:
    """Record and compare one task; how many rows that gave."""
    cells = Cells(work, store, crew, lambda: None)
    queues = [
        [lambda i=implementation, dtype=dtype: cells.agreement(i, dtype) for dtype in DTYPES]
        for implementation in reversed(work.options.implementations)
    ]
    run_side_by_side(crew, queues, work.options.threads)
    rows = Conclusion(cells).agreement()
    bad = [row for row in rows if row["grade"] == "different"] + cells.failures
    if bad:
        raise AssertionError(f"{work.task.name}: {bad[0]}")
    return len(rows)


def processor_seconds() -> float:
    """User and system time of this process and of those that it waited for."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def ready_work(options: RunOptions) -> list[Work]:
    """All tasks whose data can be had, read."""
    ready = []
    for name in task_names():
        work = Work(find_task(name), options)
        try:
            work.check()
        except CorpusUnavailable:
            print(f"  {name:40} left out: its corpus is not here")
            continue
        ready.append(work)
    return ready


def agreement() -> int:
    """All tasks whose data can be had."""
    begin, before, rows = time.perf_counter(), processor_seconds(), 0
    with tempfile.TemporaryDirectory() as folder:
        options = RunOptions(tasks=(), out=Path(folder), threads=min(CORES, os.cpu_count() or 1))
        store = Store(options.out, resume=False)
        with Crew({}, 1) as crew:
            crew.start(options.implementations)
            ready = ready_work(options)
            print(f"  {'data of all tasks':40} {time.perf_counter() - begin:7.2f} s")
            for work in ready:
                since, rows = time.perf_counter(), rows + stages(work, store, crew)
                print(f"  {work.task.name:40} {time.perf_counter() - since:7.2f} s")
    more = f" ({len(ready)} tasks, {rows} rows; {processor_seconds() - before:.1f} s of processor time)"
    return report("agreement, stages 0 to 7", time.perf_counter() - begin, AGREEMENT_SECONDS, more)


def main() -> int:
    """Measure what was asked for; 1 where a limit is broken."""
    asked, broken = sys.argv[1:] or ["start", "agreement"], 0
    if "start" in asked:
        broken |= report("import crossfw", start(["-c", "import crossfw" + FRAMEWORKS]), IMPORT_SECONDS)
        broken |= report("crossfw list", start(["-m", "crossfw", "list"]), LIST_SECONDS)
    return broken | agreement() if "agreement" in asked else broken


if __name__ == "__main__":
    sys.exit(main())

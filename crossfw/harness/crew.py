"""Warm workers of each implementation, and jobs for them on a few threads of the parent."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from itertools import count
from threading import Lock, get_ident
from typing import Callable

from crossfw.harness.workers import start_worker
from crossfw.models import Implementation
from crossfw.workers.client import Worker, WorkerDied

Job = Callable[[], None]
AT_A_QUEUE = 2  # threads on average, at most: each has a process, which stays warm


class Crew:
    """Starts a worker when it is first asked for, and again when it has died; all on the same `cpus`, if any."""

    def __init__(self, pythons: dict[str, str], threads: int, cpus: tuple[int, ...] = ()):
        self.pythons, self.threads, self.cpus, self.stopped = pythons, threads, cpus, False
        self.workers: dict[str, Worker] = {}
        self.lent: set[str] = set()
        self.lock = Lock()

    def worker(self, implementation: Implementation, role: str = "") -> Worker:
        """The warm worker of an implementation; another `role` is another process of it.

        Raises:
            WorkerDied: after `kill`, which is for good.
        """
        if self.stopped:
            raise WorkerDied(implementation.name, "the run was stopped")
        key = implementation.name + role
        if key not in self.workers or not self.workers[key].alive:
            self.dismiss(key)
            python = self.pythons.get(implementation.framework)
            self.workers[key] = start_worker(implementation, python, self.threads, self.cpus)
            if self.stopped:  # meanwhile, by another thread, which did not see this one
                self.workers[key].kill()
                raise WorkerDied(implementation.name, "the run was stopped")
        return self.workers[key]

    def start(self, implementations: Iterable[Implementation]) -> None:
        """Start their workers and wait for none: they import their frameworks while the parent does something else."""
        for implementation in implementations:
            self.worker(implementation)

    @contextmanager
    def lend(self, implementation: Implementation) -> Iterator[Worker]:
        """A warm worker that nobody else uses within; where all are at work, another process of the implementation."""
        with self.lock:
            roles = (f" ({number})" if number > 1 else "" for number in count(1))
            role = next(role for role in roles if implementation.name + role not in self.lent)
            self.lent.add(implementation.name + role)
        try:
            yield self.worker(implementation, role)
        finally:
            self.lent.discard(implementation.name + role)

    def dismiss(self, key: str) -> None:
        """Close one worker, if there is one."""
        if key in self.workers:
            self.workers.pop(key).close()

    def close(self) -> None:
        """Close all."""
        for key in list(self.workers):
            self.dismiss(key)

    def kill(self) -> None:
        """End all processes now, whatever they compute, and start no more."""
        self.stopped = True
        for worker in list(self.workers.values()):
            worker.kill()

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        if kind is not None:
            self.kill()
        self.close()


class Sharing:
    """Queues of jobs that several threads work off, none of them idle while a job waits.

    A thread keeps to a queue to its end, each begins with the first that nobody is at, and where there is none left it
    helps with the longest.
    """

    def __init__(self, queues: list[list[Job]]):
        self.queues = [deque(queue) for queue in queues]
        self.at: dict[int, deque[Job]] = {}  # by thread
        self.lock = Lock()

    def work(self) -> None:
        """Do jobs until none waits."""
        while (job := self._next()) is not None:
            job()

    def _next(self) -> Job | None:
        with self.lock:
            mine = self.at.pop(get_ident(), None)
            if not mine:
                left = [queue for queue in self.queues if queue]
                alone = [queue for queue in left if all(queue is not other for other in self.at.values())]
                mine = alone[0] if alone else max(left, key=len, default=None)
            if mine is None:
                return None
            self.at[get_ident()] = mine
            return mine.popleft()


def run_side_by_side(crew: Crew, queues: list[list[Job]], at_once: int) -> None:
    """Run queues of jobs on at most `at_once` threads; those of a queue begin in its order, and may run together.

    An exception in one of them, or the interrupt of the user, kills the crew, so that all others end, and is raised.
    """
    sharing, at_once = Sharing(queues), min(at_once, max(1, AT_A_QUEUE * len(queues)))
    with ThreadPoolExecutor(at_once) as pool:
        try:
            for future in as_completed([pool.submit(sharing.work) for _ in range(at_once)]):
                future.result()
        except BaseException:
            crew.kill()
            raise

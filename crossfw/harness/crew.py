"""Warm workers, one per implementation, and jobs for them on a few threads of the parent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Callable

from crossfw.backends.client import Worker, WorkerDied
from crossfw.models import Implementation

Job = Callable[[], None]


class Crew:
    """Starts a worker when it is first asked for, and again when it has died; all on the same `cpus`, if any."""

    def __init__(self, pythons: dict[str, str], threads: int, cpus: tuple[int, ...] = ()):
        self.pythons, self.threads, self.cpus, self.stopped = pythons, threads, cpus, False
        self.workers: dict[str, Worker] = {}

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
            self.workers[key] = Worker(implementation, python, self.threads, self.cpus)
        return self.workers[key]

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


def run_side_by_side(crew: Crew, queues: list[list[Job]], at_once: int) -> None:
    """Run queues of jobs, each queue in its order, `at_once` queues at a time.

    An exception in one of them, or the interrupt of the user, kills the crew, so that all others end, and is raised.
    """

    def run(queue: list[Job]) -> None:
        for job in queue:
            job()

    with ThreadPoolExecutor(at_once) as pool:
        try:
            for future in [pool.submit(run, queue) for queue in queues]:
                future.result()
        except BaseException:
            crew.kill()
            raise

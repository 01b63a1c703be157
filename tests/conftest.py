"""Warm workers that tests share: one process per implementation and test process."""

from __future__ import annotations

import pytest

from crossfw.harness.workers import start_worker
from crossfw.models import Implementation
from crossfw.workers.client import Worker

pytest_plugins = ["pytester"]


class Workers:
    """Starts a worker when a test first asks for it."""

    def __init__(self) -> None:
        self.running: dict[str, Worker] = {}

    def __getitem__(self, name: str) -> Worker:
        if name not in self.running or not self.running[name].alive:
            self.running[name] = start_worker(Implementation(name))
        return self.running[name]


@pytest.fixture
def without_speed(monkeypatch):
    """Runs end with what was learned: the processes of a contest take longer than all the rest of a small task."""
    from crossfw.harness.speed import SpeedResult, SpeedTest

    monkeypatch.setattr(SpeedTest, "run", lambda self: SpeedResult([], None))


@pytest.fixture(scope="session")
def workers():
    shared = Workers()
    yield shared
    for worker in shared.running.values():
        worker.close()

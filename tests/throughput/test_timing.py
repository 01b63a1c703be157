"""What is timed is what was asked for: every step, synchronised; and memory that is really used."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from crossfw.backends.client import Worker
from crossfw.models import IMPLEMENTATIONS, Implementation
from crossfw.models.network.spec import Spec
from crossfw.throughput.timing import Stopwatch


class FakeModel:
    spec = Spec(3, 2, 3)

    def initial_state(self, batch_size):
        return 0


class FakeBackend:
    """Queues work as an asynchronous framework does; only sync() does it."""

    def __init__(self):
        self.model, self.queued, self.done, self.log = FakeModel(), 0, 0, []

    def native(self, array):
        return array

    def step(self, batch, state):
        self.queued += 1
        return None, state + 1

    def forward(self, batch, state):
        self.queued += 1
        return {}, state + 1

    def sync(self):
        self.done, self.queued = self.done + self.queued, 0


@pytest.mark.parametrize("mode", ["train", "infer"])
def test_every_step_is_done_before_the_clock_is_read(mode):
    backend = FakeBackend()
    stopwatch = Stopwatch(backend, {"inputs": np.zeros((2, 1)), "targets": np.zeros((2, 1))})
    backend.step(None, 0)  # left over from before
    stopwatch.time(mode, 5)
    assert (backend.done, backend.queued) == (7, 0)
    assert stopwatch.state == 6  # one step that is not timed, and five


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_peak_memory_grows_with_the_batch(name):
    peaks = []
    for steps in (4, 400):
        with Worker(Implementation(name)) as worker:
            spec = Spec(20, 64, 20)
            worker.call("build", model="network", spec=asdict(spec), dtype="float32", device="cpu")
            worker.call("configure_optimizer", spec={"name": "sgd"})
            tokens = np.zeros((steps, 64), int)
            worker.call("prepare_timing", batch={"inputs": tokens, "targets": tokens})
            seen = worker.call("peak_memory", mode="train", steps=1)
            peaks.append(seen["peak"] - seen["idle"])
    states = 400 * 64 * 64 * 4
    assert peaks[1] - peaks[0] > states / 2, "back-propagation has to keep every state"


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_the_matrix_rate_is_a_rate(workers, name):
    workers[name].call("build", model="network", spec=asdict(Spec(3, 2, 3)), dtype="float32", device="cpu")
    one = np.zeros((1, 1), int)
    workers[name].call("prepare_timing", batch={"inputs": one, "targets": one})
    assert 1e8 < workers[name].call("matrix_rate", size=256, repeats=3) < 1e13

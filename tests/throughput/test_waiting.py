"""A `sync()` that does not wait is found, by work whose true duration is known."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import asdict

import numpy as np
import pytest

from crossfw.errors import CrossfwError
from crossfw.harness.workers import start_worker
from crossfw.models import IMPLEMENTATIONS, Implementation
from crossfw.models.network.spec import Spec
from crossfw.throughput.timing import Stopwatch
from crossfw.throughput.waiting import ALLOWED, product_left_to_do, require_waiting
from crossfw.workers.client import CallFailed, Worker

STEP_SECONDS = 0.01
BATCH = {"inputs": np.zeros((2, 1)), "targets": np.zeros((2, 1))}


class Model:
    spec, parameters = Spec(3, 2, 3), {"W": np.zeros(1)}

    def initial_state(self, batch_size):
        return {}


class Asynchronous:
    """Takes orders at once and works on them, STEP_SECONDS each, in a thread, as an asynchronous framework does."""

    dtype = "float64"

    def __init__(self, waits: bool):
        self.model, self.waits, self.orders = Model(), waits, queue.Queue()
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self):
        while True:
            self.orders.get()
            time.sleep(STEP_SECONDS)
            self.orders.task_done()

    def native(self, array):
        return array

    def numpy(self, array):
        self.orders.join()
        return array

    def step(self, batch, state):
        self.orders.put("step")
        return np.zeros(()), state

    def forward(self, batch, state):
        self.orders.put("step")
        return {"output": np.zeros(1)}, state

    def product(self, a, b):
        self.orders.put("product")
        return a

    def sync(self):
        if self.waits:
            self.orders.join()


@pytest.mark.parametrize("mode", ["train", "infer"])
def test_steps_of_a_known_duration_take_it_and_leave_nothing(mode):
    stopwatch = Stopwatch(Asynchronous(waits=True), BATCH)
    assert stopwatch.time(mode, 3) >= 3 * STEP_SECONDS
    assert stopwatch.left_to_do(mode, 3) <= ALLOWED


@pytest.mark.parametrize("mode", ["train", "infer"])
def test_a_sync_that_does_not_wait_leaves_the_work(mode):
    assert Stopwatch(Asynchronous(waits=False), BATCH).left_to_do(mode, 3) > 0.5


@pytest.mark.parametrize("waits", [True, False])
def test_a_product_tells_too(waits):
    assert (product_left_to_do(Asynchronous(waits)) <= ALLOWED) is waits


def test_what_is_left_is_told_with_its_share():
    require_waiting("3 steps", ALLOWED)
    with pytest.raises(CrossfwError, match="62% of the work"):
        require_waiting("3 steps", 0.62)


def prepare(worker: Worker) -> None:
    worker.call("build", model="network", spec=asdict(Spec(20, 64, 20)), dtype="float32", device="cpu")
    worker.call("configure_optimizer", spec={"name": "sgd"})
    tokens = np.zeros((20, 16), int)
    worker.call("prepare_timing", batch={"inputs": tokens, "targets": tokens})


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_every_sibling_waits(workers, name):
    prepare(workers[name])
    for mode in ("train", "infer"):
        workers[name].call("check_sync", mode=mode, repeats=3)
    workers[name].call("check_sync_of_product")


def test_mxnet_without_waitall_is_found(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from crossfw.frameworks.mxnet import Backend as Plain\n"
        "from crossfw.models.network.mxnet_scratch import Model\n"
        "class Backend(Plain):\n    def sync(self):\n        pass\n"
    )
    with start_worker(Implementation("mxnet-mine", str(file))) as worker:
        prepare(worker)
        with pytest.raises(CallFailed, match="of the work still to be done"):
            worker.call("check_sync_of_product")

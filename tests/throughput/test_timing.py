"""What is timed is what was asked for: every step, synchronised; and memory that is really used."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from crossfw.harness.options import parse_implementations
from crossfw.harness.workers import start_worker
from crossfw.models import IMPLEMENTATIONS, Implementation
from crossfw.models.network.spec import Spec
from crossfw.throughput.timing import Stopwatch, lengthened

IN_NUMPY_ARRAYS = """
from crossfw.frameworks.mxnet import Backend as Plain
from crossfw.models.network.mxnet_scratch import Model

class Backend(Plain):
    def native(self, array):
        return super().native(array).as_np_ndarray()
"""


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
        with start_worker(Implementation(name)) as worker:
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
def test_memory_grows_with_the_steps_by_the_states_that_are_kept(name):
    steps, sequences, width = 100, 64, 64
    with start_worker(Implementation(name)) as worker:
        worker.call("build", model="network", spec=asdict(Spec(20, width, 20)), dtype="float32", device="cpu")
        worker.call("configure_optimizer", spec={"name": "sgd"})
        tokens = np.zeros((steps, sequences), int)
        worker.call("prepare_timing", batch={"inputs": tokens, "targets": tokens})
        seen = worker.call("peak_memory", mode="train", steps=2)
    states = steps * sequences * width * 4
    assert states / 2 < seen["longer"] - seen["peak"] < 40 * states
    assert seen["idle"] < seen["peak"]


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_the_machines_rates_are_rates(workers, name):
    workers[name].call("build", model="network", spec=asdict(Spec(3, 2, 3)), dtype="float32", device="cpu")
    rates = workers[name].call("machine_rates", size=256, copied=1 << 20, seconds=0.0)
    assert 1e8 < rates["operations"] < 1e13
    assert 1e7 < rates["bytes"] < 1e13


def test_a_model_in_mxnets_numpy_arrays_has_rates_too(tmp_path):
    file = tmp_path / "numpy_arrays.py"
    file.write_text(IN_NUMPY_ARRAYS)
    _, implementation = parse_implementations([f"mxnet-np={file}"])
    with start_worker(implementation) as worker:
        worker.call("build", model="network", spec=asdict(Spec(3, 2, 3)), dtype="float32", device="cpu")
        assert worker.call("machine_rates", size=64, copied=1 << 16, seconds=0.0)["operations"] > 0
        worker.call("prepare_timing", batch={name: np.zeros((2, 1), int) for name in ("inputs", "targets")})
        assert worker.call("small_products") > 0


def test_a_longer_batch_keeps_its_padding_at_the_end():
    batch = {"mask": np.array([[1, 1], [1, 0]]), "targets": np.array([3, 4])}
    longer = lengthened(batch, 2)
    np.testing.assert_array_equal(longer["mask"], [[1, 1], [1, 1], [1, 0], [1, 0]])
    np.testing.assert_array_equal(longer["targets"], [3, 4])

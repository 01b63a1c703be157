"""Devices: which cards MXNet can use, and, where there is one, torch on it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from crossfw.harness.workers import start_worker
from crossfw.models import Implementation
from crossfw.models.network.spec import Spec
from crossfw.throughput.measure import COPIED_BYTES, MATRIX_SIZE, RATE_SECONDS
from crossfw.workers.client import CallFailed, Worker
from tests.in_process import import_mxnet

NO_CARD = "no NVIDIA card here: /dev/nvidia0 does not exist"
needs_card = pytest.mark.skipif(not Path("/dev/nvidia0").exists(), reason=NO_CARD)
SPEC = Spec(20, 64, 20)
BATCH = {"inputs": np.arange(80).reshape(10, 8) % 20, "targets": np.arange(80).reshape(10, 8) % 20}


@pytest.mark.parametrize(
    ("built", "found", "words"),
    [
        (False, (8, 0), "built for CPUs alone"),
        (True, None, "shows no such card"),
        (True, (9, 0), "compute capability 9.0; mxnet-cu112==1.9.1 runs on"),
        (True, (3, 5), "compute capability 3.5"),
        (True, (5, 0), None),
        (True, (8, 6), None),
        (True, (8, 9), None),
    ],
)
def test_cards_that_mxnet_can_use(built, found, words):
    import_mxnet()
    from crossfw.models.mxnet_device import require_card

    if words is None:
        require_card(built, found, "cuda:0")
        return
    with pytest.raises(ValueError, match=words):
        require_card(built, found, "cuda:0")


def test_a_driver_tells_a_capability_or_nothing():
    import_mxnet()
    from crossfw.models.mxnet_device import capability

    found = capability(0)
    assert found is None or found >= (3, 0)
    assert capability(10**6) is None


def prepared(worker: Worker, device: str, dtype: str = "float32") -> Worker:
    worker.call("build", model="network", spec=asdict(SPEC), dtype=dtype, device=device)
    rng = np.random.default_rng(0)
    worker.call("load", parameters={name: rng.normal(0, 0.3, shape) for name, shape in SPEC.shapes().items()})
    worker.call("configure_optimizer", spec={"name": "sgd"})
    worker.call("prepare_timing", batch=BATCH)
    return worker


@pytest.mark.gpu
@needs_card
@pytest.mark.parametrize("name", ["torch-scratch", "torch-nn"])
def test_torch_computes_the_same_on_the_card(workers, name):
    state = {"h": np.zeros((8, 64))}
    with start_worker(Implementation(name)) as worker:
        ours = prepared(worker, "cuda:0", "float64").call("forward", batch=BATCH, state=state)["activations"]
    theirs = prepared(workers["numpy"], "cpu", "float64").call("forward", batch=BATCH, state=state)["activations"]
    np.testing.assert_allclose(ours["output"], theirs["output"], rtol=0, atol=1e-11)


@pytest.mark.gpu
@needs_card
def test_torch_waits_for_the_card(tmp_path):
    with start_worker(Implementation("torch-nn")) as worker:
        prepared(worker, "cuda:0").call("check_sync", mode="train", repeats=5)
        worker.call("check_sync_of_product")


@pytest.mark.gpu
@needs_card
def test_a_card_that_is_not_waited_for_is_found(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from crossfw.frameworks.torch import Backend as Plain\n"
        "from crossfw.models.network.torch_scratch import Model\n"
        "class Backend(Plain):\n"
        "    def product(self, a, b):\n"
        "        for _ in range(200):\n            c = a @ b.T\n"
        "        return c\n"
        "    def sync(self):\n        pass\n"
    )
    with start_worker(Implementation("torch-mine", str(file))) as worker:
        prepared(worker, "cuda:0")
        with pytest.raises(CallFailed, match="of the work still to be done"):
            worker.call("check_sync_of_product")


@pytest.mark.gpu
@needs_card
def test_torch_tells_its_card_and_how_much_of_it_a_step_takes():
    tokens, peaks = np.arange(400 * 64).reshape(400, 64) % 20, []
    with start_worker(Implementation("torch-scratch")) as worker:
        prepared(worker, "cuda:0")
        facts = worker.call("environment")
        for steps in (4, 400):
            batch = {"inputs": tokens[:steps], "targets": tokens[:steps]}
            worker.call("prepare_timing", batch=batch)
            seen = worker.call("peak_memory", mode="train", steps=1)
            peaks.append(seen["peak"] - seen["idle"])
    assert facts["card"]
    assert facts["card_memory_bytes"] > 1e9
    states = 400 * 64 * 64 * 4
    assert peaks[1] - peaks[0] > states / 2, "back-propagation has to keep every state"
    assert 10 * states > seen["longer"] - seen["peak"] > states / 2


@pytest.mark.gpu
@needs_card
@pytest.mark.parametrize(
    ("name", "dtype", "told"),
    [("torch-nn", "float32", True), ("torch-nn", "float64", False), ("torch-scratch", "float32", False)],
)
def test_it_is_told_that_cudnn_approximates(name, dtype, told):
    with start_worker(Implementation(name)) as worker:
        prepared(worker, "cuda:0", dtype).call("forward", batch=BATCH, state={"h": np.zeros((8, 64))})
        notes = worker.call("notes")
    assert any("cuDNN" in note for note in notes) == told


@pytest.mark.gpu
@needs_card
def test_cells_that_are_stepped_under_a_mask_are_not_called_cudnns():
    """Two sizes take a layer for each direction, and a mask takes those away."""
    spec = Spec(20, 64, 20, direction="bidirectional", backward_size=32, head="tagger")
    batch = {**BATCH, "mask": np.ones((10, 8))}
    state = {name: np.zeros(shape) for name, shape in spec.state_shapes(8).items()}
    with start_worker(Implementation("torch-nn")) as worker:
        worker.call("build", model="network", spec=asdict(spec), dtype="float32", device="cuda:0")
        worker.call("forward", batch=batch, state=state)
        assert not any("cuDNN" in note for note in worker.call("notes"))


@pytest.mark.gpu
@needs_card
def test_a_card_copies_faster_than_its_launches_would_allow():
    with start_worker(Implementation("torch-nn")) as worker:
        prepared(worker, "cuda:0")
        small = worker.call("machine_rates", size=64, copied=4 << 20, seconds=0.0)
        rates = worker.call(
            "machine_rates", size=MATRIX_SIZE["cuda"], copied=COPIED_BYTES["cuda"][0], seconds=RATE_SECONDS
        )
    assert rates["operations"] > 10 * small["operations"]
    assert rates["bytes"] > 1.5 * small["bytes"]

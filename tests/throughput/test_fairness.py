"""Workers whose settings are not those of the others are told, by what they read back of themselves."""

from __future__ import annotations

import os
from dataclasses import asdict

import pytest

from crossfw.frameworks.threads import affinity, choose_cpus
from crossfw.harness.workers import start_worker
from crossfw.models import IMPLEMENTATIONS, Implementation
from crossfw.models.network.spec import Spec
from crossfw.throughput.fairness import misfits

VARIABLES = {"MXNET_CPU_WORKER_NTHREADS": "1"}


def facts(**changed) -> dict:
    fine = {"threads": 2, "thread_pools": {"libgomp": 2}, "cpus": [0, 1], "variables": VARIABLES}
    return {**fine, **changed}


CASES = {
    "equal": ({"torch-nn": facts(), "mxnet-gluon": facts(mxnet="1.9.1")}, [0, 1], []),
    "its own count": ({"a": facts(threads=1)}, [0, 1], ["a runs with other threads", "1 by its own count"]),
    "a pool": ({"a": facts(thread_pools={"libgomp": 2, "libopenblas": 8})}, [0, 1], ["8 by libopenblas"]),
    "CPUs": ({"a": facts(cpus=[0, 1, 2])}, [0, 1], ["a may run on CPUs 0, 1, 2, the others on 0, 1"]),
    "not pinned": ({"a": facts(), "b": facts(cpus=[0])}, [], ["different CPUs"]),
    "not pinned, equal": ({"a": facts(), "b": facts()}, [], []),
    "no CPUs to tell": ({"a": facts(cpus=[])}, [0, 1], []),
    "not read back": ({"a": facts(thread_pools={})}, [0, 1], ["no threadpoolctl"]),
    "naive engine": (
        {"mxnet-gluon": facts(mxnet="1.9.1", variables={**VARIABLES, "MXNET_ENGINE_TYPE": "NaiveEngine"})},
        [0, 1],
        ["NaiveEngine"],
    ),
    "wide engine": ({"mxnet-gluon": facts(mxnet="1.9.1", variables={})}, [0, 1], ["any number of operators at once"]),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_unequal_is_told(case):
    read_back, cpus, words = CASES[case]
    found = misfits(read_back, 2, cpus)
    assert len(found) == (1 if words else 0)
    assert all(word in found[0] for word in words)


def read_back(name: str, file: str | None = None, threads: int = 1, cpus: tuple[int, ...] = ()) -> dict:
    with start_worker(Implementation(name, file), threads=threads, cpus=cpus) as worker:
        worker.call("build", model="network", spec=asdict(Spec(3, 2, 3)), dtype="float32", device="cpu")
        return {name: worker.call("environment")}


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_every_sibling_runs_as_it_was_told(name):
    cpus = choose_cpus(1)
    found = read_back(name, threads=1, cpus=cpus)
    assert misfits(found, 1, list(cpus)) == []
    assert found[name]["cpus"] == list(cpus)


def test_a_worker_that_takes_more_threads_is_found(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "import torch\nfrom crossfw.frameworks.torch import Backend as Plain\n"
        "from crossfw.models.network.torch_scratch import Model\n"
        "class Backend(Plain):\n    def __init__(self, *a):\n        super().__init__(*a)\n"
        "        torch.set_num_threads(3)\n"
    )
    (found,) = misfits(read_back("torch-mine", str(file)), 1, [])
    assert "torch-mine runs with other threads than the 1 that all were given: 3 by its own count" in found


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system has no CPU affinity to read")
def test_cpus_are_chosen_from_those_that_are_allowed():
    allowed = affinity()
    assert list(choose_cpus(len(allowed))) == allowed
    assert set(choose_cpus(1)) <= set(allowed)
    assert choose_cpus(len(allowed) + 1) == ()

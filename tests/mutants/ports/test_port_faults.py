"""Every seeded fault is caught at its stage; nearly all that have a known cause are named by it."""

from __future__ import annotations

import json
import os

import pytest

from crossfw.verification.row import STAGES
from tests.mutants.ports.faults import FAULTS
from tests.mutants.ports.table import Result, result_of
from tests.sampling import sample

# Faults make the frameworks warn, and MXNet warns of symbols without a dtype.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

NAMED = 0.95
TRAPS = {fault.trap: fault for fault in FAULTS if fault.trap and fault.causes}  # one fault of each
SAMPLE = sample(FAULTS, TRAPS.values())


class Results:
    """Results of faults, each computed once for all processes of a test run."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def __getitem__(self, fault) -> Result:
        file = self.folder / f"{FAULTS.index(fault)}.json"
        if not file.exists():
            result = result_of(fault)
            part = file.with_suffix(f".{os.getpid()}")
            part.write_text(json.dumps([result.stage, result.named]))
            part.replace(file)
        stage, named = json.loads(file.read_text())
        return Result(fault, stage, tuple(named))


@pytest.fixture(scope="session")
def results(tmp_path_factory) -> Results:
    base = tmp_path_factory.getbasetemp()
    return Results((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "port-faults")


def label(fault) -> str:
    return f"{fault.architecture}: {fault.name}"


@pytest.mark.parametrize("fault", SAMPLE, ids=label)
def test_a_seeded_fault_is_caught_where_it_is(fault, results):
    assert results[fault].stage == fault.stage


@pytest.mark.parametrize("trap", sorted(TRAPS))
def test_a_known_trap_is_named(trap, results):
    for fault in (fault for fault in SAMPLE if fault.trap == trap and fault.causes):
        assert results[fault].right, f"{label(fault)}: named {results[fault].named}"


@pytest.mark.timeout(3600)
def test_nearly_all_known_causes_are_named(results):
    known = [fault for fault in SAMPLE if fault.causes]
    missed = [label(fault) for fault in known if not results[fault].right]
    assert len(missed) <= (1 - NAMED) * len(known), missed


def test_the_catalogue_is_wide_enough():
    assert len(FAULTS) >= 60
    assert len({fault.architecture for fault in FAULTS}) >= 10
    assert len({label(fault) for fault in FAULTS}) == len(FAULTS)
    assert {fault.stage for fault in FAULTS} == set(STAGES)

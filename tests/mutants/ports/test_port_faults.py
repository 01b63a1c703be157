"""Every seeded fault is caught at its stage; nearly all that have a known cause are named by it."""

from __future__ import annotations

import pytest

from crossfw.verification.verdict import STAGES
from tests.mutants.ports.faults import FAULTS
from tests.mutants.ports.table import Result, result_of

NAMED = 0.95


@pytest.fixture(scope="module")
def results() -> dict:
    """Results by fault, filled by the tests of the faults."""
    return {}


def found(fault, results: dict) -> Result:
    if fault not in results:
        results[fault] = result_of(fault)
    return results[fault]


def label(fault) -> str:
    return f"{fault.architecture}: {fault.name}"


@pytest.mark.parametrize("fault", FAULTS, ids=label)
def test_a_seeded_fault_is_caught_where_it_is(fault, results):
    assert found(fault, results).stage == fault.stage


@pytest.mark.parametrize("trap", sorted({fault.trap for fault in FAULTS if fault.trap and fault.causes}))
def test_a_known_trap_is_named(trap, results):
    for fault in (fault for fault in FAULTS if fault.trap == trap and fault.causes):
        assert found(fault, results).right, f"{label(fault)}: named {found(fault, results).named}"


def test_nearly_all_known_causes_are_named(results):
    known = [fault for fault in FAULTS if fault.causes]
    missed = [label(fault) for fault in known if not found(fault, results).right]
    assert len(missed) <= (1 - NAMED) * len(known), missed


def test_the_catalogue_is_wide_enough():
    assert len(FAULTS) >= 60
    assert len({fault.architecture for fault in FAULTS}) >= 10
    assert len({label(fault) for fault in FAULTS}) == len(FAULTS)
    assert {fault.stage for fault in FAULTS} == set(STAGES)

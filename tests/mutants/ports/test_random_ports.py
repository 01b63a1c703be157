"""Random true ports are not flagged: a sample here, more with `python -m tests.mutants.ports.random_ports 500`."""

from __future__ import annotations

from tests.mutants.ports.random_ports import run

SAMPLE = 20


def test_no_random_true_port_is_flagged():
    assert run(SAMPLE) == []

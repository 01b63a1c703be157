"""Runs of the harness, as short as they may be."""

from __future__ import annotations

import pytest

from crossfw.harness.work import Work
from crossfw.throughput.measure import GLANCE

EFFORT, MEASURES_MEMORY = Work.effort, Work.measures_memory


@pytest.fixture(autouse=True)
def _at_a_glance(monkeypatch):
    """Fresh processes for memory, and seconds of speed, take longer than all the rest of a small task."""
    monkeypatch.setattr(Work, "effort", GLANCE)
    monkeypatch.setattr(Work, "measures_memory", False)


@pytest.fixture
def _as_asked_for(monkeypatch, _at_a_glance):
    """Measured as outside of tests."""
    monkeypatch.setattr(Work, "effort", EFFORT)
    monkeypatch.setattr(Work, "measures_memory", MEASURES_MEMORY)

"""Runs of the harness, as short as they may be."""

from __future__ import annotations

import pytest

from crossfw.harness.work import Work

MEASURES_MEMORY = Work.measures_memory


@pytest.fixture(autouse=True)
def _without_memory(monkeypatch):
    """Memory is measured in fresh processes, which take longer than all the rest of a small task."""
    monkeypatch.setattr(Work, "measures_memory", False)


@pytest.fixture
def _with_memory(monkeypatch, _without_memory):
    """Measured as outside of tests."""
    monkeypatch.setattr(Work, "measures_memory", MEASURES_MEMORY)

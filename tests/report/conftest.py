"""One written report for all the tests that only look at it."""

from __future__ import annotations

import pytest

from crossfw.report import write_report
from tests.report import examples


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("report")
    write_report(examples.everything(), path)
    return path


@pytest.fixture(scope="session")
def page_text(folder):
    return (folder / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def markdown_text(folder):
    return (folder / "report.md").read_text(encoding="utf-8")

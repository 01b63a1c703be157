"""The pytest plugin: a fixture that verifies a pair, and an `assert` that shows the verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

VERDICTS = pytest.StashKey[list]()


@pytest.fixture
def crossfw_verify(request: pytest.FixtureRequest) -> Any:
    """`crossfw_verify(block, module, inputs, ...)` or `crossfw_verify("port.py")`: the verdict, to be asserted.

    A port file runs in worker processes, models in this one. A test that fails shows its verdicts whole.
    """
    verdicts = request.node.stash.setdefault(VERDICTS, [])

    def check(*arguments: Any, **settings: Any) -> Any:
        from crossfw.verification import verify, verify_file

        if len(arguments) == 1 and isinstance(arguments[0], (str, Path)):
            verdicts.append(verify_file(arguments[0], **settings))
        else:
            verdicts.append(verify(*arguments, **settings))
        return verdicts[-1]

    return check


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Add the verdicts of a test that failed to its report."""
    report = (yield).get_result()
    if report.failed:
        for verdict in item.stash.get(VERDICTS, []):
            report.sections.append(("crossfw verdict", str(verdict)))

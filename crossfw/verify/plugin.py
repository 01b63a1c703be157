"""The pytest plugin: a fixture that verifies a pair, and an `assert` that shows the verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def crossfw_verify() -> Any:
    """`crossfw_verify(block, module, inputs, ...)` or `crossfw_verify("port.py")`: the verdict, to be asserted.

    A port file runs in worker processes, models in this one.
    """

    def check(*arguments: Any, **settings: Any) -> Any:
        from crossfw.verify import verify, verify_file

        if len(arguments) == 1 and isinstance(arguments[0], (str, Path)):
            return verify_file(arguments[0], **settings)
        return verify(*arguments, **settings)

    return check


def pytest_assertrepr_compare(op: str, left: Any, right: Any) -> list[str] | None:
    """Show a verdict that was compared with a truth value."""
    verdicts = [side for side in (left, right) if type(side).__name__ == "PortVerdict"]
    return str(verdicts[0]).splitlines() if verdicts else None

"""All cases of the D2L audit."""

from __future__ import annotations

from audits.d2l import (
    attention,
    boxes,
    linear,
    reasons,
    recurrent,
    steps,
    text,
    training,
    transformer,
    use,
    vision,
)
from audits.d2l.case import AuditCase
from crossfw.checks import require_choice

FAMILIES = (
    linear,
    recurrent,
    attention,
    transformer,
    vision,
    training,
    steps,
    use,
    boxes,
)

CASES: tuple[AuditCase, ...] = tuple(case for family in (*FAMILIES, text, reasons) for case in family.CASES)


def find(name: str) -> AuditCase:
    """The case of a name.

    Raises:
        CrossfwError: there is none; with the nearest name.
    """
    by_name = {case.name: case for case in CASES}
    require_choice("case of the D2L audit", name, by_name)
    return by_name[name]


def port_of(name: str, mended: bool = False) -> dict:
    """The values of a model's port; with its known cause removed, where that is asked.

    Raises:
        CrossfwError: there is no such case.
    """
    case = find(name)
    return (case.mended_case() if mended else case).port

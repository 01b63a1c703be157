"""All cases of the D2L audit."""

from __future__ import annotations

from crossfw.audit import (
    d2l_attention,
    d2l_boxes,
    d2l_linear,
    d2l_reasons,
    d2l_recurrent,
    d2l_steps,
    d2l_text,
    d2l_training,
    d2l_transformer,
    d2l_use,
    d2l_vision,
)
from crossfw.audit.case import AuditCase
from crossfw.checks import require_choice

FAMILIES = (
    d2l_linear,
    d2l_recurrent,
    d2l_attention,
    d2l_transformer,
    d2l_vision,
    d2l_training,
    d2l_steps,
    d2l_use,
    d2l_boxes,
)

CASES: tuple[AuditCase, ...] = tuple(case for family in (*FAMILIES, d2l_text, d2l_reasons) for case in family.CASES)


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

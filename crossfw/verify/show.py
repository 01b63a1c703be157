"""A verdict for people: text for a terminal, a fragment for a notebook, a page of its own."""

from __future__ import annotations

from crossfw.verify.verdict import STAGES, PortVerdict


def text(verdict: PortVerdict) -> str:
    """The verdict in lines."""
    lines = [f"{'agrees' if verdict else 'DIFFERS'}: {verdict.title}", verdict.reason]
    for stage in STAGES:
        rows = [row for row in verdict.rows if row.stage == stage]
        if rows:
            bad = [row for row in rows if row.grade == "different"]
            worst = max(rows, key=lambda row: row.error / row.bound if row.bound else row.error)
            lines.append(f"  {stage:20} {'differs' if bad else 'equal':8} {len(rows):4}  {worst.error:.1e} <= {worst.bound:.1e}")
    if verdict.where:
        lines += [verdict.where, *verdict.place]
    lines += [f"fault: {fault}" for fault in verdict.faults]
    lines += [f"cause: {c.name} at {c.place}: {c.found}. To mend it: {c.remedy}" for c in verdict.causes]
    lines += [f"note: {note}" for note in verdict.notes]
    return "\n".join(lines)

"""A verdict for people: text for a terminal, a fragment for a notebook, a page of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crossfw.verification.row import STAGES, Row

if TYPE_CHECKING:
    from crossfw.verification.verdict import PortVerdict

LEGEND = "torch's layers, each ~ its partner in MXNet, and the error of what it gives:"
SIGN = {"equal": "\N{CHECK MARK}", "less accurate": "\N{CHECK MARK}", "different": "\N{MULTIPLICATION X}"}


@dataclass(frozen=True)
class StageLine:
    """What one stage amounts to, in one dtype."""

    stage: str
    dtype: str
    count: int
    grade: str
    worst: Row
    remark: str = ""


def stage_lines(verdict: PortVerdict) -> list[StageLine]:
    """A line for every stage and dtype that was compared."""
    lines = []
    for dtype in ("float64", "float32"):
        for stage in STAGES:
            rows = [row for row in verdict.rows if (row.stage, row.dtype) == (stage, dtype)]
            if rows:
                lines.append(_line(stage, dtype, rows, verdict.faults if stage == "parameters" else ()))
    return lines


def _line(stage: str, dtype: str, rows: list[Row], faults: tuple[str, ...]) -> StageLine:
    bad = [row for row in rows if row.grade == "different"]
    worst = max(bad or rows, key=lambda row: row.error / row.bound if row.bound else row.error)
    remark = ""
    if bad:
        more = f", and {len(bad) - 1} more of {len(rows)}" if len(bad) > 1 else ""
        remark = f"{worst.tensor} ({worst.run}){f': {worst.note}' if worst.note else ''}{more}"
    elif faults:
        remark = f"{len(faults)} without a right partner"
    elif dtype == "float32":
        factors = [row.factor or 0.0 for row in rows if row.grade == "less accurate"]
        remark = f"torch up to {max(factors):.0f} times less accurate than MXNet" if factors else ""
    grade = "different" if bad or faults else "equal"
    return StageLine(stage, dtype, len(rows), grade, worst, remark)


def headline(verdict: PortVerdict) -> str:
    """The verdict in two words."""
    return verdict.word.upper()


def _paragraphs(verdict: PortVerdict) -> list[tuple[str, list[str]]]:
    """(heading, lines) of everything below the stages; what is empty is left out."""
    causes = []
    for cause in verdict.causes:
        causes += [f"{cause.name}, at {cause.place}: {cause.found}", f"  to mend it: {cause.remedy}"]
    if not causes and verdict.word == "not compared":
        causes = ["say which parameter is which with rename in the port file, or give both models the same layers"]
    elif not causes and verdict.stage == "parameters":
        causes = ["the parameters above: give both models the same layers and sizes, or say which is which with rename"]
    elif not causes and verdict.left:
        causes = [
            f"none of the {verdict.tried} known differences that were tried restores agreement; {verdict.left} more "
            "were left when the time was over: --seconds 600 tries on"
        ]
    elif not causes:
        causes = ["none of the known differences restores agreement"]
    found = [
        ("parameters", [f"- {fault}" for fault in verdict.faults]),
        ("where", [verdict.where, *([LEGEND] if verdict.place else []), *verdict.place] if verdict.where else []),
        ("to do" if verdict.word == "not compared" else "cause", [] if verdict else causes),
        ("notes", [f"- {note}" for note in verdict.notes if note not in verdict.untested]),
    ]
    return [(heading, lines) for heading, lines in found if lines]


def coverage(verdict: PortVerdict) -> list[str]:
    """What the verdict rests on, and what it says nothing about."""
    lines = [f"tested: {'; '.join(verdict.tested)}"] if verdict.tested else []
    return lines + [f"not tested: {one}" for one in verdict.untested]


def text(verdict: PortVerdict) -> str:
    """The verdict in plain lines."""
    lines = [f"{headline(verdict)}  {verdict.title}", verdict.reason, *coverage(verdict), ""]
    for line in stage_lines(verdict):
        lines.append(
            f"  {SIGN[line.grade]} {line.stage:20} {line.dtype}  {line.count:4} compared, "
            f"error {line.worst.error:7.1e}, bound {line.worst.bound:7.1e}  {line.remark}".rstrip()
        )
    for heading, body in _paragraphs(verdict):
        lines += ["", f"{heading}:", *(f"  {one}" for one in body)]
    return "\n".join(lines)


def console_text(verdict: PortVerdict) -> Any:
    """The same with colours, which only repeat what the words say."""
    from rich.text import Text

    styles = {"AGREES": "bold green", "DIFFERS": "bold red", "NOT COMPARED": "bold yellow"}
    coloured = Text(text(verdict))
    coloured.stylize(styles[headline(verdict)], 0, len(headline(verdict)))
    coloured.highlight_regex("\N{MULTIPLICATION X}.*", "red")
    coloured.highlight_regex(".*<-- first divergence", "bold red")
    coloured.highlight_regex("(?m)^(tested|not tested|parameters|where|cause|to do|notes):", "bold")
    return coloured


def fragment(verdict: PortVerdict) -> str:
    """The verdict as HTML for a notebook."""
    return _template("verdict.html.j2", verdict)


def page(verdict: PortVerdict) -> str:
    """The verdict as a page that needs nothing from anywhere."""
    return _template("page.html.j2", verdict)


def _template(name: str, verdict: PortVerdict) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("crossfw.verification"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    failing = [row for row in verdict.rows if row.grade == "different"]
    return environment.get_template(name).render(
        verdict=verdict,
        headline=headline(verdict),
        stages=stage_lines(verdict),
        paragraphs=_paragraphs(verdict),
        failing=failing,
        sign=SIGN,
        coverage=coverage(verdict),
    )

"""One row of the audit's table: what a run found of a case, beside what is known of it."""

from __future__ import annotations

from dataclasses import dataclass

from audits.d2l.case import AuditCase
from audits.d2l.sources import Definition

AGREES, KNOWN, DIFFERS, FAILED, NOT_COMPARED = (
    "agrees",
    "differs as known",
    "DIFFERS",
    "FAILED",
    "cannot be compared",
)


@dataclass(frozen=True)
class Finding:
    """What comparing a case gave.

    Attributes:
        stage: the first that differs; None where all agree.
        words: one line: what agrees, or what differs first.
        failed: whether nothing could be compared, against expectation.
    """

    stage: str | None
    words: str
    failed: bool = False


@dataclass(frozen=True)
class AuditRow:
    """A line of `audit.csv`; `mended` says whether the pair agrees with the known cause alone removed."""

    name: str
    kind: str
    section: str
    mxnet_line: int
    torch_line: int
    verdict: str
    stage: str
    found: str
    cause: str
    mended: str
    note: str
    aside: str

    @classmethod
    def of(
        cls,
        case: AuditCase,
        places: tuple[Definition, Definition],
        finding: Finding | None,
        mended: Finding | None,
    ) -> AuditRow:
        """The row of a case, where `finding` is None if it has a reason not to be compared."""
        mxnet, torch = places
        return cls(
            name=case.name,
            kind=mxnet.kind,
            section=mxnet.section or torch.section,
            mxnet_line=mxnet.line,
            torch_line=torch.line,
            verdict=judge(case, finding, mended),
            stage=(finding.stage or "") if finding else "",
            found=finding.words if finding else case.reason,
            cause=case.known.cause if case.known else "",
            mended="" if mended is None else f"no: {mended.words}" if mended.stage or mended.failed else "agrees",
            note=case.note,
            aside=case.aside,
        )


def judge(case: AuditCase, finding: Finding | None, mended: Finding | None) -> str:
    """The verdict: a known difference must be found at its stage, and be gone once its cause is removed."""
    if finding is None:
        return NOT_COMPARED
    if finding.failed or (mended is not None and mended.failed):
        return FAILED
    if case.known is None:
        return AGREES if finding.stage is None else DIFFERS
    confirmed = finding.stage == case.known.stage and (mended is None or mended.stage is None)
    return KNOWN if confirmed else DIFFERS


def exit_code(rows: list[AuditRow]) -> int:
    """0: each row agrees, differs as known, or says why not; 1: something else differs; 2: something failed."""
    verdicts = {row.verdict for row in rows}
    return 1 if DIFFERS in verdicts else 2 if FAILED in verdicts else 0

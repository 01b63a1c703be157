"""What differs between two reports, one thing at a time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["regression", "improvement", "unclear", "different", "vanished", "new"]


@dataclass(frozen=True)
class Finding:
    """One thing that differs.

    Attributes:
        kind: "unclear" is what the two reports cannot tell; "different" what was asked for otherwise, or what changed
            without being better or worse.
        about: agreement, learning, speed, memory, settings, machine, ...
        task: empty where it is about the whole report.
        what: the implementation and the place.
        text: what was, what is, and how that is known.
    """

    kind: Kind
    about: str
    task: str
    what: str
    text: str


@dataclass(frozen=True)
class Comparison:
    """Two reports, compared. True if nothing got worse.

    Attributes:
        old, new: the folders.
        tasks: how many were compared.
        findings: in the order in which they were found.
    """

    old: str
    new: str
    tasks: int
    findings: tuple[Finding, ...]

    def __bool__(self) -> bool:
        return not self.of("regression")

    def of(self, kind: Kind) -> list[Finding]:
        """The findings of one kind."""
        return [finding for finding in self.findings if finding.kind == kind]

    def to_json(self) -> dict[str, Any]:
        """As a document: the folders, whether anything got worse, and every finding."""
        return {**asdict(self), "findings": [asdict(finding) for finding in self.findings], "regression": not self}

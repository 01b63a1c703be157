"""The conclusion about a pair: a value that is true, can be read, and holds its evidence."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from crossfw.verification import show
from crossfw.verification.row import Cause, Row


@dataclass(frozen=True, repr=False)
class PortVerdict:
    """What can be said of a pair. True only where every tensor of every stage agrees.

    Attributes:
        rows: everything that was compared. faults: parameters without a partner, and the like.
        stage: the first that fails; None where all agree.
        place: lines of the tree with the place of the first divergence marked.
        causes: known differences that restore agreement.
        tested, untested: what the verdict rests on, and what it says nothing about.
        left: known differences that were not tried for want of time. tried: that were.
        notes: what was bridged, switched off or assumed.
        mapping: rows (MXNet name, torch name, shape, evidence).
    """

    title: str
    rows: tuple[Row, ...]
    faults: tuple[str, ...] = ()
    stage: str | None = None
    place: tuple[str, ...] = ()
    where: str = ""
    causes: tuple[Cause, ...] = ()
    tested: tuple[str, ...] = ()
    untested: tuple[str, ...] = ()
    tried: int = 0
    left: int = 0
    notes: tuple[str, ...] = ()
    mapping: tuple[tuple, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.stage is None and bool(self.rows)

    @property
    def word(self) -> str:
        """ "agrees", "differs", or "not compared" where parameters lack a partner and no known cause tells why."""
        if self:
            return "agrees"
        lone = bool(self.faults) and all("no partner" in fault for fault in self.faults)
        alone = self.stage == "parameters" and not self.causes and lone
        return "not compared" if alone or not self.rows else "differs"

    @property
    def reason(self) -> str:
        """One line: what agrees, or what differs first."""
        if self:
            passes = ("forward", "loss", "gradients")
            worst = max((r.error for r in self.rows if r.dtype == "float64" and r.stage in passes), default=None)
            more = "" if worst is None else f"; largest float64 error in outputs, loss and gradients {worst:.1e}"
            what = "that was compared" if any(": not compared: " in one for one in self.untested) else "of every stage"
            return f"every tensor {what} agrees ({len(self.rows)} comparisons{more})"
        if self.faults and self.stage == "parameters":
            more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
            return f"stage parameters: {self.faults[0]}{more}"
        if not self.rows:
            return "nothing was compared"
        row = self.first
        return (
            f"the torch model differs first at stage {self.stage}, {row.tensor} ({row.dtype}, {row.run}): "
            f"error {row.error:.1e}, bound {row.bound:.1e}"
        )

    @property
    def first(self) -> Row:
        """The worst failing row of the first failing stage, float64 before float32."""
        failing = [row for row in self.rows if row.stage == self.stage and row.grade == "different"]
        dtype = min((row.dtype for row in failing), key=lambda d: d != "float64")
        return max((row for row in failing if row.dtype == dtype), key=lambda row: row.error)

    def __repr__(self) -> str:
        return f"<{self.word}: {self.reason}>"

    def __str__(self) -> str:
        return show.text(self)

    def table(self) -> Any:
        """Every comparison as a pandas DataFrame."""
        import pandas

        return pandas.DataFrame([asdict(row) for row in self.rows], columns=list(Row.__dataclass_fields__))

    def html(self) -> str:
        """The verdict as a page of its own."""
        return show.page(self)

    def _repr_html_(self) -> str:
        return show.fragment(self)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"agrees": bool(self), "word": self.word, "reason": self.reason, **asdict(self)}

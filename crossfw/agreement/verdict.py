"""The conclusion from everything that was compared: a value that is true, can be read, and holds its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from crossfw.agreement import STAGES
from crossfw.models import REFERENCE
from crossfw.results.schema import (
    AgreementRow,
    Failure,
    Learning,
    VerdictWord,
)


@dataclass(frozen=True)
class Verdict:
    """What can be said of the implementations of a task. True only if everything that was asked for agrees.

    Attributes:
        word: "agree", "disagree", or "incomplete" where something could not be compared.
        reason: one line; for a disagreement the first failing stage and tensor.
        first_divergence: the first failing row of each pair that disagrees.
    """

    word: VerdictWord
    reason: str
    first_divergence: tuple[AgreementRow, ...] = ()

    def __bool__(self) -> bool:
        return self.word == "agree"

    def __str__(self) -> str:
        return f"{self.word}: {self.reason}"

    def table(self) -> Any:
        """The first divergences as a pandas DataFrame."""
        import pandas

        return pandas.DataFrame(list(self.first_divergence), columns=list(AgreementRow.__annotations__))

    def _repr_html_(self) -> str:
        table = self.table().to_html(index=False) if self.first_divergence else ""
        return f"<p><strong>{escape(self.word)}</strong>: {escape(self.reason)}</p>{table}"


def first_divergences(rows: list[AgreementRow]) -> list[AgreementRow]:
    """The first failing row of each pair, in the order of the stages, float64 before float32.

    A pair of two implementations is left out where one of them fails against the reference: that says it all.
    """

    def order(row: AgreementRow) -> tuple[bool, int]:
        return row["dtype"] != "float64", STAGES.index(row["stage"])

    first: dict[tuple[str, str], AgreementRow] = {}
    for row in sorted((row for row in rows if row["grade"] == "different"), key=order):
        first.setdefault((row["implementation"], row["against"]), row)
    guilty = {name for name, against in first if against in (REFERENCE, name)}
    return [
        row for (name, against), row in first.items() if against in (REFERENCE, name) or not guilty & {name, against}
    ]


def conclude(
    first: list[AgreementRow],
    learning: Learning | None,
    failures: list[Failure],
    compared: set[str],
    names: list[str],
    broken_examples: list[str],
) -> Verdict:
    """The verdict.

    Args:
        first: the first divergence of each pair.
        learning: None where nothing is trained.
        failures: of cells.
        compared: implementations that were compared with another.
        names: all that were asked for.
        broken_examples: worked examples that an implementation gets wrong.
    """
    if first:
        row = first[0]
        reason = (
            f"{row['implementation']} differs from {row['against']} first at stage {STAGES.index(row['stage'])} "
            f"{row['stage']}, tensor {row['tensor']} ({row['dtype']}): error {row['error']:.1e}, "
            f"bound {row['bound']:.1e}"
        )
        return Verdict("disagree", reason, tuple(first))
    if learning and learning["verdict"] == "different":
        return Verdict("disagree", f"stage {STAGES.index('trajectory')} trajectory: {learning['text']}")
    if broken_examples:
        return Verdict("disagree", f"worked example: {broken_examples[0]}")
    if failures:
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        return Verdict("incomplete", f"{failures[0]['implementation']}: {failures[0]['reason']}{more}")
    left_out = [name for name in names if name != REFERENCE and name not in compared]
    if left_out or not compared:
        return Verdict("incomplete", f"nothing was compared for {', '.join(left_out) or 'any implementation'}")
    if learning and learning["verdict"] == "not tested":
        return Verdict("incomplete", f"every tensor of stages 0 to 7 agrees, but learning: {learning['text']}")
    return Verdict("agree", "every tensor of every stage agrees")

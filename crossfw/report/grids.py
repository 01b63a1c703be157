"""Tables as text in cells; Markdown and HTML draw the same ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

WARNING = "\N{WARNING SIGN}\N{VARIATION SELECTOR-15}"  # the selector asks for the sign, not for a coloured picture
BAD, GOOD = "\N{MULTIPLICATION X}", "\N{CHECK MARK}"


@dataclass(frozen=True)
class Table:
    """Rows of text under a caption; `groups` are (heading, rows), with the heading empty where there is but one.

    `numeric` tells which columns hold numbers. The first cell of a row names it.
    """

    caption: str
    columns: tuple[str, ...]
    numeric: tuple[bool, ...]
    groups: tuple[tuple[str, list[list[str]]], ...]

    def __bool__(self) -> bool:
        return any(rows for _, rows in self.groups)


def table(caption: str, columns: str, rows: list[list[str]]) -> Table:
    """A table without groups; `columns` are separated by `|`, and `>` marks one of numbers."""
    return grouped(caption, columns, [("", rows)])


def grouped(caption: str, columns: str, groups: Iterable[tuple[str, list[list[str]]]]) -> Table:
    """A table whose rows stand in groups under headings."""
    names = columns.split("|")
    numeric = tuple(name.startswith(">") for name in names)
    return Table(caption, tuple(name.removeprefix(">") for name in names), numeric, tuple(groups))

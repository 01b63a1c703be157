"""The user's own files of examples: a token and its tag per line, or two columns with a tab between them."""

from __future__ import annotations

from pathlib import Path

from crossfw.data.corpora import read_text
from crossfw.data.examples import Example
from crossfw.errors import CrossfwError

_DOCUMENT = "-DOCSTART-"


def read_conll(path: Path) -> list[Example]:
    """Sentences of a CoNLL column file: the first column is the token, the last one its tag.

    An empty line ends a sentence; the lines that begin a document in CoNLL-2003 are left out.

    Raises:
        CrossfwError: if the file cannot be read, a line has one column only, or there is no sentence.
    """
    examples, rows = [], []
    for number, line in enumerate([*read_text(path).split("\n"), ""], 1):
        columns = line.split()
        if len(columns) == 1:
            raise CrossfwError(f"{path}, line {number}", f"one column: {line!r}", "write a token and, last, its tag")
        if columns and columns[0] != _DOCUMENT:
            rows.append((columns[0], columns[-1]))
        elif rows:
            examples.append(Example(*zip(*rows, strict=True)))
            rows = []
    return _require_some(examples, path)


def read_pairs(path: Path, names: tuple[str, str]) -> list[tuple[str, str]]:
    """The two columns of a file with a tab on each line, stripped.

    Args:
        path: the file; an empty line at its end does not count.
        names: what the columns are, for an error.

    Raises:
        CrossfwError: if the file cannot be read, a line has another number of columns or an empty one, or there is
            no line.
    """
    pairs = []
    for number, line in enumerate(read_text(path).rstrip("\n").split("\n"), 1):
        columns = [column.strip() for column in line.split("\t")]
        if len(columns) != 2 or not all(columns):
            found = "an empty line" if not any(columns) else f"columns {columns}"
            remedy = f"write {names[0]}, a tab, and {names[1]}; neither may be empty"
            raise CrossfwError(f"{path}, line {number}", found, remedy)
        pairs.append((columns[0], columns[1]))
    return pairs


def _require_some(examples: list[Example], path: Path) -> list[Example]:
    if not examples:
        raise CrossfwError(f"sentences of {path}", "the file has none", "write one token and its tag on each line")
    return examples

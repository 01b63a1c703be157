"""Text to lines to tokens.

"d2l-0.17" and "d2l-1.0" are the recipes of Dive into Deep Learning, release 0.17 (`read_time_machine`, `tokenize`) and
release 1.0 (`TimeMachine._preprocess`). They differ in the blanks at line ends: 170,580 and 173,428 characters of the
same book.
"""

from __future__ import annotations

import re

from crossfw.checks import require_choice
from crossfw.data.lyrics import first_characters

PREPARATIONS = ("plain", "d2l-0.17", "d2l-1.0", "d2l-zh")
UNITS = ("character", "word")
_NON_LETTERS = re.compile("[^A-Za-z]+")
_BEFORE_MARKS = re.compile("(?<=[^ ])([,.!?])")


def prepare(text: str, preparation: str) -> list[str]:
    """Clean a text and cut it into lines; the lines are to be joined without a separator.

    Args:
        text: any text.
        preparation: "plain": every run of whitespace becomes one blank, both ends are stripped (one line).
            "d2l-0.17": per line, every run of non-letters becomes one blank, strip, lower case.
            "d2l-zh": newlines become blanks, and only the first 10,000 characters count (one line).
            "d2l-1.0": the same replacement on the whole text, lower case, no strip (one line).

    Raises:
        CrossfwError: for an unknown preparation.
    """
    require_choice("preparation", preparation, PREPARATIONS)
    if preparation == "d2l-0.17":
        return [_NON_LETTERS.sub(" ", line).strip().lower() for line in text.split("\n")]
    if preparation == "d2l-1.0":
        return [_NON_LETTERS.sub(" ", text).lower()]
    return [first_characters(text) if preparation == "d2l-zh" else " ".join(text.split())]


def tokenize(lines: list[str], unit: str) -> list[str]:
    """The tokens of all lines in one list: single characters (blanks too), or words between whitespace.

    Raises:
        CrossfwError: for an unknown unit.
    """
    require_choice("unit", unit, UNITS)
    cut = list if unit == "character" else str.split
    return [token for line in lines for token in cut(line)]


def sentence_tokens(text: str) -> tuple[str, ...]:
    """The words of a sentence, as D2L 0.17 prepares parallel text (`preprocess_nmt`).

    Non-breaking blanks become blanks, letters lower case, and each of `, . ! ?` a word of its own.
    """
    plain = text.replace("\u202f", " ").replace("\xa0", " ").lower()
    return tuple(_BEFORE_MARKS.sub(r" \1", plain).split())

"""`--sweep hidden=64,128,256`: a setting, and the values that it takes."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from crossfw.checks import nearest, require_integer
from crossfw.errors import CrossfwError

SETTINGS = ("hidden", "batch", "steps", "layers", "threads")
FEWEST_VALUES = 2  # for a curve; an exponent with an interval needs one more


@dataclass(frozen=True)
class Swept:
    """A setting and its values, in order.

    Raises:
        CrossfwError: an unknown setting, values that are no integers of at least 1, or fewer than two different ones.
    """

    setting: str
    values: tuple[int, ...]

    def __post_init__(self) -> None:
        asked = f"--sweep {self}"
        if self.setting not in SETTINGS:
            found = f"no setting {self.setting!r} to sweep{nearest(self.setting, SETTINGS)}"
            raise CrossfwError(asked, found, f"use one of: {', '.join(SETTINGS)}")
        for value in self.values:
            most = (os.cpu_count() or 1) if self.setting == "threads" else None
            require_integer(f"--sweep {self.setting}", value, 1, most)
        if len(set(self.values)) < FEWEST_VALUES:
            found = "one value, which is no curve" if self.values else "no value"
            raise CrossfwError(asked, found, "give two different values or more, three for an exponent's interval")
        object.__setattr__(self, "values", tuple(sorted(set(self.values))))

    def __str__(self) -> str:
        return f"{self.setting}={','.join(map(str, self.values))}"


def parse_sweeps(texts: tuple[str, ...]) -> tuple[Swept, ...]:
    """The sweeps of a command line, each written `setting=value,value,...`.

    Raises:
        CrossfwError: one is not written so, or a setting is swept twice.
    """
    found: dict[str, Swept] = {}
    for text in texts:
        setting, equals, listed = (part.strip() for part in text.partition("="))
        asked, example = f"--sweep {text}", "write --sweep hidden=64,128,256"
        if not equals or not setting:
            raise CrossfwError(asked, "no setting with its values", example)
        words = [word.strip() for word in listed.split(",")] if listed else []
        if strange := [word for word in words if not re.fullmatch(r"[+-]?[0-9]+", word)]:
            raise CrossfwError(asked, f"{strange[0]!r} is no integer", example)
        if setting in found:
            raise CrossfwError(asked, f"{setting} is swept twice", "name all its values in one --sweep")
        found[setting] = Swept(setting, tuple(map(int, words)))
    return tuple(found.values())

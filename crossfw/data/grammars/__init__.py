"""Artificial corpora, written for crossfw: each module holds a grammar, its words, and draws examples from them.

- `names`: sentences in which persons' names are marked; some words are a name or not by what follows them.
- `sentiment`: reviews of one to five stars, in which the order of the words decides.
- `music`: tunes of four genres.
- `parallel`: English sentences and the same in Spanish.
- `senses`: sentences with words of two senses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

_T = TypeVar("_T")


def pick(rng: np.random.Generator, options: Sequence[_T]) -> _T:
    """One of the options, all equally likely."""
    return options[int(rng.integers(len(options)))]


def words(text: str) -> tuple[str, ...]:
    """The words of a text, as tokens or as a list to pick from."""
    return tuple(text.split())

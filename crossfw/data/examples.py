"""Sequences as text, and their division into training, validation and test without overlap."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from crossfw.data.settings import SPLIT_SETTINGS, SPLITS, SequenceSpec
from crossfw.errors import CrossfwError

_SHARE_HELD_OUT = 10  # one in so many, of the user's data
_PATIENCE = 1000  # draws without a new example


@dataclass(frozen=True)
class Example:
    """One sequence as text: what is given, and what is wanted (one token per step, one in all, or a sentence)."""

    given: tuple[str, ...]
    wanted: tuple[str, ...]


Examples = dict[str, tuple[Example, ...]]  # by split
Key = Callable[[Example], Hashable]  # what must not stand in two splits


def given(example: Example) -> tuple[str, ...]:
    """The key of most data: the same input must not stand in two splits."""
    return example.given


def divide(examples: Sequence[Example], spec: SequenceSpec, key: Key = given) -> Examples:
    """Divide the user's examples at random: all that have the same key come into the same split.

    A tenth of them is for validation and a tenth for test, where the spec does not say how many.

    Raises:
        CrossfwError: if there are fewer different keys than the spec asks for.
    """
    keys = list(dict.fromkeys(map(key, examples)))
    asked = [getattr(spec, name) for name in SPLIT_SETTINGS]
    validation, test = (len(keys) // _SHARE_HELD_OUT if count is None else count for count in asked[1:])
    training = max(len(keys) - validation - test, 1) if asked[0] is None else asked[0]
    if training + validation + test > len(keys):
        found = f"{len(keys)} different sequences in {spec.corpus}"
        raise CrossfwError(f"{training} + {validation} + {test} sequences", found, "ask for fewer")
    order = np.random.default_rng(spec.source_seed).permutation(len(keys))
    ends = np.cumsum([training, validation, test])
    chosen = np.split(order, ends)[:3]
    split_of = {keys[place]: split for split, places in zip(SPLITS, chosen, strict=True) for place in places}
    return {split: tuple(e for e in examples if split_of.get(key(e)) == split) for split in SPLITS}


def draw_splits(
    make: Callable[[np.random.Generator, str], Example],
    spec: SequenceSpec,
    sizes: tuple[int, int, int],
    fixed: Examples | None = None,
    key: Key = given,
) -> Examples:
    """Draw a generated corpus: no key stands in two splits or twice in one.

    Args:
        make: an example from random numbers and the name of its split.
        spec: how many examples, and the seed.
        sizes: how many of each split, where the spec does not say.
        fixed: examples that come first in a split, and nowhere else; in an empty split they are left out.

    Raises:
        CrossfwError: if the grammar does not make so many different ones.
    """
    fixed = fixed or {}
    taken = {key(example) for examples in fixed.values() for example in examples}
    rng = np.random.default_rng(spec.source_seed)
    drawn = {}
    for split, setting, usual in zip(SPLITS, SPLIT_SETTINGS, sizes, strict=True):
        count = usual if getattr(spec, setting) is None else getattr(spec, setting)
        first = fixed.get(split, ())[:count]
        fresh = _different(lambda split=split: make(rng, split), count - len(first), taken, key)
        if len(first) + len(fresh) < count:
            found = f"{len(first) + len(fresh)} different ones could be drawn"
            raise CrossfwError(f"{count} {split} sequences of the corpus {spec.corpus!r}", found, "ask for fewer")
        drawn[split] = (*first, *fresh)
    return drawn


def _different(make: Callable[[], Example], count: int, taken: set, key: Key) -> list[Example]:
    """Up to `count` examples whose keys are not taken, and takes these; fewer where no new one comes for long."""
    drawn: list[Example] = []
    misses = 0
    while len(drawn) < count and misses < _PATIENCE:
        example = make()
        misses += 1
        if key(example) not in taken:
            taken.add(key(example))
            drawn.append(example)
            misses = 0
    return drawn

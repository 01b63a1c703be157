"""Reviews of one to five stars, in which the order of the words decides.

"the soup was awful but the staff were lovely" has four stars, and with its halves exchanged two: after "but" the last
word counts, "not" turns what follows it, and what somebody expected does not count at all. Sentences about nothing in
particular stand between.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from crossfw.data.examples import Example, Examples, draw_splits
from crossfw.data.grammars import pick, words
from crossfw.data.settings import SequenceSpec

STARS = ("1", "2", "3", "4", "5")
POLARITIES = ("negative", "positive")
SIZES = (2000, 250, 250)
_BEST = 2  # opinions go from -2 to 2; a review has 3 stars more than that

_WORDS: dict[int, tuple[str, ...]] = {
    2: words("wonderful superb excellent delightful perfect outstanding lovely marvellous brilliant"),
    1: words("good nice pleasant decent likeable solid agreeable fair welcome"),
    0: words("average ordinary acceptable standard middling usual passable"),
    -1: words("bad dull weak disappointing tiresome poor careless clumsy stale"),
    -2: words("awful terrible horrible dreadful disgusting hopeless unbearable appalling miserable"),
}
_SINGULAR = words(
    "food soup service room film plot music view bed breakfast story acting ending concert bar garden menu bread wine"
)
_PLURAL = words("staff waiters rooms songs jokes desserts pictures actors seats vegetables pillows dialogues")
_ASIDES = (
    "we went there in may",
    "it was our first visit",
    "a friend had told us about it",
    "we stayed for two hours",
    "the place is near the station",
    "it rained all day",
    "we were four people",
    "i had read about it before",
    "they open at noon",
    "we paid by card",
)
_CLOSINGS = ("to be honest", "all in all", "in my opinion", "as far as i can tell", "this time", "as i remember it")
_EXPECTATIONS = (
    "i expected the {} to be {}",
    "everybody said the {} would be {}",
    "my sister had called the {} {}",
    "last year the {} had been {}",
)


def draw(spec: SequenceSpec, binary: bool) -> Examples:
    """The corpus: tokens, and the number of stars; if `binary`, "negative" or "positive" and no three stars.

    Every class is equally likely.
    """
    classes = [-2, -1, 1, 2] if binary else [-2, -1, 0, 1, 2]

    def review(rng: np.random.Generator, _: str) -> Example:
        wanted = pick(rng, classes)
        text = _around(rng, _of_value(rng, wanted))
        label = POLARITIES[wanted > 0] if binary else STARS[wanted + _BEST]
        return Example(words(text), (label,))

    return draw_splits(review, spec, SIZES)


def _of_value(rng: np.random.Generator, wanted: int) -> str:
    """The core of a review that says `wanted`, -2 to 2, in one of the ways there are for that."""
    ways: list[Callable[[np.random.Generator, int], str]] = [_clause, _against_expectation]
    if abs(wanted) == 1:
        ways += [_contrast, _contrast]
    if wanted:
        ways.append(_both)
    return pick(rng, ways)(rng, wanted)


def _clause(rng: np.random.Generator, wanted: int) -> str:
    """The soup was (not) good: a plain word, a mild one made strong, or a word of the other side turned by "not"."""
    subject = f"the {pick(rng, _SINGULAR)} was" if rng.random() < 0.6 else f"the {pick(rng, _PLURAL)} were"
    return f"{subject} {_opinion(rng, wanted)}"


def _opinion(rng: np.random.Generator, wanted: int) -> str:
    if abs(wanted) == 1 and rng.random() < 0.5:
        turned = pick(rng, _WORDS[-wanted * int(rng.integers(1, _BEST + 1))])
        return f"{pick(rng, ('not', 'not at all', 'never', 'far from'))} {turned}"
    if abs(wanted) == _BEST and rng.random() < 0.4:
        return f"{pick(rng, ('very', 'really', 'extremely'))} {pick(rng, _WORDS[wanted // _BEST])}"
    return pick(rng, _WORDS[wanted])


def _both(rng: np.random.Generator, wanted: int) -> str:
    """Two clauses of the same side; the stronger one counts."""
    weaker = wanted // abs(wanted) * int(rng.integers(1, abs(wanted) + 1))
    first, second = (wanted, weaker) if rng.random() < 0.5 else (weaker, wanted)
    return f"{_clause(rng, first)} and {_clause(rng, second)}"


def _contrast(rng: np.random.Generator, wanted: int) -> str:
    """Two clauses of opposite sides; the main one, after "but" or without "although", decides, and only by one."""
    against = _clause(rng, -wanted * int(rng.integers(1, _BEST + 1)))
    decisive = _clause(rng, wanted * int(rng.integers(1, _BEST + 1)))
    if rng.random() < 0.6:
        return f"{against} but {decisive}"
    return f"although {against} , {decisive}" if rng.random() < 0.5 else f"{decisive} , although {against}"


def _against_expectation(rng: np.random.Generator, wanted: int) -> str:
    """What was expected does not count."""
    aspect = pick(rng, _SINGULAR)
    expected = pick(rng, _EXPECTATIONS).format(aspect, pick(rng, _WORDS[int(rng.integers(-_BEST, _BEST + 1))]))
    return f"{expected} , {pick(rng, ('but', 'and'))} it was {_opinion(rng, wanted)}"


def _around(rng: np.random.Generator, core: str) -> str:
    if rng.random() < 0.3:
        core = f"{core} , {pick(rng, _CLOSINGS)}"
    draw = rng.random()
    if draw < 0.25:
        return f"{pick(rng, _ASIDES)} . {core} ."
    return f"{core} . {pick(rng, _ASIDES)} ." if draw < 0.5 else f"{core} ."

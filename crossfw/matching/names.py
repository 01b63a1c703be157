"""How much the names of two lists of units speak for each pair of them.

Words and numbers of a name are weighed apart. Words that all names share say nothing; a rare word says much. Numbers
are compared by rank (`conv0, conv1` against `conv1, conv2`), because the frameworks count from different starts.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

SYNONYMS = {
    "w": "weight",
    "kernel": "weight",
    "b": "bias",
    "fc": "dense",
    "linear": "dense",
    "emb": "embedding",
    "embed": "embedding",
    "q": "query",
    "k": "key",
    "v": "value",
    "attn": "attention",
    "proj": "projection",
    "shortcut": "downsample",
    "moving": "running",
    "xh": "ih",
    "bn": "norm",
    "ln": "norm",
    "layernorm": "norm",
    "batchnorm": "norm",
}
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
GATE = re.compile(r"[xh][ifgcorzn]")  # `W_xi`: of the input, for the gate i
NUMBERS = 0.01  # what ranks of numbers may weigh beside words: they decide only where words do not
TIE = 1e-10  # sums of scores that differ by less say nothing; the smallest step of ranks among 1,000 is 2e-8


def parts(name: str) -> tuple[list[str], tuple[int, ...]]:
    """The words of a name, lowercase and with synonyms replaced, and its numbers."""
    plain = re.sub(r"i2h|h2h", lambda found: found[0].replace("2", ""), name)
    found = [part for word in PART.findall(plain) for part in (word if GATE.fullmatch(word) else (word,))]
    words = [SYNONYMS.get(part.lower(), part.lower()) for part in found if not part.isdigit()]
    return words, tuple(int(part) for part in found if part.isdigit())


def _stems(words: set[str]) -> dict[str, str]:
    """Each word -> the shortest word of at least three letters that it starts with: `conv` for `convolution`."""
    short = sorted((word for word in words if len(word) >= 3), key=len)
    return {word: next((stem for stem in short if word.startswith(stem)), word) for word in words}


def word_similarity(left: Sequence[str], right: Sequence[str]) -> np.ndarray:
    """Shares of common words, each weighted by its rarity: (len(left), len(right)), between 0 and 1."""
    split = [parts(name)[0] for name in (*left, *right)]
    stems = _stems({word for words in split for word in words})
    columns = {stem: column for column, stem in enumerate(sorted(set(stems.values())))}
    has = np.zeros((len(split), max(1, len(columns))))
    for row, words in enumerate(split):
        has[row, [columns[stems[word]] for word in words]] = 1.0
    has *= np.sqrt(np.log(len(split) / np.maximum(has.sum(axis=0), 1.0)))
    shared = has[: len(left)] @ has[len(left) :].T
    weight = (has**2).sum(axis=1)
    total = weight[: len(left), None] + weight[None, len(left) :]
    return 2 * shared / np.where(total > 0, total, 1.0)


def _ranks(names: Sequence[str]) -> np.ndarray:
    """Dense ranks of the tuples of numbers in the names, from 0 to 1; all 0 where they are equal."""
    numbers = [parts(name)[1] for name in names]
    place = {value: rank for rank, value in enumerate(sorted(set(numbers)))}
    return np.array([place[value] for value in numbers], dtype=float) / max(1, len(place) - 1)


def similarity(left: Sequence[str], right: Sequence[str]) -> np.ndarray:
    """Words, and numbers where both sides count: (len(left), len(right)); constant where the names say nothing."""
    first, second = _ranks(left), _ranks(right)
    score = word_similarity(left, right)
    if first.any() and second.any():
        score = score - NUMBERS * (first[:, None] - second[None, :]) ** 2
    return score


def partial_similarity(left: Sequence[str], right: Sequence[str]) -> np.ndarray:
    """As `similarity`, for lists of which one has more: equal numbers speak where one side's are all on the other."""
    first, second = ([parts(name)[1] for name in names] for names in (left, right))
    if not (set(first) <= set(second) or set(second) <= set(first)):
        return similarity(left, right)
    return word_similarity(left, right) + NUMBERS * _equal(first, second)


def certain_similarity(left: Sequence[str], right: Sequence[str]) -> np.ndarray:
    """As `similarity`, from words alone, and numbers only where names are wholly equal."""
    first, second = ([str(parts(name)) for name in names] for names in (left, right))
    return word_similarity(left, right) + NUMBERS * _equal(first, second)


def _equal(left: Sequence[Hashable], right: Sequence[Hashable]) -> np.ndarray:
    codes: dict[Hashable, int] = {}
    first, second = (np.array([codes.setdefault(value, len(codes)) for value in side]) for side in (left, right))
    return (first[:, None] == second[None, :]).astype(float)


def best_by_name(score: np.ndarray) -> np.ndarray:
    """The column for each row that makes the sum of scores largest, -1 for rows without one; ties by position."""
    rows, columns = score.shape
    place = np.arange(rows)[:, None] / max(1, rows) - np.arange(columns)[None, :] / max(1, columns)
    chosen = np.full(rows, -1)
    found = linear_sum_assignment(score - TIE / 10 * place**2, maximize=True)
    chosen[found[0]] = found[1]
    return chosen


def undecided(score: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The rows that could exchange their columns with another row at no loss; `chosen` has a column for every row."""
    picked = score[:, chosen]
    own = np.diag(picked)
    loss = own[:, None] + own[None, :] - picked - picked.T
    np.fill_diagonal(loss, np.inf)
    return (loss < TIE).any(axis=1)

"""How good predictions are: accuracy, F1, BLEU, exact matches, and distances between word vectors.

scikit-learn and sacrebleu do the counting. They are imported when they are needed, since that takes a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from crossfw.errors import CrossfwError

_TOKENIZED = "none"  # sacrebleu's word for: split at blanks and nowhere else


def accuracy(expected: np.ndarray, predicted: np.ndarray) -> float:
    """The share of predictions that are right.

    Args:
        expected: classes, integers (n,), n at least 1.
        predicted: classes, integers (n,).
    """
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(expected, predicted))


def f1(expected: np.ndarray, predicted: np.ndarray, positive: int | None = None) -> float:
    """The harmonic mean of precision and recall of one class; 0 where that is not defined.

    Args:
        expected: classes, integers (n,), n at least 1.
        predicted: classes, integers (n,).
        positive: the class; None: the mean over all classes that are expected or predicted (macro F1).
    """
    from sklearn.metrics import f1_score

    labels = None if positive is None else [positive]
    return float(f1_score(expected, predicted, labels=labels, average="macro", zero_division=0.0))


def bleu(expected: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> float:
    """BLEU of a corpus, 0 to 100: sacrebleu's `corpus_bleu` with its defaults, but `tokenize="none"`.

    Args:
        expected: the one reference of each sentence, as tokens.
        predicted: the translations, as tokens.
    """
    from sacrebleu import corpus_bleu

    hypotheses, references = ([" ".join(tokens) for tokens in texts] for texts in (predicted, expected))
    score = corpus_bleu(hypotheses, [references], tokenize=_TOKENIZED, force=True).score
    return min(float(score), 100.0)  # it may be above by rounding


def exact_match(expected: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> float:
    """The share of sequences that are right from the first token to the last."""
    right = [list(wanted) == list(found) for wanted, found in zip(expected, predicted, strict=True)]
    return float(np.mean(right))


def repetition(tokens: Sequence[int], length: int = 4) -> float:
    """The share of runs of `length` tokens that occurred before: 0 where every run is new, near 1 for a loop."""
    runs = [tuple(tokens[start : start + length]) for start in range(len(tokens) - length + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def sense_distances(vectors: np.ndarray, senses: Sequence[str]) -> dict[str, float]:
    """Cosine distances between vectors of one word in different contexts, by whether the senses are the same.

    Args:
        vectors: (M, D), one for each occurrence of the word.
        senses: the sense of each occurrence, (M,).

    Returns:
        "between senses" and "within a sense": mean distances; "smallest between senses", "largest within a sense". The
        two of a kind are left out where there is no such pair. Senses are told apart entirely where the smallest
        between is above the largest within.

    Raises:
        CrossfwError: if the vectors do not fit the senses, or one of them is zero.
    """
    vectors = np.asarray(vectors, dtype=np.float64)
    asked = f"distances between {len(senses)} occurrences of a word"
    if vectors.ndim != 2 or len(vectors) != len(senses) or len(senses) < 2:
        raise CrossfwError(asked, f"vectors of shape {vectors.shape}", "give one vector each, of at least two")
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not norms.all():
        raise CrossfwError(asked, "a vector of zeros, which has no direction", "look at the model's states")
    directions = vectors / norms
    distances: dict[bool, list[float]] = {True: [], False: []}
    for one, other in combinations(range(len(senses)), 2):
        distances[senses[one] == senses[other]].append(float(1 - directions[one] @ directions[other]))
    found = {}
    if between := distances[False]:
        found |= {"between senses": float(np.mean(between)), "smallest between senses": min(between)}
    if within := distances[True]:
        found |= {"within a sense": float(np.mean(within)), "largest within a sense": max(within)}
    return found


def nearest_of_the_same_sense(vectors: np.ndarray, senses: Sequence[str]) -> float:
    """The share of occurrences whose nearest other one, by cosine distance, has the same sense.

    Args:
        vectors: (M, D), one for each occurrence of the word.
        senses: the sense of each occurrence, (M,), of which every one occurs at least twice.
    """
    directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    likeness = directions.astype(np.float64) @ directions.T
    np.fill_diagonal(likeness, -np.inf)
    return float(np.mean([senses[i] == senses[nearest] for i, nearest in enumerate(likeness.argmax(axis=1))]))

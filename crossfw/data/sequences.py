"""Sequences of unequal length as arrays: padded on the right, time-major, with a mask; and cut into batches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crossfw.data.batches import Batch
from crossfw.errors import CrossfwError

_ONE_PER_SEQUENCE = 1


def lengths(sequences: Sequence[Sequence], name: str) -> np.ndarray:
    """The lengths of M sequences, int64 (M,).

    Raises:
        CrossfwError: if one is empty; `name` says which sequences these are.
    """
    found = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    if not found.all():
        place = int(np.flatnonzero(found == 0)[0]) + 1
        raise CrossfwError(f"{name}, sequence {place}", "a length of 0", "leave it out, or give it a token")
    return found


def pad(sequences: Sequence[np.ndarray], steps: int, value: int) -> np.ndarray:
    """Sequences side by side, what is missing filled with `value`, what is too long cut.

    Args:
        sequences: M arrays, int64 (L_i, ...), equal in all but their lengths.
        steps: length to pad or cut to, T.
        value: fills the steps after the end.

    Returns:
        int64 (T, M, ...).
    """
    rest = sequences[0].shape[1:] if len(sequences) else ()
    padded = np.full((steps, len(sequences), *rest), value, dtype=np.int64)
    for column, sequence in enumerate(sequences):
        padded[: len(sequence), column] = sequence[:steps]
    return padded


def real_steps(counts: np.ndarray, steps: int) -> np.ndarray:
    """The mask of M sequences of these lengths (M,): float64 (T, M), 1 where a step is real."""
    return (np.arange(steps)[:, None] < counts[None, :]).astype(np.float64)


def unpad(array: np.ndarray, mask: np.ndarray | None) -> list[np.ndarray]:
    """The real steps of each sequence.

    Args:
        array: (T, M, ...).
        mask: (T, M); None: all steps are real.

    Returns:
        M arrays (L_i, ...).
    """
    if mask is None:
        return [array[:, column] for column in range(array.shape[1])]
    return [array[mask[:, column] > 0, column] for column in range(array.shape[1])]


def cut(whole: Batch, batch_size: int, order: np.ndarray | None = None) -> list[Batch]:
    """A batch of M sequences in batches of N; the last one may be smaller.

    Args:
        whole: all the sequences.
        batch_size: sequences in a batch, N.
        order: which sequence comes where, integers (M,); None: as they stand.
    """
    order = np.arange(whole.inputs.shape[1]) if order is None else order
    return [_take(whole, order[start : start + batch_size]) for start in range(0, len(order), batch_size)]


def _take(whole: Batch, columns: np.ndarray) -> Batch:
    def chosen(array: np.ndarray) -> np.ndarray:
        return np.array(array[columns] if array.ndim == _ONE_PER_SEQUENCE else array[:, columns], order="C")

    return Batch(**{name: chosen(array) for name, array in whole.arrays().items()})

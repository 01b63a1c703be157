"""Three ways to cut a text into batches, each as Dive into Deep Learning (D2L) does it.

Batches are time-major. Random numbers come from the generator that is passed in, so a seed gives the same batches
everywhere; D2L draws the same distributions from Python's `random`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from crossfw.checks import require_indices, require_integer
from crossfw.errors import CrossfwError


@dataclass(frozen=True, eq=False)
class Batch:
    """N sequences of at most T steps, and what is to be predicted; all arrays C-contiguous and writable.

    Args:
        inputs: tokens int64 (T, N), or features float64 (T, N, D); of an encoder-decoder, the decoder's.
        targets: int64: (T, N) one class per step, (N,) one per sequence, or (T, N, 2) two per step.
        mask: float64 (T, N), 1 where a step is real and 0 where it is padding; None: all are real.
        source: of an encoder-decoder, the encoder's tokens, int64 (S, N).
        source_mask: float64 (S, N), as `mask`.
        shown: float64 (T, N), 1 where the loss looks at the outputs; None: at all real steps.
    """

    inputs: np.ndarray
    targets: np.ndarray
    mask: np.ndarray | None = None
    source: np.ndarray | None = None
    source_mask: np.ndarray | None = None
    shown: np.ndarray | None = None

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays that are present, by name."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: array for name, array in named.items() if array is not None}


def sequential(ids: np.ndarray, batch_size: int, steps: int, rng: np.random.Generator | None = None) -> list[Batch]:
    """N equal stretches of text side by side; each batch continues the one before it, so that state can be carried.

    D2L 0.17, `seq_data_iter_sequential`, with an offset below `steps` (D2L's `randint` may return `steps` as well).

    Args:
        ids: the text, integers (n,).
        batch_size: sequences in a batch, N.
        steps: tokens in a sequence, T.
        rng: draws the offset at which cutting starts; None: offset 0.

    Raises:
        CrossfwError: if the text is too short for one batch (at the largest offset).
    """
    ids = _checked(ids, batch_size, steps)
    _require_tokens("sequential batches", ids, batch_size, steps, batch_size * steps + (1 if rng is None else steps))
    offset = 0 if rng is None else int(rng.integers(steps))
    tokens = (len(ids) - offset - 1) // batch_size * batch_size
    inputs = ids[offset : offset + tokens].reshape(batch_size, -1)
    targets = ids[offset + 1 : offset + 1 + tokens].reshape(batch_size, -1)
    starts = range(0, inputs.shape[1] // steps * steps, steps)
    return [_time_major(inputs[:, i : i + steps], targets[:, i : i + steps]) for i in starts]


def random(ids: np.ndarray, batch_size: int, steps: int, rng: np.random.Generator) -> list[Batch]:
    """Subsequences that do not overlap, in random order; whole batches only.

    D2L 0.17, `seq_data_iter_random`: a random prefix below `steps` is dropped, so that the cuts differ every time.

    Args:
        ids: the text, integers (n,).
        batch_size: sequences in a batch, N.
        steps: tokens in a sequence, T.
        rng: draws the prefix and the order.

    Raises:
        CrossfwError: if the text is too short for one batch (at the longest prefix).
    """
    ids = _checked(ids, batch_size, steps)
    _require_tokens("random batches", ids, batch_size, steps, batch_size * steps + steps)
    ids = ids[int(rng.integers(steps)) :]
    starts = np.arange((len(ids) - 1) // steps) * steps
    rng.shuffle(starts)
    return _gather(ids, starts[: len(starts) // batch_size * batch_size], batch_size, steps)


def windows(
    ids: np.ndarray, first: int, count: int, batch_size: int, steps: int, rng: np.random.Generator | None = None
) -> list[Batch]:
    """Overlapping windows of stride 1: window i is `ids[i : i + steps + 1]`, its last token only a target.

    D2L 1.0, `TimeMachine`: nothing is dropped, so the last batch may have fewer than N sequences.

    Args:
        ids: the text, integers (n,).
        first: the first window.
        count: how many windows.
        batch_size: sequences in a batch, N.
        steps: tokens in a sequence, T.
        rng: shuffles the windows; None: in the order of the text.

    Raises:
        CrossfwError: if the text has fewer than `first + count` windows.
    """
    require_integer("first window", first, 0)
    require_integer("windows", count, 1)
    ids = _checked(ids, batch_size, steps)
    _require_tokens(f"windows {first} to {first + count - 1} in batches", ids, batch_size, steps, first + count + steps)
    starts = np.arange(first, first + count)
    if rng is not None:
        rng.shuffle(starts)
    return _gather(ids, starts, batch_size, steps)


def _checked(ids: np.ndarray, batch_size: int, steps: int) -> np.ndarray:
    require_integer("batch_size", batch_size, 1)
    require_integer("steps", steps, 1)
    return require_indices("batches", ids)


def _require_tokens(kind: str, ids: np.ndarray, batch_size: int, steps: int, needed: int) -> None:
    if len(ids) < needed:
        asked = f"{kind} of {batch_size} sequences of {steps} steps"
        found = f"a text of {len(ids)} tokens; {needed} are needed"
        raise CrossfwError(asked, found, "lower batch_size, steps or the number of windows, or take a longer text")


def _gather(ids: np.ndarray, starts: np.ndarray, batch_size: int, steps: int) -> list[Batch]:
    positions = starts[:, None] + np.arange(steps + 1)
    blocks = (ids[positions[i : i + batch_size]] for i in range(0, len(starts), batch_size))  # (N, T + 1)
    return [_time_major(block[:, :-1], block[:, 1:]) for block in blocks]


def _time_major(inputs: np.ndarray, targets: np.ndarray) -> Batch:
    # A copy even where the transpose is contiguous: a view would inherit the read-only flag, and torch warns of that.
    return Batch(np.array(inputs.T, order="C"), np.array(targets.T, order="C"))

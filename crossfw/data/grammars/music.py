"""Tunes of four genres, which differ in scale, metre, rhythms, motion and form.

A note is written as pitch and length in quarters, "C4:1" or "F#4:0.5"; "R:1" is a rest. A tune has two phrases, each of
a motif, its answer, the motif again and a close; the second phrase begins on another degree. Tunes end on the tonic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossfw.data.examples import Example, Examples, draw_splits
from crossfw.data.grammars import pick
from crossfw.data.settings import SequenceSpec

SIZES = (600, 80, 80)
REST = "R"
_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


@dataclass(frozen=True)
class Genre:
    """How tunes of one genre are made.

    Args:
        tonic: MIDI number of the first degree.
        scale: semitones above the tonic.
        rhythms: bars, each as lengths in quarters; a negative length is a rest.
        closes: last bars, which end on the tonic.
        motion: steps along the scale from note to note, as often as they stand here.
        answer: by how many degrees the answer to a motif is moved.
    """

    tonic: int
    scale: tuple[int, ...]
    rhythms: tuple[tuple[float, ...], ...]
    closes: tuple[tuple[float, ...], ...]
    motion: tuple[int, ...]
    answer: tuple[int, ...]


GENRES: dict[str, Genre] = {
    "march": Genre(
        60,
        (0, 2, 4, 5, 7, 9, 11),
        ((1, 1, 1, 1), (1.5, 0.5, 1, 1), (1.5, 0.5, 1.5, 0.5), (2, 1, 1), (1, 1, 2)),
        ((1, 1, 2), (1, 1, 1, -1)),
        (2, 2, -2, 1, -1, 0, 3, -3),
        (0, 3, 4),
    ),
    "waltz": Genre(
        67,
        (0, 2, 4, 5, 7, 9, 11),
        ((1, 1, 1), (2, 1), (1, 0.5, 0.5, 1), (1.5, 0.5, 1), (3,)),
        ((3,), (2, -1)),
        (1, 1, -1, -1, 2, -2),
        (1, -1),
    ),
    "blues": Genre(
        57,
        (0, 3, 5, 6, 7, 10),
        ((1, 0.5, 0.5, 1, -1), (0.5, 0.5, 1, -1, 1), (-1, 1, 0.5, 0.5, 1), (1.5, 0.5, 1, -1), (0.5, 0.5, 0.5, 0.5, 2)),
        ((1, -1, 2), (0.5, 0.5, 1, -2)),
        (-1, -1, 1, 0, -2, 1),
        (0, 2),
    ),
    "lament": Genre(
        62,
        (0, 1, 3, 5, 7, 8, 10),
        ((4,), (3, 1), (2, 2), (2, 1, 1)),
        ((4,),),
        (-1, -1, -1, 1, 0),
        (-1, -2, 1),
    ),
}


def draw(spec: SequenceSpec) -> Examples:
    """The corpus: a genre, and the notes of a tune; no tune stands in two splits. The genres are equally likely."""

    def tune(rng: np.random.Generator, _: str) -> Example:
        name = pick(rng, tuple(GENRES))
        return Example((name,), _tune(rng, GENRES[name]))

    return draw_splits(tune, spec, SIZES, key=lambda example: example.wanted)


def note(pitch: int | None, quarters: float) -> str:
    """A note as a token.

    Args:
        pitch: MIDI number, 60 for C4; None for a rest.
        quarters: its length.
    """
    name = REST if pitch is None else f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"
    return f"{name}:{quarters:g}"


def _tune(rng: np.random.Generator, genre: Genre) -> tuple[str, ...]:
    motif, contrast = _motif(rng, genre), _motif(rng, genre)
    answer, close = pick(rng, genre.answer), pick(rng, genre.closes)
    bars = [(motif, 0), (motif, answer), (motif, 0), (contrast, 0), (contrast, answer), (motif, 0)]
    notes = [token for bar, moved in bars for token in _sing(genre, bar, moved)]
    return (*notes, *_sing(genre, [(length, 0) for length in close], 0))


def _motif(rng: np.random.Generator, genre: Genre) -> list[tuple[float, int]]:
    """A bar: lengths and degrees, which begin on a degree of the tonic's chord and stay within an octave and a half."""
    degree, bar = pick(rng, (0, 2, 4)), []
    for length in pick(rng, genre.rhythms):
        bar.append((length, degree))
        degree = int(np.clip(degree + pick(rng, genre.motion), -3, len(genre.scale)))
    return bar


def _sing(genre: Genre, bar: list[tuple[float, int]], moved: int) -> list[str]:
    return [note(None if length < 0 else _pitch(genre, degree + moved), abs(length)) for length, degree in bar]


def _pitch(genre: Genre, degree: int) -> int:
    octave, place = divmod(degree, len(genre.scale))
    return genre.tonic + 12 * octave + genre.scale[place]

"""The user's own tunes: `.abc`, `.mid` and `.midi` files as one line of notes each, through symusic."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crossfw.data.corpora import read_text
from crossfw.data.examples import Example
from crossfw.data.grammars.music import note
from crossfw.errors import CrossfwError

SUFFIXES = (".abc", ".mid", ".midi")
_GRID = 4  # parts of a quarter to which lengths are rounded
_LONGEST = 4 * _GRID  # longer notes and rests are shortened to a whole note
_TUNE_START = re.compile(r"^(?=X:)", re.MULTILINE)


def read_tunes(folder: Path) -> list[Example]:
    """All tunes: the genre, which is the name of the folder that a file lies in, and the notes.

    Of a tune with several voices the one with the most notes counts, of a chord its highest note. Lengths are rounded
    to sixteenths. A `.abc` file may hold many tunes.

    Raises:
        CrossfwError: if symusic is missing, there is no such folder, no folder in it, a folder without tunes, or a
            file that cannot be read or has no notes.
    """
    symusic = _import_symusic(folder)
    asked = f"tunes in {folder}"
    if not folder.is_dir():
        raise CrossfwError(asked, "no such folder", "give a folder that holds one folder for each genre")
    genres = sorted(path for path in folder.iterdir() if path.is_dir())
    if not genres:
        raise CrossfwError(asked, "no folder in it", "put the tunes of each genre into a folder of its own")
    return [Example((genre.name,), notes) for genre in genres for notes in _read_genre(symusic, genre)]


def _import_symusic(folder: Path) -> Any:
    try:
        import symusic
    except ImportError as error:
        raise CrossfwError(f"tunes in {folder}", "symusic is not installed", "pip install 'crossfw[music]'") from error
    return symusic


def _read_genre(symusic: Any, genre: Path) -> Iterator[tuple[str, ...]]:
    files = sorted(path for path in genre.iterdir() if path.suffix.lower() in SUFFIXES)
    if not files:
        raise CrossfwError(f"tunes in {genre}", "none", f"put files into it: {', '.join(SUFFIXES)}")
    for path in files:
        for score in _read_scores(symusic, path):
            yield _melody(score, path)


def _read_scores(symusic: Any, path: Path) -> list[Any]:
    asked = f"the tune {path}"
    try:
        if path.suffix.lower() != ".abc":
            return [symusic.Score.from_file(path)]
        tunes = [part for part in _TUNE_START.split(read_text(path)) if part.startswith("X:")]
        if not tunes:
            raise CrossfwError(asked, "no tune in it", 'begin each tune with a line "X:1"')
        return [symusic.Score.from_abc(tune) for tune in tunes]
    except (RuntimeError, ValueError) as error:
        raise CrossfwError(asked, f"it cannot be read: {error}", "mend the file, or take it away") from error


def _melody(score: Any, path: Path) -> tuple[str, ...]:
    """The notes of the fullest voice, and the rests between them."""
    voices = [track.notes for track in score.tracks if not track.is_drum and len(track.notes)]
    if not voices:
        raise CrossfwError(f"the tune {path}", "no notes in it", "take the file away")
    unit = score.ticks_per_quarter / _GRID
    highest: dict[int, tuple[int, int]] = {}  # onset: pitch and length, in parts of a quarter
    for played in max(voices, key=len):
        onset, length = round(played.time / unit), max(round(played.duration / unit), 1)
        highest[onset] = max(highest.get(onset, (0, 0)), (played.pitch, length))
    onsets = sorted(highest)
    tokens = []
    for onset, following in zip(onsets, [*onsets[1:], None], strict=True):
        pitch, length = highest[onset]
        gap = length if following is None else following - onset
        tokens.append(_token(pitch, min(length, gap)))
        if gap > length:
            tokens.append(_token(None, gap - length))
    return tuple(tokens)


def _token(pitch: int | None, parts: int) -> str:
    return note(pitch, min(parts, _LONGEST) / _GRID)

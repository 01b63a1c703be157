"""The lyrics of Jay Chou that D2L's Chinese edition trains on: under copyright, so only the user can bring them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from crossfw.errors import CorpusUnavailable, CrossfwError

JAY_CHOU = "jay-chou"
FILENAME = "jaychou_lyrics.txt"
FIRST = 10_000
CHARACTERS = 1_027  # different ones among the first, newlines counted as blanks, as D2L published it


def find_lyrics(folders: list[Path]) -> Path | None:
    """The file `jaychou_lyrics.txt`, or D2L's archive `jaychou_lyrics.txt.zip`, in the user's folders."""
    places = [folder / name for folder in folders for name in (FILENAME, f"{FILENAME}.zip")]
    return next((path for path in places if path.is_file()), None)


def read_lyrics(folders: list[Path]) -> str:
    """The text.

    Raises:
        CorpusUnavailable: it is in none of the folders.
        CrossfwError: it is another text than the one that D2L's figures were measured on.
    """
    asked, remedy = f"the corpus {JAY_CHOU!r}", f"put {FILENAME} into a folder and name that with --data-dir"
    path = find_lyrics(folders)
    if path is None:
        raise CorpusUnavailable(asked, "it is under copyright, and in none of your folders", remedy)
    content = path.read_bytes()
    try:
        if path.suffix == ".zip":
            content = zipfile.ZipFile(io.BytesIO(content)).read(FILENAME)
        text = content.decode("utf-8")
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError) as error:
        raise CrossfwError(f"{asked} in {path}", f"it cannot be read: {error}", remedy) from error
    found = len(set(first_characters(text)))
    if found != CHARACTERS:
        words = f"{found} different characters among the first {FIRST:,}"
        raise CrossfwError(f"{asked} in {path}, with {CHARACTERS:,} of them", words, "bring the text that D2L used")
    return text


def first_characters(text: str) -> str:
    """The first 10,000 characters with newlines as blanks, `load_data_jay_lyrics` of D2L's Chinese edition."""
    return text.replace("\n", " ").replace("\r", " ")[:FIRST]

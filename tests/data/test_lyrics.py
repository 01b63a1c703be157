"""The lyrics that only the user can bring: found in folders, known by their characters, skipped where they are not."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from crossfw.data import DataSpec, load_dataset
from crossfw.data.corpora import locate, read_corpus
from crossfw.data.lyrics import CHARACTERS, FILENAME, JAY_CHOU
from crossfw.errors import CorpusUnavailable, CrossfwError


def text_with(characters: int) -> str:
    """A text whose first 10,000 characters are so many different ones; newlines count as blanks, and more follows."""
    letters = [chr(0x4E00 + i) for i in range(characters - 1)]
    return ("".join(letters) + "\n") * 300 + "其他"


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.delenv("CROSSFW_DATA", raising=False)
    return tmp_path


def test_lyrics_that_are_not_there_are_a_reason_to_skip(folder):
    assert locate(JAY_CHOU, folder) is None
    with pytest.raises(CorpusUnavailable, match="under copyright"):
        read_corpus(JAY_CHOU, folder)


@pytest.mark.parametrize("packed", [False, True])
def test_lyrics_are_found_in_the_users_folder(folder, packed):
    text = text_with(CHARACTERS)
    if packed:
        with zipfile.ZipFile(folder / f"{FILENAME}.zip", "w") as archive:
            archive.writestr(FILENAME, text)
    else:
        (folder / FILENAME).write_text(text, encoding="utf-8")
    assert locate(JAY_CHOU, folder).startswith(str(folder))
    assert read_corpus(JAY_CHOU, folder) == text
    dataset = load_dataset(DataSpec(corpus=JAY_CHOU, preparation="d2l-zh"), folder)
    assert len(dataset.training_ids) == 10_000
    assert len(dataset.vocabulary) == CHARACTERS + 1, "and <unk>"


@pytest.mark.parametrize(
    ("content", "words"),
    [(text_with(50).encode(), "50 different characters"), (b"\xff\xfe\xff", "cannot be read")],
)
def test_another_text_is_refused(folder, content, words):
    (folder / FILENAME).write_bytes(content)
    with pytest.raises(CrossfwError, match=words):
        read_corpus(JAY_CHOU, folder)


def test_a_broken_archive_is_refused(folder):
    (folder / f"{FILENAME}.zip").write_bytes(b"no archive")
    with pytest.raises(CrossfwError, match="cannot be read"):
        read_corpus(JAY_CHOU, folder)

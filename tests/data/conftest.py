"""Texts for the tests, in place of the corpora that a machine may or may not have."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from crossfw.data.corpora import CORPORA, Corpus, Download

UNREACHABLE = "http://127.0.0.1:9/none.txt"
_CALLERS_FOLDER = os.environ.get("CROSSFW_DATA")


@pytest.fixture(autouse=True)
def no_user_folder(monkeypatch):
    monkeypatch.delenv("CROSSFW_DATA", raising=False)


@pytest.fixture
def corpus_file(monkeypatch, tmp_path):
    """Call with a text: it becomes the corpus "time-machine", in a folder whose path is returned."""

    def write(text: str) -> Path:
        content = text.encode()
        known = Download(UNREACHABLE, hashlib.sha1(content).hexdigest(), len(content))
        monkeypatch.setitem(CORPORA, "time-machine", Corpus("book.txt", "a test", known))
        (tmp_path / "book.txt").write_bytes(content)
        return tmp_path

    return write


@pytest.fixture
def d2l_folder() -> Path:
    """The folder with D2L's own files."""
    if not _CALLERS_FOLDER:
        pytest.skip("CROSSFW_DATA is not set: D2L's files do not come with the project")
    return Path(_CALLERS_FOLDER)

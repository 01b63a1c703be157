"""Where texts come from: carried by the project, the user's folder, the cache, or a download, in that order.

A text that did not come with the project counts only if its SHA-1 is the known one.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
import zlib
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from crossfw.checks import require_choice
from crossfw.data.lyrics import JAY_CHOU, find_lyrics, read_lyrics
from crossfw.errors import CorpusUnavailable, CrossfwError

DATA_VARIABLE = "CROSSFW_DATA"
_TEXT_FOLDER = Path(__file__).parent / "text"
_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Download:
    """Where a file is published and what proves that it is the right one: its SHA-1 (hex), and its size in bytes.

    Where the size is not known it is a bound: more is not read.
    """

    url: str
    sha1: str
    size: int


@dataclass(frozen=True)
class Member:
    """A text inside a zip archive, and its SHA-1 (hex): archives of the same text may differ."""

    path: str
    sha1: str


@dataclass(frozen=True)
class Corpus:
    """A text.

    Args:
        filename: its file, in the project's text folder, the user's folder and the cache.
        origin: author, title, licence.
        download: where to get it; None for the project's own texts.
        member: where the file is an archive, the text in it.
    """

    filename: str
    origin: str
    download: Download | None = None
    member: Member | None = None


CORPORA: dict[str, Corpus] = {
    "english-story": Corpus("english-story.txt", "English prose, written for crossfw"),
    "chinese-story": Corpus("chinese-story.txt", "Chinese prose, written for crossfw"),
    "time-machine": Corpus(
        "timemachine.txt",
        "H. G. Wells, The Time Machine (1895), as published by D2L; public domain",
        Download(
            "http://d2l-data.s3-accelerate.amazonaws.com/timemachine.txt",
            "090b5e7e70c295757f55df93cb0a180b9691891a",
            178_979,
        ),
    ),
}
PARALLEL_CORPORA: dict[str, Corpus] = {
    "fra-eng": Corpus(
        "fra-eng.zip",
        "English-French sentence pairs of tatoeba.org and manythings.org/anki, as published by D2L; CC BY 2.0",
        Download(
            "http://d2l-data.s3-accelerate.amazonaws.com/fra-eng.zip",
            "94646ad1522d915e7b0f9296181140edcf86a4f5",
            16_000_000,
        ),
        Member("fra-eng/fra.txt", "c43f99dce27311d3afd4d3e0716848194cfcc103"),
    ),
}


def is_own_text(name: str) -> bool:
    """Whether a corpus is named by the path of a text file."""
    return isinstance(name, str) and name.endswith(".txt")


def read_corpus(name: str, data_dir: Path | None = None) -> str:
    """The text of a corpus.

    Args:
        name: a key of `CORPORA` or `PARALLEL_CORPORA`, "jay-chou", or the path of a text file of the user's own
            (`.txt`, UTF-8).
        data_dir: a folder to look in first; the folder that CROSSFW_DATA names comes next, then pooch's cache, then
            the download. The project's own texts are read from the package.

    Raises:
        CorpusUnavailable: if it has to be downloaded and that fails.
        CrossfwError: for an unknown name, a folder that does not exist, a file with another hash than the known one.
    """
    if is_own_text(name):
        return read_text(Path(name))
    known = {**CORPORA, **PARALLEL_CORPORA}
    require_choice("corpus", name, (*known, JAY_CHOU))
    folders = _user_folders(data_dir)
    if name == JAY_CHOU:
        return read_lyrics(folders)
    corpus = known[name]
    if corpus.download is None:
        return _read_own(corpus)
    for folder in folders:
        path = folder / corpus.filename
        if path.is_file():
            return _read_checked(path, corpus)
    return _read_checked(_retrieve(corpus.filename, corpus.download), corpus)


def locate(name: str, data_dir: Path | None = None) -> str | None:
    """Where `read_corpus` would find a corpus without a download: its place in words, or None.

    Raises:
        CrossfwError: as `read_corpus`.
    """
    folders = _user_folders(data_dir)
    if name == JAY_CHOU:
        found = find_lyrics(folders)
        return str(found) if found else None
    corpus = {**CORPORA, **PARALLEL_CORPORA}[name]
    if corpus.download is None:
        return "carried by crossfw"
    for folder in folders:
        path = folder / corpus.filename
        if path.is_file():
            _read_checked(path, corpus)
            return str(path)
    try:
        import pooch
    except ImportError:
        return None
    cached = Path(pooch.os_cache("crossfw")) / corpus.filename
    return str(cached) if cached.is_file() else None


def _user_folders(data_dir: Path | None) -> list[Path]:
    named = {"data_dir": data_dir, DATA_VARIABLE: os.environ.get(DATA_VARIABLE)}
    folders = {source: Path(folder).expanduser() for source, folder in named.items() if folder}
    for source, folder in folders.items():
        if not folder.is_dir():
            raise CrossfwError(f"{source} = {folder}", "no such folder", f"create it, or change {source}")
    return list(folders.values())


def read_text(path: Path) -> str:
    """A text file of the user's own.

    Raises:
        CrossfwError: if it cannot be read, or is not UTF-8.
    """
    asked = f"the text {path}"
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CrossfwError(asked, error.strerror or str(error), "give the path of a text file") from error
    except UnicodeDecodeError as error:
        raise CrossfwError(asked, f"it is not UTF-8: {error}", "save it as UTF-8") from error


def _read_own(corpus: Corpus) -> str:
    path = _TEXT_FOLDER / corpus.filename
    if not path.is_file():
        found = "it is missing from this installation"
        raise CrossfwError(f"the text {corpus.filename}", found, "install crossfw again")
    return path.read_text(encoding="utf-8")


def _read_checked(path: Path, corpus: Corpus) -> str:
    """The text in a file or archive, if it is the known one."""
    content, asked, sha1 = path.read_bytes(), str(path), corpus.download.sha1
    if corpus.member:
        content, asked, sha1 = (
            _unpack(path, content, corpus.member),
            f"{corpus.member.path} in {path}",
            corpus.member.sha1,
        )
    found = hashlib.sha1(content).hexdigest()
    if found != sha1:
        remedy = f"replace the file by the one with SHA-1 {sha1}, or take it away to let crossfw download it"
        raise CrossfwError(f"{asked} with SHA-1 {sha1}", f"{len(content)} bytes with SHA-1 {found}", remedy)
    return content.decode("utf-8")


def _unpack(path: Path, content: bytes, member: Member) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.read(member.path)
    except (zipfile.BadZipFile, KeyError, zlib.error) as error:
        remedy = "replace the file, or take it away to let crossfw download it"
        raise CrossfwError(f"{member.path} in {path}", f"no archive that holds it: {error}", remedy) from error


def _retrieve(filename: str, download: Download) -> Path:
    asked = f"{filename} from {download.url}"
    remedy = f"put {filename} into a folder and name that with --data-dir or {DATA_VARIABLE}"
    try:
        import pooch
    except ImportError as error:
        raise CorpusUnavailable(asked, "pooch is not installed", f"pip install pooch; or {remedy}") from error

    pooch.get_logger().setLevel("ERROR")  # what it says is said here, in other words

    def fetch(url: str, target: str, _: object) -> None:
        Path(target).write_bytes(_fetch_limited(url, download.size))

    try:
        path = pooch.retrieve(
            download.url, f"sha1:{download.sha1}", filename, path=pooch.os_cache("crossfw"), downloader=fetch
        )
    except (OSError, HTTPException) as error:
        cause = (error.reason if type(error) is URLError else error) or type(error).__name__
        found = f"it is not on this machine, and the download failed: {cause}"
        raise CorpusUnavailable(asked, found, remedy) from error
    except ValueError as error:  # pooch's word for a wrong hash, and ours for a wrong size
        raise CrossfwError(asked, f"the server sent another file: {error}", remedy) from error
    return Path(path)


def _fetch_limited(url: str, size: int) -> bytes:
    try:
        response = urlopen(url, timeout=_TIMEOUT_SECONDS)
    except HTTPError as error:
        error.close()  # it is an open response too
        raise
    with response:
        content = response.read(size + 1)
        if len(content) > size:
            raise ValueError(f"it is larger than the {size} bytes that are known")
        if response.length:
            raise ConnectionError(f"the connection closed after {len(content)} bytes, {response.length} missing")
    return content

from __future__ import annotations

import hashlib
import socket
import sys
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pooch
import pytest

from crossfw.data import CORPORA, Corpus, CorpusUnavailable, read_corpus
from crossfw.data.corpora import Download
from crossfw.errors import CrossfwError

BOOK = b"The Time Traveller (for so it will be convenient to speak of him)\n" * 40


@contextmanager
def serving(content: bytes, status: int = 200, announced: int | None = None):
    """Yields the address of a file on a server of our own, and a counter of the requests and bytes that it saw."""
    seen = Counter()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen["requests"] += 1
            self.send_response(status)
            self.send_header("Content-Length", str(len(content) if announced is None else announced))
            self.end_headers()
            try:
                for start in range(0, len(content), 65536):
                    self.wfile.write(content[start : start + 65536])
                    seen["bytes"] += len(content[start : start + 65536])
            except ConnectionError:
                seen["aborted"] += 1

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False  # so that closing waits for the handlers, and the counter is complete
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/book.txt", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def cache(monkeypatch, tmp_path):
    folder = tmp_path / "cache"
    monkeypatch.setattr(pooch, "os_cache", lambda project: folder / project)
    monkeypatch.setenv("no_proxy", "*")
    return folder / "crossfw"


@pytest.fixture
def publish(monkeypatch):
    """Call with an address: the corpus "time-machine" is then BOOK, published there."""

    def at(url: str) -> None:
        known = Download(url, hashlib.sha1(BOOK).hexdigest(), len(BOOK))
        monkeypatch.setitem(CORPORA, "time-machine", Corpus("book.txt", "a test", known))

    return at


@pytest.mark.parametrize(
    ("name", "length", "ascii_only"), [("english-story", 20_000, True), ("chinese-story", 3_000, False)]
)
def test_own_texts(name, length, ascii_only):
    text = read_corpus(name)
    assert len(text) >= length
    assert text.isascii() == ascii_only


def test_the_time_machine_of_d2l(d2l_folder, monkeypatch):
    monkeypatch.setenv("CROSSFW_DATA", str(d2l_folder))
    assert len(read_corpus("time-machine").encode()) == 178_979


def test_a_file_in_data_dir(corpus_file):
    assert read_corpus("time-machine", corpus_file("a book")) == "a book"


def test_a_file_in_the_folder_that_the_environment_names(corpus_file, monkeypatch, tmp_path):
    monkeypatch.setenv("CROSSFW_DATA", str(corpus_file("a book")))
    (tmp_path / "other").mkdir()
    assert read_corpus("time-machine") == "a book"
    assert read_corpus("time-machine", tmp_path / "other") == "a book"


def test_a_download_is_checked_and_cached(publish, cache):
    with serving(BOOK) as (url, seen):
        publish(url)
        assert read_corpus("time-machine") == BOOK.decode()
        assert read_corpus("time-machine") == BOOK.decode()
    assert seen["requests"] == 1
    assert [path.name for path in cache.iterdir()] == ["book.txt"]
    assert read_corpus("time-machine") == BOOK.decode()


@pytest.mark.parametrize(
    ("served", "unavailable", "words"),
    [
        ({"content": BOOK[::-1]}, False, ["another file", hashlib.sha1(BOOK).hexdigest(), "CROSSFW_DATA"]),
        ({"content": BOOK[:-1]}, False, ["another file", "does not match"]),
        ({"content": BOOK + b"x"}, False, ["another file", f"larger than the {len(BOOK)} bytes"]),
        ({"content": BOOK[:100], "announced": len(BOOK)}, True, ["closed after 100 bytes", "--data-dir"]),
        ({"content": b"gone", "status": 404}, True, ["download failed", "404"]),
    ],
)
def test_a_download_that_goes_wrong(publish, cache, served, unavailable, words):
    with serving(**served) as (url, seen):
        publish(url)
        with pytest.raises(CrossfwError) as caught:
            read_corpus("time-machine")
    assert isinstance(caught.value, CorpusUnavailable) == unavailable
    assert all(word in str(caught.value) for word in [url, *words]), str(caught.value)
    assert seen["requests"] == 1, "no retries"
    assert list(cache.iterdir()) == [], "nothing unproven is kept"


def test_a_file_that_is_far_too_large_is_not_read_to_its_end(publish, cache):
    with serving(bytes(64_000_000)) as (url, seen):
        publish(url)
        with pytest.raises(CrossfwError, match="larger than"):
            read_corpus("time-machine")
    assert seen["aborted"] == 1
    assert seen["bytes"] < 64_000_000


def test_no_connection(publish, cache):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        publish(f"http://127.0.0.1:{deaf.getsockname()[1]}/book.txt")
        with pytest.raises(CorpusUnavailable, match="(?i)refused"):
            read_corpus("time-machine")


def test_a_silent_server(publish, cache, monkeypatch):
    monkeypatch.setattr("crossfw.data.corpora._TIMEOUT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        publish(f"http://127.0.0.1:{silent.getsockname()[1]}/book.txt")
        with pytest.raises(CorpusUnavailable, match="timed out"):
            read_corpus("time-machine")


def test_without_pooch(publish, monkeypatch):
    publish("http://127.0.0.1:9/book.txt")
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(CorpusUnavailable, match="pip install pooch"):
        read_corpus("time-machine")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("time-machin", ["did you mean 'time-machine'", "english-story, chinese-story, time-machine"]),
        ("markov", ["corpus = 'markov'", "english-story"]),
    ],
)
def test_unknown_corpus(name, words):
    with pytest.raises(CrossfwError) as caught:
        read_corpus(name)
    assert all(word in str(caught.value) for word in words)


def test_a_wrong_file_is_an_error_and_not_replaced(corpus_file):
    folder = corpus_file("a book")
    (folder / "book.txt").write_text("another book")
    known, found = (hashlib.sha1(text).hexdigest() for text in (b"a book", b"another book"))
    with pytest.raises(CrossfwError) as caught:
        read_corpus("time-machine", folder)
    assert all(word in str(caught.value) for word in (known, found, "12 bytes", "replace the file"))
    assert not isinstance(caught.value, CorpusUnavailable)
    assert (folder / "book.txt").read_text() == "another book"


@pytest.mark.parametrize("name", ["english-story", "time-machine"])
def test_a_folder_that_does_not_exist(name, tmp_path, monkeypatch):
    missing = tmp_path / "missing"
    with pytest.raises(CrossfwError, match="data_dir = .*missing\nfound: no such folder"):
        read_corpus(name, missing)
    monkeypatch.setenv("CROSSFW_DATA", str(missing))
    with pytest.raises(CrossfwError, match="CROSSFW_DATA = .*missing\nfound: no such folder"):
        read_corpus(name)


def test_a_text_missing_from_the_installation(monkeypatch, tmp_path):
    monkeypatch.setattr("crossfw.data.corpora._TEXT_FOLDER", tmp_path)
    with pytest.raises(CrossfwError, match="install crossfw again"):
        read_corpus("english-story")


def test_a_text_of_the_users_own(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("Hällo", encoding="utf-8")
    assert read_corpus(str(path)) == "Hällo"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(CrossfwError, match="not UTF-8"):
        read_corpus(str(path))
    with pytest.raises(CrossfwError, match="No such file"):
        read_corpus(str(tmp_path / "none.txt"))

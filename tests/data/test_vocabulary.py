from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfw.data import Vocabulary
from crossfw.errors import CrossfwError

TEXT = list("banana cab")


@pytest.mark.parametrize(
    ("settings", "tokens"),
    [
        ({}, ("<unk>", "a", "b", "n", " ", "c")),
        ({"min_frequency": 2}, ("<unk>", "a", "b", "n")),
        ({"min_frequency": 9}, ("<unk>",)),
        ({"order": "alphabetical"}, (" ", "<unk>", "a", "b", "c", "n")),
        ({"order": "alphabetical", "min_frequency": 2}, ("<unk>", "a", "b", "n")),
        ({"reserved": ("<pad>", "n"), "min_frequency": 2}, ("<unk>", "<pad>", "n", "a", "b")),
        ({"reserved": ("<pad>",), "order": "alphabetical", "min_frequency": 2}, ("<pad>", "<unk>", "a", "b", "n")),
    ],
)
def test_build(settings, tokens):
    assert Vocabulary.build(TEXT, **settings) == Vocabulary(tokens)


def test_unk_in_the_text_is_not_a_second_token():
    assert Vocabulary.build(["<unk>", "<unk>", "a"]).tokens == ("<unk>", "a")


def test_encode_and_decode():
    vocabulary = Vocabulary.build(TEXT)
    ids = vocabulary.encode("cat")
    assert (ids.dtype, ids.tolist(), len(vocabulary), vocabulary.unknown) == (np.int64, [5, 1, 0], 6, 0)
    assert vocabulary.decode(ids) == ["c", "a", "<unk>"]


def test_a_closed_vocabulary():
    vocabulary = Vocabulary(tuple("ehlo"), closed=True)
    assert vocabulary.encode("hello").tolist() == [1, 0, 2, 2, 3]
    assert vocabulary.decode([3, 1, 2, 3, 2]) == list("ohlol")
    assert (len(vocabulary), vocabulary.padding) == (4, 0)
    with pytest.raises(CrossfwError, match="token 'x'"):
        vocabulary.encode("hex")


def test_the_places_of_tokens():
    vocabulary = Vocabulary.build(TEXT, reserved=("<bos>", "<pad>"))
    assert (vocabulary.index("<bos>"), vocabulary.padding, vocabulary.unknown) == (1, 2, 0)


def test_nothing_to_encode_or_decode():
    vocabulary = Vocabulary.build(TEXT)
    assert vocabulary.encode([]).shape == (0,)
    assert vocabulary.decode([]) == []


@given(st.lists(st.text(max_size=3)), st.sampled_from(["frequency", "alphabetical"]))
def test_what_is_encoded_decodes_to_itself(tokens, order):
    vocabulary = Vocabulary.build(tokens, order=order)
    assert vocabulary.decode(vocabulary.encode(tokens)) == tokens
    assert set(vocabulary.tokens) == {"<unk>", *tokens}


@given(st.lists(st.sampled_from("abcde")), st.integers(1, 4))
def test_rare_tokens_become_unknown(tokens, min_frequency):
    vocabulary = Vocabulary.build(tokens, min_frequency)
    known = [token if tokens.count(token) >= min_frequency else "<unk>" for token in tokens]
    assert vocabulary.decode(vocabulary.encode(tokens)) == known


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Vocabulary.build(TEXT).decode([0, 6]), ["index 6 at position 1", "indices 0 to 5"]),
        (lambda: Vocabulary.build(TEXT).decode([-1]), ["index -1 at position 0"]),
        (lambda: Vocabulary.build(TEXT).decode([[0]]), ["shape (1, 1)", "one-dimensional"]),
        (lambda: Vocabulary.build(TEXT).decode([0.5]), ["float64", "integers"]),
        (lambda: Vocabulary.build(TEXT, order="frequent"), ["did you mean 'frequency'", "alphabetical"]),
        (lambda: Vocabulary.build(TEXT, min_frequency=0), ["min_frequency = 0", "at least 1"]),
        (lambda: Vocabulary(("a", "b")), ["no <unk>", "Vocabulary.build"]),
        (lambda: Vocabulary(("a", "a"), closed=True), ["stands twice"]),
        (lambda: Vocabulary(("a", "b"), closed=True).unknown, ["token '<unk>'", "not among the 2 known ones"]),
        (lambda: Vocabulary(("<unk>", "a", "a")), ["stands twice", "Vocabulary.build"]),
    ],
)
def test_errors(call, words):
    with pytest.raises(CrossfwError) as caught:
        call()
    assert all(word in str(caught.value) for word in words), str(caught.value)

from __future__ import annotations

import pytest

from crossfw.data import Vocabulary, prepare, read_corpus, tokenize
from crossfw.errors import CrossfwError

TEXT = "  The Time-Machine,\nby H. G. Wells [1898]\n\n\tI\n"


@pytest.mark.parametrize(
    ("text", "preparation", "lines"),
    [
        (TEXT, "plain", ["The Time-Machine, by H. G. Wells [1898] I"]),
        (TEXT, "d2l-0.17", ["the time machine", "by h g wells", "", "i", ""]),
        (TEXT, "d2l-1.0", [" the time machine by h g wells i "]),
        ("从前\n有一个\u3000人。", "plain", ["从前 有一个 人。"]),
        ("", "plain", [""]),
        ("123", "d2l-0.17", [""]),
    ],
)
def test_prepare(text, preparation, lines):
    assert prepare(text, preparation) == lines


@pytest.mark.parametrize(
    ("lines", "unit", "tokens"),
    [
        (["ab c", "", "d"], "character", ["a", "b", " ", "c", "d"]),
        (["ab c", "", "d"], "word", ["ab", "c", "d"]),
        ([], "character", []),
    ],
)
def test_tokenize(lines, unit, tokens):
    assert tokenize(lines, unit) == tokens


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: prepare(TEXT, "d2l-0.16"), ["'d2l-0.16'", "did you mean 'd2l-0.17'", "plain, d2l-0.17, d2l-1.0"]),
        (lambda: tokenize(["a"], "words"), ["'words'", "did you mean 'word'", "character, word"]),
    ],
)
def test_errors(call, words):
    with pytest.raises(CrossfwError) as caught:
        call()
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize(
    ("preparation", "order", "characters", "first"),
    [
        ("d2l-0.17", "frequency", 170_580, ("<unk>", " ", "e", "t", "a")),
        ("d2l-1.0", "alphabetical", 173_428, (" ", "<unk>", "a", "b", "c")),
    ],
)
def test_counts_of_the_time_machine_are_those_of_d2l(d2l_folder, preparation, order, characters, first):
    tokens = tokenize(prepare(read_corpus("time-machine", d2l_folder), preparation), "character")
    vocabulary = Vocabulary.build(tokens, order=order)
    assert (len(tokens), len(vocabulary), vocabulary.tokens[:5]) == (characters, 28, first)

"""Measures against values worked out by hand."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from crossfw.errors import CrossfwError
from crossfw.measures import (
    accuracy,
    bleu,
    exact_match,
    f1,
    nearest_of_the_same_sense,
    repetition,
    sense_distances,
)


@pytest.mark.parametrize(
    ("expected", "predicted", "right", "positive", "macro"),
    [
        ([1, 1, 0, 0], [1, 1, 0, 0], 1.0, 1.0, 1.0),
        ([1, 1, 0, 0], [1, 0, 0, 0], 0.75, 2 / 3, (2 / 3 + 4 / 5) / 2),
        ([0, 0, 0, 0], [0, 0, 0, 0], 1.0, 0.0, 1.0),
        ([1, 1, 1, 1], [0, 0, 0, 0], 0.0, 0.0, 0.0),
        ([2, 1, 0, 0], [2, 1, 1, 0], 0.75, 2 / 3, (1 + 2 / 3 + 2 / 3) / 3),
    ],
)
def test_classes(expected, predicted, right, positive, macro):
    expected, predicted = np.array(expected), np.array(predicted)
    assert accuracy(expected, predicted) == right
    assert f1(expected, predicted, positive=1) == pytest.approx(positive)
    assert f1(expected, predicted) == pytest.approx(macro)


def test_bleu():
    reference = ["the", "cat", "is", "on", "the", "mat", "."]
    assert bleu([reference], [reference]) == 100
    # n-gram precisions 6/7, 4/6, 2/5, 1/4: "a" stands in place of the second "the"
    found = bleu([reference], [["the", "cat", "is", "on", "a", "mat", "."]])
    assert found == pytest.approx(100 * (6 / 7 * 4 / 6 * 2 / 5 * 1 / 4) ** 0.25)
    assert bleu([reference], [[]]) == 0


def test_bleu_takes_tokens_as_they_are():
    assert bleu([["don't", "!", "stop", "x"]], [["don", "'t", "!", "stop"]]) < 50


def test_exact_match():
    assert exact_match([["a", "b"], ["c"]], [("a", "b"), ["c", "d"]]) == 0.5


def test_senses_told_apart():
    vectors = np.array([[1, 0], [2, 0], [0, 1], [0, 3.0]])
    assert sense_distances(vectors, ["a", "a", "b", "b"]) == {
        "between senses": 1.0,
        "smallest between senses": 1.0,
        "within a sense": 0.0,
        "largest within a sense": 0.0,
    }


def test_senses_of_which_there_is_one_sentence_each():
    assert sense_distances(np.array([[1, 0], [-1, 0]]), ["a", "b"]) == {
        "between senses": 2.0,
        "smallest between senses": 2.0,
    }
    assert set(sense_distances(np.eye(2), ["a", "a"])) == {"within a sense", "largest within a sense"}


@pytest.mark.parametrize(
    ("vectors", "senses", "word"),
    [
        (np.eye(3), ["a", "b"], "shape (3, 3)"),
        (np.eye(1), ["a"], "at least two"),
        (np.ones(2), ["a", "b"], "shape (2,)"),
        (np.array([[1, 0], [0, 0]]), ["a", "b"], "a vector of zeros"),
    ],
)
def test_vectors_that_do_not_fit(vectors, senses, word):
    with pytest.raises(CrossfwError) as caught:
        sense_distances(vectors, senses)
    assert word in str(caught.value)


def test_the_libraries_are_loaded_when_they_are_needed():
    code = "import sys, crossfw.measures; print(sorted({'sklearn', 'scipy', 'sacrebleu'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("tokens", "expected"), [("abcdefgh", 0.0), ("aaaaaaaa", 0.8), ("abababab", 0.6), ("abc", 0.0)]
)
def test_repetition_counts_runs_that_came_before(tokens, expected):
    assert repetition(tokens) == pytest.approx(expected)


def test_the_nearest_use_of_a_word_has_its_sense_or_not():
    vectors = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
    assert nearest_of_the_same_sense(vectors, ["a", "a", "b", "b"]) == 1.0
    assert nearest_of_the_same_sense(vectors, ["a", "b", "a", "b"]) == 0.0

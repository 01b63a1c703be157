"""Classes for texts: reviews, and the user's labels."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from crossfw.data import ClassificationSpec, load_dataset
from crossfw.errors import CrossfwError


@pytest.fixture(scope="module")
def reviews():
    return load_dataset(ClassificationSpec("sentiment"))


def test_stars_are_balanced(reviews):
    assert reviews.vocabularies["output"].tokens == ("1", "2", "3", "4", "5")
    counts = Counter(example.wanted[0] for example in reviews.examples["training"])
    assert max(counts.values()) < 1.25 * min(counts.values())


def test_binary():
    dataset = load_dataset(ClassificationSpec("sentiment", binary=True))
    assert dataset.vocabularies["output"].tokens == ("negative", "positive")
    assert dataset.sizes["output_size"] == 2


def test_the_words_without_their_order_do_not_tell(reviews):
    """A linear classifier of bags of words stays far from the whole."""
    from sklearn.linear_model import LogisticRegression

    def bags(split):
        counts = np.zeros((len(reviews.examples[split]), reviews.sizes["input_size"]))
        for row, example in zip(counts, reviews.examples[split], strict=True):
            np.add.at(row, reviews.vocabularies["input"].encode(example.given), 1)
        return counts, [example.wanted[0] for example in reviews.examples[split]]

    classifier = LogisticRegression(max_iter=1000).fit(*bags("training"))
    assert 0.3 < classifier.score(*bags("test")) < 0.8


def test_show(reviews):
    predictions = [np.zeros_like(batch.targets) for batch in reviews.test()]
    example = reviews.examples["test"][0]
    assert reviews.show(predictions, "test", 1) == [
        {"input": " ".join(example.given), "expected": example.wanted[0], "predicted": "1"}
    ]


def test_a_tsv_file(tmp_path):
    path = tmp_path / "reviews.tsv"
    path.write_text("good\tA fine day, indeed!\nbad\tRain.\n\n")
    dataset = load_dataset(ClassificationSpec(str(path), validation_sequences=0, test_sequences=0))
    batch = dataset.batches("training")[0]
    assert dataset.examples["training"][0].given == ("a", "fine", "day", ",", "indeed", "!")
    assert dataset.vocabularies["output"].tokens == ("bad", "good")
    assert batch.targets.tolist() == [1, 0]
    assert batch.mask.T.tolist() == [[1] * 6, [1, 1, 0, 0, 0, 0]]
    assert batch.inputs[2:, 1].tolist() == [1] * 4
    assert dataset.measures([np.array([1, 1])], "training") == {"accuracy": 0.5, "F1": pytest.approx(1 / 3)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("good\ta\n\nbad\tb\n", ["line 2", "an empty line", "a label, a tab, and a text"]),
        ("good a\n", ["line 1", "['good a']"]),
        ("good\t\n", ["line 1", "['good', '']"]),
        ("good\ta\tb\n", ["line 1", "['good', 'a', 'b']"]),
        ("good\ta\ngood\tb\n", ["one label only: 'good'"]),
        ("", ["line 1", "an empty line"]),
    ],
)
def test_bad_tsv_files(tmp_path, text, words):
    path = tmp_path / "reviews.tsv"
    path.write_text(text)
    with pytest.raises(CrossfwError) as caught:
        load_dataset(ClassificationSpec(str(path)))
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"corpus": "sentiments"}, ["did you mean 'sentiment'", ".tsv"]),
        ({"corpus": "a.conll"}, ["no .tsv"]),
        ({"corpus": "a.tsv", "binary": True}, ["binary = True", "no effect"]),
        ({"corpus": "sentiment", "binary": 1}, ["binary = 1", "true or false"]),
        ({"corpus": "sentiment", "min_frequency": 0}, ["min_frequency = 0"]),
        ({}, ["no corpus"]),
    ],
)
def test_settings(settings, words):
    with pytest.raises(CrossfwError) as caught:
        ClassificationSpec(**settings)
    assert all(word in str(caught.value) for word in words), str(caught.value)

"""Word vectors in context: targets on both sides, and the sentences to probe with."""

from __future__ import annotations

import numpy as np
import pytest

from crossfw.data import ContextSpec, load_dataset
from crossfw.errors import CrossfwError


@pytest.fixture(scope="module")
def bank():
    return load_dataset(ContextSpec("bank"))


@pytest.fixture(scope="module")
def corpus():
    return load_dataset(ContextSpec("senses"))


def test_the_two_sentences_spelled_out(bank):
    batch = bank.batches("training")[0]
    words = bank.vocabularies["input"]
    assert " ".join(words.decode(batch.inputs[:, 0])) == "<bos> i went to the bank to deposit cash <eos>"
    following, previous = batch.targets[1:-1, 1, 0], batch.targets[1:-1, 1, 1]
    assert " ".join(words.decode(following)) == "went to the bank to sit down <eos>"
    assert " ".join(words.decode(previous)) == "<bos> i went to the bank to sit"
    assert batch.shown.T.tolist() == [[0, *[1] * 8, 0]] * 2
    assert batch.mask.T.tolist() == [[1] * 10] * 2
    assert (batch.targets[[0, -1]] == words.padding).all()
    assert bank.sizes == {"input_size": 13, "output_size": 13}


def test_every_word_has_its_neighbours_and_nothing_else_is_asked(corpus):
    for batch in corpus.test():
        for column in range(batch.inputs.shape[1]):
            steps = np.flatnonzero(batch.shown[:, column])
            np.testing.assert_array_equal(steps, np.arange(1, len(steps) + 1))
            np.testing.assert_array_equal(batch.targets[steps, column, 0], batch.inputs[steps + 1, column])
            np.testing.assert_array_equal(batch.targets[steps, column, 1], batch.inputs[steps - 1, column])


def test_sentences_cut_keep_their_frame():
    dataset = load_dataset(ContextSpec("bank", steps=8))
    words, batch = dataset.vocabularies["input"], dataset.batches("training")[0]
    assert " ".join(words.decode(batch.inputs[:, 0])) == "<bos> i went to the bank to <eos>"
    assert dataset.describe()["sequences cut"] == 2


def test_probes_of_the_two_sentences(bank):
    probes = bank.probes()
    assert probes.sentences == ("i went to the bank to deposit cash", "i went to the bank to sit down")
    assert (probes.words, probes.positions.tolist()) == (("bank", "bank"), [5, 5])
    assert len(set(probes.senses)) == 2


def test_probes_are_of_the_test_and_show_both_senses(corpus):
    probes = corpus.probes()
    assert probes.sentences[:2] == load_dataset(ContextSpec("bank")).probes().sentences
    assert len(set(probes.words)) == 8
    senses = {word: set() for word in probes.words}
    for word, sense in zip(probes.words, probes.senses, strict=True):
        senses[word].add(sense)
    assert {len(found) for found in senses.values()} == {2}
    assert [sum(sense == other for other in probes.senses) >= 5 for sense in probes.senses] == [True] * len(
        probes.senses
    )


def test_the_vectors_are_those_at_the_words(corpus):
    probes = corpus.probes()
    states = [np.stack([batch.inputs, batch.inputs * 0 + place], axis=-1) for place, batch in enumerate(probes.batches)]
    vectors = probes.vectors(states)
    words = corpus.vocabularies["input"].decode(vectors[:, 0])
    assert tuple(words) == probes.words
    assert vectors[:, 1].tolist() == [place // 32 for place in range(len(probes.words))]
    with pytest.raises(CrossfwError, match=r"\(T, N, H\)"):
        probes.vectors(states[:-1])
    with pytest.raises(CrossfwError, match=r"\(T, N, H\)"):
        probes.vectors([batch.inputs for batch in probes.batches])


def test_measures(corpus):
    right = [batch.targets.copy() for batch in corpus.test()]
    for array in right:
        array[:, :, 1] = 0
    assert corpus.measures(right, "test") == {"next word accuracy": 1.0, "previous word accuracy": 0.0}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"corpus": "banks"}, ["did you mean 'bank'", "bank, senses"]),
        ({"corpus": "a/b.txt"}, ["corpus = 'a/b.txt'", "bank, senses"]),
        ({"corpus": "bank", "test_sequences": 3}, ["test_sequences = 3", "no effect"]),
        ({"corpus": "bank", "source_seed": 3}, ["source_seed = 3", "no effect"]),
        ({"corpus": "bank", "steps": 2}, ["steps = 2", "at least 3"]),
        ({"corpus": "bank", "min_frequency": 0}, ["min_frequency = 0"]),
        ({}, ["no corpus"]),
    ],
)
def test_settings(settings, words):
    with pytest.raises(CrossfwError) as caught:
        ContextSpec(**settings)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_steps_that_cut_off_the_word():
    with pytest.raises(CrossfwError, match="steps = 6\nfound: a word of two senses at step 5") as caught:
        load_dataset(ContextSpec("bank", steps=6))
    assert "at least 7" in caught.value.remedy
    assert load_dataset(ContextSpec("bank", steps=7)).describe()["steps"] == 7

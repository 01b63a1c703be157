"""Tags for tokens: names, the user's columns, and sequences in the task file."""

from __future__ import annotations

import numpy as np
import pytest

from crossfw.data import TaggingSpec, load_dataset
from crossfw.data.grammars import names
from crossfw.errors import CrossfwError

HELLO = TaggingSpec(sequences=(("hello", "ohlol"),), unit="character", alphabet="ehlo")


def test_hello_spelled_out():
    dataset = load_dataset(HELLO)
    batch = dataset.training(0, 0)[0]
    assert batch.inputs.tolist() == [[1], [0], [2], [2], [3]]
    assert batch.targets.tolist() == [[3], [1], [2], [3], [2]]
    assert batch.mask is None
    assert dataset.sizes == {"input_size": 4, "output_size": 4}
    assert (dataset.validation(), dataset.test()) == ([], [])
    predicted = [np.array([[3], [1], [2], [3], [3]])]
    assert dataset.measures(predicted, "training")["accuracy"] == 0.8
    assert dataset.show(predicted, "training", 1) == [{"input": "hello", "expected": "ohlol", "predicted": "ohloo"}]


def test_inline_words_of_unequal_length():
    spec = TaggingSpec(sequences=(("the cat sat", "d n v"), ("cats sat", "n v")), min_frequency=2)
    dataset = load_dataset(spec)
    batch = dataset.batches("training")[0]
    assert dataset.vocabularies["input"].tokens == ("<unk>", "<pad>", "sat")
    assert batch.inputs.T.tolist() == [[0, 0, 2], [0, 2, 1]]
    assert batch.targets.T.tolist() == [[0, 1, 2], [1, 2, 0]]
    assert batch.mask.T.tolist() == [[1, 1, 1], [1, 1, 0]]


def test_only_real_steps_are_measured():
    dataset = load_dataset(TaggingSpec(sequences=(("a b c", "x y x"), ("a", "x"))))
    predicted = dataset.batches("training")[0].targets.copy()
    predicted[1:, 1] = 1
    assert dataset.measures([predicted], "training") == {"accuracy": 1.0, "F1": 1.0}
    assert dataset.show([predicted], "training", 2)[1] == {"input": "a", "expected": "x", "predicted": "x"}


def test_sequences_that_are_too_long_are_cut_and_counted():
    dataset = load_dataset(TaggingSpec(sequences=(("a b c", "x y x"), ("a", "x")), steps=2))
    assert dataset.batches("training")[0].targets.T.tolist() == [[0, 1], [0, 0]]
    assert dataset.describe()["sequences cut"] == 1


@pytest.fixture(scope="module")
def marked():
    return load_dataset(TaggingSpec("names"))


def test_the_pair_is_of_the_test_and_never_of_training(marked):
    texts = {split: {" ".join(example.given) for example in part} for split, part in marked.examples.items()}
    pair = {"he said , teddy roosevelt was a great president", "he said , teddy bears are on sale"}
    assert pair <= texts["test"]
    assert not pair & (texts["training"] | texts["validation"])


def test_the_pair_can_be_learnt(marked):
    """Sentences of both patterns stand in training, with all the words of the pair."""
    following = {}
    for example in marked.examples["training"]:
        for token, tag, after in zip(example.given, example.wanted, example.given[1:], strict=False):
            if token == "teddy":
                following.setdefault(tag, []).append(after)
    assert following["name"].count("roosevelt") >= 5
    assert following["other"].count("bears") >= 10
    batch, position = marked.pair()
    assert marked.vocabularies["input"].unknown not in batch.inputs
    assert position == 3


def test_the_pair_is_the_same_up_to_teddy(marked):
    batch, position = marked.pair()
    teddy = marked.vocabularies["input"].index("teddy")
    assert batch.inputs[position].tolist() == [teddy, teddy]
    np.testing.assert_array_equal(batch.inputs[: position + 1, 0], batch.inputs[: position + 1, 1])
    assert batch.targets[position].tolist() == [1, 0]
    assert batch.mask.sum(axis=0).tolist() == [9, 8]
    assert batch.inputs.shape[0] == marked.training(0, 0)[0].inputs.shape[0]
    with pytest.raises(CrossfwError, match='corpus = "names"'):
        load_dataset(HELLO).pair()


def test_what_stands_before_tells_nothing(marked):
    """Of the sentences in which an ambiguous word follows the same beginning, about half have a name there."""
    counts = {}
    for example in marked.examples["training"]:
        place = next((i for i, token in enumerate(example.given) if token in names.AMBIGUOUS), None)
        if place is not None and example.given[:place] in {tuple(lead.split()) for lead in names._LEADS}:
            counts.setdefault(example.given[:place], []).append(example.wanted[place] == "name")
    assert len(counts) == len(names._LEADS)
    assert all(0.3 < np.mean(found) < 0.7 for found in counts.values())


def test_some_names_occur_in_the_test_only(marked):
    known = {
        token for split in ("training", "validation") for example in marked.examples[split] for token in example.given
    }
    assert not known & {*names.TEST_FIRST, *names.TEST_SURNAMES}
    assert marked.describe()["test tokens unknown"] > 50
    assert marked.describe()["training tokens unknown"] == 0


def test_both_tags_have_their_class(marked):
    assert marked.vocabularies["output"].tokens == ("other", "name")
    nothing = [np.zeros_like(batch.targets) for batch in marked.test()]
    measured = marked.measures(nothing, "test")
    assert measured["F1"] == 0
    assert measured["accuracy"] > 0.7


@pytest.mark.filterwarnings("error")
def test_all_tokens_unknown(tmp_path):
    (tmp_path / "a.conll").write_text("a X\n\nb Y\n\nc X\n")
    dataset = load_dataset(TaggingSpec(str(tmp_path / "a.conll"), validation_sequences=1, test_sequences=1))
    assert dataset.test()[0].inputs.tolist() == [[dataset.vocabularies["input"].unknown]]
    assert dataset.describe()["test tokens unknown"] == 1


def test_a_conll_file(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("-DOCSTART- -X- O O\n\nHarry NNP B I-PER\nsings VB O O\n\n\nBirds NNS O O\n")
    dataset = load_dataset(TaggingSpec(str(path), validation_sequences=0, test_sequences=0))
    given = [(example.given, example.wanted) for example in dataset.examples["training"]]
    assert given == [(("Harry", "sings"), ("I-PER", "O")), (("Birds",), ("O",))]
    assert dataset.vocabularies["output"].tokens == ("I-PER", "O")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a X\nb\n", ["a.conll, line 2", "one column: 'b'", "its tag"]),
        (b"\n\n", ["the file has none"]),
        (b"", ["the file has none"]),
        (b"\xff\xfe X", ["not UTF-8"]),
        (None, ["No such file"]),
        (b"a X\n", ["1 + 1 + 0 sequences", "1 different sequences"]),
    ],
)
def test_bad_conll_files(tmp_path, content, words):
    path = tmp_path / "a.conll"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CrossfwError) as caught:
        load_dataset(TaggingSpec(str(path), validation_sequences=1))
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_min_frequency_that_leaves_nothing():
    with pytest.raises(CrossfwError, match="lower min_frequency"):
        load_dataset(TaggingSpec("names", min_frequency=100_000))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, ["no corpus and no sequences", "names", ".conll"]),
        ({"corpus": "name"}, ["did you mean 'names'"]),
        ({"corpus": "a/names.txt"}, ["a file that is no .conll"]),
        ({"corpus": "names", "unit": "character"}, ["unit = 'character'", "no effect", 'corpus = "names"']),
        ({"corpus": "names", "alphabet": "ab"}, ["alphabet = 'ab'", "no effect"]),
        ({"corpus": "names", "steps": 0}, ["steps = 0"]),
        ({"corpus": "names", "batch_size": 0}, ["batch_size = 0"]),
        ({"corpus": "names", "training_sequences": 0}, ["training_sequences = 0", "at least 1"]),
        ({"corpus": "names", "min_frequency": 0}, ["min_frequency = 0"]),
        ({"corpus": "names", "source_seed": -1}, ["source_seed = -1"]),
        ({"corpus": "names", "sequences": (("a", "b"),)}, ["corpus = 'names'", "sequences is there too"]),
        ({"sequences": (("a", "b"),), "test_sequences": 3}, ["test_sequences = 3", "sequences is there too"]),
        ({"sequences": (("a", "b"),), "alphabet": "ab"}, ["alphabet", 'unit = "word"']),
        ({"sequences": (("ab", "b"),), "unit": "character"}, ["number 1", "2 tokens and 1 tags"]),
        ({"sequences": (("", ""),)}, ["number 1", "0 tokens"]),
        ({"sequences": (("a", "b"), ("a",))}, ["number 2", "not two texts"]),
        ({"sequences": (("a", "b"),), "unit": "letter"}, ["unit = 'letter'"]),
        (
            {"sequences": (("ab", "bx"),), "unit": "character", "alphabet": "ab"},
            ["not in the alphabet: x"],
        ),
        ({"sequences": (("ab", "ba"),), "unit": "character", "alphabet": "aab"}, ["stands twice"]),
        (
            {"sequences": (("ab", "ba"),), "unit": "character", "alphabet": "ab", "min_frequency": 2},
            ["min_frequency = 2", "no effect"],
        ),
    ],
)
def test_settings(settings, words):
    with pytest.raises(CrossfwError) as caught:
        TaggingSpec(**settings)
    assert all(word in str(caught.value) for word in words), str(caught.value)

"""Pairs of texts: D2L's preparation, words padded letter by letter, and the corpus of the project's own."""

from __future__ import annotations

import hashlib
import zipfile

import numpy as np
import pytest

from crossfw.data import PARALLEL_CORPORA, TranslationSpec, load_dataset
from crossfw.data.corpora import Corpus, Download, Member, locate
from crossfw.errors import CrossfwError

SPANISH = TranslationSpec(pairs=(("hello", "hola"), ("cat", "gato"), ("good", "bueno")), scheme="padded words")
LETTERS = "SE?abcdefghijklmnopqrstuvwxyz"
FRENCH = (
    "Go.\tVa !\nGo.\tBouge !\nHi.\tSalut !\nRun!\tCours\u202f!\nHow are you?\tComment vas-tu\xa0?\nWow!\tÇa alors !\n"
)
UNREACHABLE = "http://127.0.0.1:9/none.zip"


def spelled(array: np.ndarray) -> list[str]:
    return ["".join(LETTERS[index] for index in column) for column in array.T]


def test_padded_words_spelled_out():
    dataset = load_dataset(SPANISH)
    batch = dataset.batches("training")[0]
    assert dataset.sizes == {"source_size": 29, "input_size": 29, "output_size": 29}
    assert "".join(dataset.vocabularies["source"].tokens) == LETTERS
    assert spelled(batch.source) == ["helloE", "cat??E", "good?E"]
    assert spelled(batch.inputs) == ["Shola?", "Sgato?", "Sbueno"]
    assert spelled(batch.targets) == ["hola?E", "gato?E", "buenoE"]
    assert (batch.mask, batch.source_mask) == (None, None)
    assert (LETTERS[dataset.start], LETTERS[dataset.end]) == ("S", "E")


def test_padded_words_decoded():
    dataset = load_dataset(SPANISH)
    predicted = np.array([[LETTERS.index(letter) for letter in word] for word in ("hola?E?", "gatEo??", "bueno??")]).T
    assert dataset.measures([predicted], "training")["exact match"] == pytest.approx(2 / 3)
    assert [example["predicted"] for example in dataset.show([predicted], "training", 3)] == ["hola", "gat", "bueno"]
    assert dataset.show([predicted], "training", 1)[0]["input"] == "hello"


def test_padded_words_cut():
    dataset = load_dataset(TranslationSpec(pairs=SPANISH.pairs, scheme="padded words", steps=4))
    assert spelled(dataset.batches("training")[0].targets) == ["holaE", "gatoE", "buenE"]
    assert dataset.describe()["sequences cut"] == 2


def test_words_spelled_out():
    dataset = load_dataset(TranslationSpec(pairs=(("Go.", "Va !"), ("I see, now!", "Je vois!")), mask_source=True))
    batch = dataset.batches("training")[0]
    source, target = dataset.vocabularies["source"], dataset.vocabularies["output"]
    assert source.tokens == ("<unk>", "<pad>", "<bos>", "<eos>", "go", ".", "i", "see", ",", "now", "!")
    assert target.tokens == ("<unk>", "<pad>", "<bos>", "<eos>", "!", "va", "je", "vois")
    assert batch.source.T.tolist() == [[4, 5, 3, 1, 1, 1], [6, 7, 8, 9, 10, 3]]
    assert batch.targets.T.tolist() == [[5, 4, 3, 1, 1, 1], [6, 7, 4, 3, 1, 1]]
    assert batch.inputs.T.tolist() == [[2, 5, 4, 3, 1, 1], [2, 6, 7, 4, 3, 1]]
    assert batch.mask.T.tolist() == [[1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 0, 0]]
    assert batch.source_mask.T.tolist() == [[1, 1, 1, 0, 0, 0], [1] * 6]
    assert (dataset.start, dataset.end) == (2, 3)


def test_words_cut_and_decoded():
    dataset = load_dataset(TranslationSpec(pairs=(("a b c d e f", "u v w x y z"),), steps=4))
    batch = dataset.batches("training")[0]
    assert (batch.targets[-1, 0] != dataset.end, batch.source_mask, batch.mask.sum()) == (True, None, 4)
    whole = dataset.vocabularies["output"].encode(["u", "v", "w", "x", "y", "z", "<eos>", "u", "<pad>"])
    assert dataset.measures([whole[:, None]], "training") == {"BLEU": 100.0, "exact match": 1.0}
    assert dataset.decode(whole) == list("uvwxyz")
    assert dataset.measures([batch.targets], "training")["exact match"] == 0
    assert dataset.measures([whole[:0, None]], "training") == {"BLEU": 0.0, "exact match": 0.0}


def test_predictions_of_another_number_of_sequences():
    dataset = load_dataset(SPANISH)
    with pytest.raises(CrossfwError, match="shapes"):
        dataset.measures([np.zeros((4, 2), dtype=np.int64)], "training")


@pytest.fixture
def archive(monkeypatch, tmp_path):
    """Call with a text: it becomes the corpus "fra-eng"; the folder is returned."""

    def write(text: str, stored: str | None = None, name: str = "fra-eng/fra.txt"):
        known = Member("fra-eng/fra.txt", hashlib.sha1(text.encode()).hexdigest())
        corpus = Corpus("fra-eng.zip", "a test", Download(UNREACHABLE, "0" * 40, 1000), known)
        monkeypatch.setitem(PARALLEL_CORPORA, "fra-eng", corpus)
        with zipfile.ZipFile(tmp_path / "fra-eng.zip", "w") as file:
            file.writestr(name, text if stored is None else stored)
        return tmp_path

    return write


def test_the_preparation_of_fra_eng(archive):
    spec = TranslationSpec("fra-eng", training_sequences=4, validation_sequences=1, test_sequences=1)
    examples = load_dataset(spec, archive(FRENCH)).examples
    assert [example.given for example in examples["training"]] == [("go", "."), ("go", "."), ("hi", "."), ("run", "!")]
    assert examples["training"][3].wanted == ("cours", "!")
    assert examples["validation"][0].wanted == ("comment", "vas-tu", "?")
    assert examples["test"][0].given == ("wow", "!")


def test_a_sentence_of_training_does_not_come_again(archive):
    spec = TranslationSpec("fra-eng", training_sequences=1, validation_sequences=1)
    examples = load_dataset(spec, archive(FRENCH)).examples
    assert [example.given for example in examples["validation"]] == [("hi", ".")]


def test_an_archive_is_found_and_checked_by_its_text(archive, monkeypatch):
    folder = archive(FRENCH)
    assert locate("fra-eng", folder) == str(folder / "fra-eng.zip")
    monkeypatch.setenv("CROSSFW_DATA", str(folder))
    assert load_dataset(TranslationSpec("fra-eng", training_sequences=2)).describe()["training sequences"] == 2


@pytest.mark.parametrize(
    ("stored", "name", "words"),
    [
        ("another text", "fra-eng/fra.txt", ["fra-eng/fra.txt in", "12 bytes with SHA-1", "replace the file"]),
        (None, "other.txt", ["no archive that holds it", "fra.txt"]),
    ],
)
def test_a_wrong_archive(archive, stored, name, words):
    folder = archive(FRENCH, stored, name)
    with pytest.raises(CrossfwError) as caught:
        load_dataset(TranslationSpec("fra-eng"), folder)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_file_that_is_no_archive(archive):
    folder = archive(FRENCH)
    (folder / "fra-eng.zip").write_bytes(b"nonsense")
    with pytest.raises(CrossfwError, match="not a zip file"):
        load_dataset(TranslationSpec("fra-eng"), folder)


def test_fewer_pairs_than_asked_for(archive):
    with pytest.raises(CrossfwError, match="601 training sequences of fra-eng\nfound: 6 pairs are left"):
        load_dataset(TranslationSpec("fra-eng"), archive(FRENCH))


def test_the_numbers_of_d2l(d2l_folder):
    spec = TranslationSpec("fra-eng", min_frequency=2, steps=10, batch_size=64)
    dataset = load_dataset(spec, d2l_folder)
    assert dataset.sizes == {"source_size": 184, "input_size": 201, "output_size": 201}
    assert dataset.describe()["training sequences"] == 601
    assert [batch.inputs.shape for batch in dataset.training(0, 0)] == [(10, 64)] * 9 + [(10, 25)]
    assert dataset.vocabularies["source"].tokens[:6] == ("<unk>", "<pad>", "<bos>", "<eos>", ".", "!")
    first = dataset.batches("training")[0]
    assert dataset.vocabularies["source"].decode(first.source[:4, 0]) == ["go", ".", "<eos>", "<pad>"]
    assert dataset.vocabularies["output"].decode(first.inputs[:5, 0]) == ["<bos>", "va", "!", "<eos>", "<pad>"]
    assert first.mask[:, 0].sum() == 3
    assert first.source_mask is None


def test_pairs_to_validate_on_from_d2ls_file(d2l_folder):
    spec = TranslationSpec("fra-eng", validation_sequences=50, test_sequences=50)
    examples = load_dataset(spec, d2l_folder).examples
    splits = [{example.given for example in part} for part in examples.values()]
    assert [len(part) for part in examples.values()] == [601, 50, 50]
    assert not splits[0] & (splits[1] | splits[2])
    assert not splits[1] & splits[2]


def test_spanish_agrees_and_changes_places():
    dataset = load_dataset(TranslationSpec("parallel"))
    pairs = {" ".join(e.given): " ".join(e.wanted) for part in dataset.examples.values() for e in part}
    assert any("red house" in english and "casa roja" in spanish for english, spanish in pairs.items())
    assert any(english.startswith("i see") and spanish.startswith("veo") for english, spanish in pairs.items())
    assert all(spanish.startswith("¿") == english.endswith("?") for english, spanish in pairs.items())
    assert all((" not " in english) == (" no " in f" {spanish}") for english, spanish in pairs.items())
    assert not any(" a apple" in english or " an h" in english for english in pairs)
    known = dataset.vocabularies["source"]
    assert dataset.describe()["training tokens unknown"] == 0
    assert len(known) > 130


def test_a_tsv_file(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("Hello!\tHallo!\nGood day.\tGuten Tag.\n", encoding="utf-8")
    dataset = load_dataset(TranslationSpec(str(path), validation_sequences=0, test_sequences=0))
    assert [example.wanted for example in dataset.examples["training"]] == [("hallo", "!"), ("guten", "tag", ".")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a\tb\n\t\nc\td\n", ["pairs.tsv, line 2", "an empty line"]),
        ("a\tb\n\nc\td\n", ["pairs.tsv, line 2", "an empty line"]),
        ("a\tb\nc\t \n", ["pairs.tsv, line 2", "['c', '']", "a sentence, a tab, and its translation"]),
        ("a\n", ["pairs.tsv, line 1", "['a']"]),
    ],
)
def test_bad_tsv_files(tmp_path, text, words):
    path = tmp_path / "pairs.tsv"
    path.write_text(text)
    with pytest.raises(CrossfwError) as caught:
        load_dataset(TranslationSpec(str(path)))
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_letters_outside_the_alphabet():
    with pytest.raises(CrossfwError, match="'niño' with scheme") as caught:
        load_dataset(TranslationSpec(pairs=(("boy", "niño"),), scheme="padded words"))
    assert "'ñ'" in caught.value.found


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, ["no corpus and no pairs", "parallel, fra-eng, the path of a .tsv file, the setting pairs"]),
        ({"corpus": "fra_eng"}, ["did you mean 'fra-eng'"]),
        ({"corpus": "parallel", "scheme": "letters"}, ["scheme = 'letters'", "words, padded words"]),
        ({"corpus": "parallel", "scheme": "padded words"}, ["scheme = 'padded words'", 'corpus = "parallel"']),
        ({"corpus": "fra-eng", "source_seed": 1}, ["source_seed = 1", "no effect"]),
        ({"pairs": (("a", "b"),), "corpus": "parallel"}, ["corpus = 'parallel'", "pairs is there too"]),
        ({"pairs": (("a", "b"),), "scheme": "padded words", "mask_source": True}, ["mask_source = True", "no effect"]),
        ({"pairs": (("a", "b"),), "scheme": "padded words", "min_frequency": 2}, ["min_frequency = 2", "no effect"]),
        ({"pairs": (("a", "b"), ("a", " "))}, ["number 2", "an empty text"]),
        ({"pairs": (("a", "b", "c"),)}, ["number 1", "not two texts"]),
        ({"pairs": (("a", 3),)}, ["number 1", "not two texts"]),
        ({"corpus": "parallel", "mask_source": "yes"}, ["mask_source = 'yes'", "true or false"]),
    ],
)
def test_settings(settings, words):
    with pytest.raises(CrossfwError) as caught:
        TranslationSpec(**settings)
    assert all(word in str(caught.value) for word in words), str(caught.value)

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import crossfw.data
from crossfw.data import DataSpec, MarkovSource, load_dataset
from crossfw.errors import CrossfwError

STORY = "".join("abcdefgh"[i * i % 7 + i % 2] + " ." * (i % 3 == 0) for i in range(400))
BOOK = DataSpec("time-machine", max_tokens=300, validation_tokens=100, batch_size=4, steps=5)
WINDOWS = DataSpec("time-machine", sampling="windows", windows=50, validation_windows=20, batch_size=16, steps=5)
MARKOV = DataSpec("markov", max_tokens=500, validation_tokens=200, batch_size=4, steps=5, symbols=6, source_seed=1)
SPECS = [BOOK, replace(BOOK, sampling="random"), WINDOWS, MARKOV]
ROOT = Path(crossfw.data.__file__).parents[2]


@pytest.fixture
def load(corpus_file):
    folder = corpus_file(STORY)
    return lambda spec: load_dataset(spec, folder)


def digest(batches) -> str:
    arrays = [array.tobytes() for batch in batches for array in (batch.inputs, batch.targets)]
    return hashlib.sha256(b"".join(arrays)).hexdigest()


def test_the_texts_are_the_first_tokens_and_the_next(load):
    dataset = load(BOOK)
    prepared = " ".join(STORY.split())
    assert "".join(dataset.vocabulary.decode(dataset.training_ids)) == prepared[:300]
    assert "".join(dataset.vocabulary.decode(dataset.validation_ids)) == prepared[300:400]
    assert set(dataset.vocabulary.tokens) == {"<unk>", *prepared}
    assert dataset.floor is None


def test_without_max_tokens_the_training_text_is_what_validation_leaves(load):
    dataset = load(replace(BOOK, max_tokens=None))
    assert len(dataset.training_ids) == len(" ".join(STORY.split())) - 100
    assert len(dataset.validation_ids) == 100
    assert len(load(replace(BOOK, max_tokens=None, validation_tokens=0)).validation_ids) == 0


def test_windows_overlap_between_the_texts_as_in_d2l(load):
    dataset = load(WINDOWS)
    assert (len(dataset.training_ids), len(dataset.validation_ids)) == (55, 25)
    np.testing.assert_array_equal(dataset.training_ids[50:], dataset.validation_ids[:5])
    assert [batch.inputs.shape for batch in dataset.training(0, 0)] == [(5, 16)] * 3 + [(5, 2)]
    assert [batch.inputs.shape for batch in dataset.validation()] == [(5, 16), (5, 4)]
    np.testing.assert_array_equal(dataset.validation()[0].inputs[:, 0], dataset.validation_ids[:5])


def test_windows_without_validation(load):
    dataset = load(replace(WINDOWS, validation_windows=0))
    assert (len(dataset.training_ids), dataset.validation()) == (55, [])


def test_validation_is_cut_from_its_start(load):
    dataset = load(replace(BOOK, sampling="random"))
    assert dataset.validation()[0].inputs[0, 0] == dataset.validation_ids[0]
    assert load(replace(BOOK, validation_tokens=0)).validation() == []


def test_the_members_that_all_datasets_have(load):
    dataset = load(BOOK)
    assert dataset.sizes == dict.fromkeys(("input_size", "output_size"), len(dataset.vocabulary))
    facts = {"vocabulary": len(dataset.vocabulary), "training tokens": 300, "validation tokens": 100}
    assert dataset.describe() == facts
    assert (dataset.test(), dataset.measures([], "test"), dataset.show([], "test", 3)) == ([], {}, [])


@pytest.mark.parametrize(("sampling", "carries"), [("sequential", True), ("random", False)])
def test_only_sequential_batches_carry_state(load, sampling, carries):
    assert load(replace(BOOK, sampling=sampling)).carries_state == carries
    assert not load(WINDOWS).carries_state


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.corpus}-{spec.sampling}")
def test_batches_depend_on_seed_and_epoch_only(load, spec):
    dataset, again = load(spec), load(spec)
    assert digest(dataset.training(3, 2)) == digest(again.training(3, 2))
    assert len({digest(dataset.training(seed, epoch)) for seed in range(4) for epoch in range(4)}) > 3
    assert digest(dataset.validation()) == digest(again.validation())


def test_the_texts_cannot_be_changed(load):
    with pytest.raises(ValueError, match="read-only"):
        load(BOOK).training_ids[0] = 1


def test_fingerprints(load):
    specs = [
        *SPECS,
        replace(BOOK, order="alphabetical"),
        replace(BOOK, max_tokens=299),
        replace(BOOK, steps=4),
        replace(MARKOV, source_seed=2),
    ]
    assert len({load(spec).fingerprint for spec in specs}) == len(specs)
    assert load(BOOK).fingerprint == load(BOOK).fingerprint


@pytest.mark.parametrize("text", ["training_ids", "validation_ids"])
def test_a_changed_text_changes_the_fingerprint(load, text):
    dataset = load(BOOK)
    assert replace(dataset, **{text: getattr(dataset, text)[::-1]}).fingerprint != dataset.fingerprint


def test_markov():
    dataset, source = load_dataset(MARKOV), MarkovSource(6, 1)
    assert dataset.vocabulary.tokens == ("<unk>", "a", "b", "c", "d", "e", "f")
    assert (len(dataset.training_ids), len(dataset.validation_ids)) == (500, 200)
    assert dataset.floor == source.perplexity_floor
    text = np.concatenate([dataset.training_ids, dataset.validation_ids])
    assert dataset.vocabulary.decode(text) == source.sample(700, seed=0)


def test_markov_in_windows():
    spec = DataSpec("markov", sampling="windows", windows=50, validation_windows=20, steps=5, symbols=6)
    dataset = load_dataset(spec)
    assert (len(dataset.training_ids), len(dataset.validation_ids)) == (55, 25)


def test_every_process_gets_the_same_batches():
    program = (
        "import hashlib, sys; from crossfw.data import DataSpec, load_dataset;"
        f"d = load_dataset({MARKOV!r}); b = d.training(3, 2);"
        "h = hashlib.sha256(b''.join(a.tobytes() for x in b for a in (x.inputs, x.targets))).hexdigest();"
        "print(d.fingerprint, h)"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    dataset = load_dataset(MARKOV)
    assert outputs == {f"{dataset.fingerprint} {digest(dataset.training(3, 2))}"}


def test_no_framework_is_imported():
    heavy = {"torch", "mxnet", "pandas", "pooch", "requests", "sklearn", "scipy", "sacrebleu", "symusic"}
    program = f"import sys, crossfw.data; print(*{heavy} & set(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


@pytest.mark.parametrize(
    ("text", "changes", "words"),
    [
        ("", {}, ["no text is left", "'plain'"]),
        ("从前有一个人", {"preparation": "d2l-0.17"}, ["preparation 'd2l-0.17'", "no text is left"]),
        ("aaaaaaa", {}, ["a vocabulary of 1 token(s) beside <unk>", "take another text"]),
        ("ab" * 300 + "c", {"min_frequency": 1000}, ["a vocabulary of 0 token(s)", "lower min_frequency"]),
        ("ab" * 100, {}, ["300 training + 100 validation tokens", "200 tokens; 400 are needed"]),
        ("ab" * 100, {"max_tokens": None, "validation_tokens": 200}, ["200 tokens; 201 are needed"]),
        ("ab" * 300, {"batch_size": 64}, ["training: sequential", "64 sequences of 5", "300 tokens; 325 are needed"]),
        ("ab" * 300, {"validation_tokens": 20}, ["validation: sequential", "20 tokens; 21 are needed"]),
        ("ab" * 300, {"validation_tokens": 301}, ["601 are needed"]),
    ],
)
def test_errors(corpus_file, text, changes, words):
    with pytest.raises(CrossfwError) as caught:
        load_dataset(replace(BOOK, **changes), corpus_file(text))
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_too_few_windows(corpus_file):
    with pytest.raises(CrossfwError, match="asked: 50 \\+ 20 windows\nfound: a text of 60 tokens; 75 are needed"):
        load_dataset(WINDOWS, corpus_file("ab" * 30))


@pytest.mark.parametrize(("seed", "epoch", "word"), [(-1, 0, "seed = -1"), (0, -1, "epoch = -1"), (0, 0.5, "epoch")])
def test_bad_seeds(load, seed, epoch, word):
    with pytest.raises(CrossfwError, match=word):
        load(BOOK).training(seed, epoch)


def test_the_batches_of_d2l(d2l_folder):
    spec = DataSpec("time-machine", preparation="d2l-0.17", max_tokens=10_000)
    dataset = load_dataset(spec, d2l_folder)
    assert (len(dataset.vocabulary), len(dataset.training(0, 0))) == (28, 8)
    assert "".join(dataset.vocabulary.decode(dataset.training_ids[:32])) == "the time machine by h g wellsith"

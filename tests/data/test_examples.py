"""Division into training, validation and test, and what all generated corpora have in common."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import crossfw.data
from crossfw.data import ClassificationSpec, ContextSpec, GenerationSpec, TaggingSpec, TranslationSpec, load_dataset
from crossfw.data.examples import Example, divide
from crossfw.errors import CrossfwError

CORPORA = [
    TaggingSpec("names"),
    ClassificationSpec("sentiment"),
    ClassificationSpec("sentiment", binary=True),
    GenerationSpec("music"),
    TranslationSpec("parallel"),
    ContextSpec("senses"),
]
IDS = ["names", "sentiment", "binary", "music", "parallel", "senses"]
ROOT = Path(crossfw.data.__file__).parents[2]
all_corpora = pytest.mark.parametrize("spec", CORPORA, ids=IDS)


def key(spec, example: Example) -> tuple[str, ...]:
    """What must be different: of a tune the notes, else what is given."""
    return example.wanted if isinstance(spec, GenerationSpec) else example.given


def arrays(batches) -> list[bytes]:
    return [array.tobytes() for batch in batches for array in batch.arrays().values()]


@all_corpora
def test_nothing_stands_in_two_splits_or_twice(spec):
    examples = load_dataset(spec).examples
    keys = [key(spec, example) for split in examples.values() for example in split]
    assert len(set(keys)) == len(keys)
    assert all(len(split) >= 50 for split in examples.values())


@all_corpora
def test_the_seed_decides(spec):
    dataset, again, other = load_dataset(spec), load_dataset(spec), load_dataset(replace(spec, source_seed=1))
    assert dataset.fingerprint == again.fingerprint != other.fingerprint
    assert arrays(dataset.training(1, 2)) == arrays(again.training(1, 2))
    assert arrays(dataset.test()) == arrays(again.test())
    assert dataset.examples["training"] != other.examples["training"]


@all_corpora
def test_epochs_and_seeds_shuffle(spec):
    dataset = load_dataset(spec)
    orders = {tuple(arrays(dataset.training(seed, epoch))) for seed in range(2) for epoch in range(2)}
    assert len(orders) == 4
    shuffled, in_order = (
        sorted(target for batch in batches for target in batch.targets.ravel().tolist())
        for batches in (dataset.training(0, 0), dataset.batches("training"))
    )
    assert shuffled == in_order


@all_corpora
def test_right_predictions_and_wrong_ones(spec):
    dataset = load_dataset(replace(spec, test_sequences=20))
    right = [batch.targets for batch in dataset.test()]
    best = dataset.measures(right, "test")
    assert all(value == (100.0 if name == "BLEU" else 1.0) for name, value in best.items())
    wrong = [np.roll(array, 1, axis=0) for array in right]
    worse = dataset.measures(wrong, "test")
    assert all(worse[name] < best[name] for name in best), worse
    shown = dataset.show(right, "test", 3)
    assert [set(example) for example in shown] == [{"input", "expected", "predicted"}] * 3
    assert len(dataset.show(right, "test", 100)) == 20


@all_corpora
def test_shapes_types_and_sizes(spec):
    dataset = load_dataset(spec)
    sizes, steps = dataset.sizes, dataset.describe()["steps"]
    for split in ("training", "validation", "test"):
        batches = dataset.batches(split)
        assert sum(batch.inputs.shape[1] for batch in batches) == len(dataset.examples[split])
        for batch in batches:
            count = batch.inputs.shape[1]
            shape = {"classification": (count,), "context": (steps, count, 2)}.get(spec.kind, (steps, count))
            assert (batch.inputs.shape, batch.targets.shape, batch.mask.shape) == (
                (steps, count),
                shape,
                (steps, count),
            )
            assert (batch.inputs.dtype, batch.targets.dtype, batch.mask.dtype) == (np.int64, np.int64, np.float64)
            assert 0 <= batch.inputs.min() <= batch.inputs.max() < sizes["input_size"]
            assert 0 <= batch.targets.min() <= batch.targets.max() < sizes["output_size"]
    assert (dataset.carries_state, dataset.floor) == (False, None)


def test_a_split_can_be_left_out():
    dataset = load_dataset(TaggingSpec("names", validation_sequences=0, test_sequences=0))
    assert (dataset.validation(), dataset.test()) == ([], [])
    assert dataset.measures([], "test") == {}
    assert dataset.show([], "test", 3) == []


def test_more_than_there_is():
    with pytest.raises(CrossfwError, match="20000 training sequences of the corpus 'senses'") as caught:
        load_dataset(ContextSpec("senses", training_sequences=20_000))
    assert "different ones could be drawn" in caught.value.found


@pytest.mark.parametrize("spec", CORPORA, ids=IDS)
def test_predictions_that_do_not_fit(spec):
    dataset = load_dataset(spec)
    with pytest.raises(CrossfwError, match=r'batches\("test"\)'):
        dataset.measures([batch.targets for batch in dataset.test()][1:], "test")
    with pytest.raises(CrossfwError, match="did you mean 'test'"):
        dataset.measures([], "tests")


def test_every_process_gets_the_same():
    program = f"from crossfw.data import *; print(*(load_dataset(spec).fingerprint for spec in {CORPORA!r}))"
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for seed in ("1", "2")
    ]
    assert outputs == [[load_dataset(spec).fingerprint for spec in CORPORA]] * 2


@given(st.lists(st.integers(0, 30), min_size=1), st.integers(0, 3), st.integers(0, 3), st.integers(0, 5))
def test_the_users_examples_are_divided_without_overlap(numbers, validation, test, seed):
    examples = [Example((str(number),), ("x",)) for number in numbers]
    spec = ClassificationSpec("a.tsv", validation_sequences=validation, test_sequences=test, source_seed=seed)
    different = len(set(numbers))
    if different < 1 + validation + test:
        with pytest.raises(CrossfwError, match=f"{different} different sequences in a.tsv"):
            divide(examples, spec)
        return
    divided = divide(examples, spec)
    keys = {split: {example.given for example in part} for split, part in divided.items()}
    assert [len(keys[split]) for split in keys] == [different - validation - test, validation, test]
    assert sum(len(part) for part in divided.values()) == len(examples)


def test_a_tenth_is_held_out_where_nothing_is_said():
    examples = [Example((str(number),), ("x",)) for number in range(57)]
    divided = divide(examples, ClassificationSpec("a.tsv"))
    assert {split: len(part) for split, part in divided.items()} == {"training": 47, "validation": 5, "test": 5}
    assert divided != divide(examples, ClassificationSpec("a.tsv", source_seed=1))

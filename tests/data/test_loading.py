"""The kinds of data by name, and what the names of their corpora may be."""

from __future__ import annotations

import pytest

from crossfw.data import DATA_SPECS, ContextDataset, ContextSpec, Dataset, DataSpec, TaggingSpec, is_path, load_dataset


def test_every_kind_has_its_spec():
    assert list(DATA_SPECS) == ["text", "tagging", "classification", "generation", "translation", "context"]
    assert all(spec.kind == kind for kind, spec in DATA_SPECS.items())
    assert DATA_SPECS["text"] is DataSpec


def test_the_spec_decides_the_dataset():
    assert isinstance(load_dataset(ContextSpec("bank")), ContextDataset)
    assert isinstance(load_dataset(DataSpec("english-story", max_tokens=2000)), Dataset)


@pytest.mark.parametrize(
    ("corpus", "path"),
    [("names", False), ("fra-eng", False), ("a.txt", True), ("a.conll", True), ("a.tsv", True), ("tunes/", True)],
)
def test_paths(corpus, path):
    assert is_path(corpus) == path


def test_fingerprints_depend_on_every_setting():
    specs = [
        TaggingSpec("names"),
        TaggingSpec("names", batch_size=4),
        TaggingSpec("names", steps=9),
        TaggingSpec("names", min_frequency=2),
        TaggingSpec("names", test_sequences=7),
        TaggingSpec("names", source_seed=1),
        ContextSpec("bank"),
    ]
    assert len({load_dataset(spec).fingerprint for spec in specs}) == len(specs)

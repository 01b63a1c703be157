"""Tunes: the artificial ones, and the user's files."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from crossfw.data import GenerationSpec, load_dataset
from crossfw.data.grammars.music import GENRES, note
from crossfw.errors import CrossfwError

SCALE = "X:1\nT:Scale\nM:4/4\nL:1/4\nK:C\nC D E/2F/2 G|\n"
WALTZ = "X:2\nT:Waltz\nM:3/4\nL:1/4\nK:G\nG z [GB]|f3|\n"


@pytest.fixture(scope="module")
def tunes():
    return load_dataset(GenerationSpec("music"))


def test_the_genre_comes_first_and_then_the_notes(tunes):
    notes = len(tunes.vocabularies["output"])
    assert tunes.vocabularies["input"].tokens[:notes] == tunes.vocabularies["output"].tokens
    assert tunes.genres == ("blues", "lament", "march", "waltz")
    assert tunes.sizes == {"input_size": notes + 4, "output_size": notes}
    for batch in tunes.test():
        assert batch.inputs[0].min() >= notes
        real = batch.mask[1:] > 0
        np.testing.assert_array_equal(batch.inputs[1:][real], batch.targets[:-1][real])


def test_genres_keep_to_their_scales(tunes):
    for example in tunes.examples["training"]:
        genre = GENRES[example.given[0]]
        scale = {note((genre.tonic + step) % 12 + 60, 1)[:-3] for step in genre.scale}
        pitches = [token.split(":")[0][:-1] for token in example.wanted if not token.startswith("R")]
        assert set(pitches) <= scale
        assert pitches[-1] == note(genre.tonic % 12 + 60, 1)[:-3]


@pytest.mark.parametrize(
    ("pitch", "quarters", "token"), [(60, 1, "C4:1"), (57, 0.5, "A3:0.5"), (66, 1.5, "F#4:1.5"), (None, 2, "R:2")]
)
def test_notes_as_tokens(pitch, quarters, token):
    assert note(pitch, quarters) == token


@pytest.fixture
def folder(tmp_path):
    for genre, text in (("scales", SCALE), ("dances", SCALE.replace("C D", "D C") + "\n" + WALTZ)):
        (tmp_path / genre).mkdir()
        (tmp_path / genre / "all.abc").write_text(text)
    return tmp_path


def load(folder):
    return load_dataset(GenerationSpec(f"{folder}/", validation_sequences=0, test_sequences=0))


def test_abc_files(folder):
    found = [(example.given[0], " ".join(example.wanted)) for example in load(folder).examples["training"]]
    assert found == [
        ("dances", "D4:1 C4:1 E4:0.5 F4:0.5 G4:1"),
        ("dances", "G4:1 R:1 B4:1 F#5:3"),
        ("scales", "C4:1 D4:1 E4:0.5 F4:0.5 G4:1"),
    ]


def test_midi_files(folder):
    import symusic

    symusic.Score.from_abc(SCALE).dump_midi(folder / "scales" / "b.mid")
    (folder / "scales" / "all.abc").unlink()
    tunes = load(folder).examples["training"]
    assert tunes[-1].given == ("scales",)
    assert tunes[-1].wanted == ("C4:1", "D4:1", "E4:0.5", "F4:0.5", "G4:1")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("scales/bad.mid", b"nonsense", ["bad.mid", "it cannot be read"]),
        ("scales/bad.abc", b"nonsense", ["bad.abc", "no tune in it", "X:1"]),
        ("scales/bad.abc", b"X:1\nnonsense", ["bad.abc", "it cannot be read"]),
        ("scales/bad.abc", b"X:1\nK:C\n\xff", ["bad.abc", "not UTF-8"]),
        ("empty/readme.txt", b"", ["empty", "none", ".abc, .mid"]),
    ],
)
def test_bad_tunes(folder, name, content, words):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    with pytest.raises(CrossfwError) as caught:
        load(folder)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_tune_without_notes(folder):
    import symusic

    symusic.Score(480).dump_midi(folder / "scales" / "silent.mid")
    with pytest.raises(CrossfwError, match="silent.mid\nfound: no notes in it"):
        load(folder)


def test_folders(tmp_path):
    with pytest.raises(CrossfwError, match="no such folder"):
        load(tmp_path / "none")
    with pytest.raises(CrossfwError, match="no folder in it"):
        load(tmp_path)


def test_without_symusic(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "symusic", None)
    with pytest.raises(CrossfwError, match=r"pip install 'crossfw\[music\]'"):
        load(folder)


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"corpus": "musik"}, ["did you mean 'music'", "a folder"]), ({}, ["no corpus"])],
)
def test_settings(settings, words):
    with pytest.raises(CrossfwError) as caught:
        GenerationSpec(**settings)
    assert all(word in str(caught.value) for word in words), str(caught.value)

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from crossfw.data import DataSpec
from crossfw.errors import CrossfwError

MARKOV = {"corpus": "markov", "symbols": 5, "max_tokens": 100}
WINDOWS = {"sampling": "windows", "windows": 10}


def test_defaults_are_those_of_d2l_and_sequential():
    spec = DataSpec("time-machine")
    assert (spec.batch_size, spec.steps, spec.sampling, spec.max_tokens) == (32, 35, "sequential", None)


def test_a_spec_is_a_value():
    assert DataSpec("time-machine") == DataSpec("time-machine")
    with pytest.raises(FrozenInstanceError):
        DataSpec("time-machine").steps = 3


@pytest.mark.parametrize(
    "settings",
    [
        {"corpus": "english-story", "unit": "word", "order": "alphabetical", "min_frequency": 2},
        {"corpus": "chinese-story", "max_tokens": 2000, "validation_tokens": 500, "sampling": "random"},
        {"corpus": "time-machine", "preparation": "d2l-1.0", **WINDOWS, "validation_windows": 5},
        {**MARKOV, "source_seed": 3, "validation_tokens": 10},
        {"corpus": "markov", "symbols": 5, **WINDOWS},
    ],
)
def test_allowed(settings):
    assert DataSpec(**settings).corpus == settings["corpus"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"corpus": "time-machin"}, ["did you mean 'time-machine'", "english-story", "markov"]),
        ({"corpus": 3}, ["corpus = 3", "chinese-story"]),
        ({"preparation": "d2l"}, ["preparation = 'd2l'", "d2l-0.17, d2l-1.0"]),
        ({"unit": "char"}, ["did you mean 'character'", "character, word"]),
        ({"order": "alphabetic"}, ["did you mean 'alphabetical'"]),
        ({"sampling": "window"}, ["did you mean 'windows'", "sequential, consecutive, random, windows"]),
        ({"batch_size": 0}, ["batch_size = 0", "at least 1"]),
        ({"steps": -1}, ["steps = -1", "at least 1"]),
        ({"steps": 3.5}, ["steps = 3.5", "a float", "an integer"]),
        ({"batch_size": True}, ["a bool", "an integer"]),
        ({"min_frequency": 0}, ["min_frequency = 0", "at least 1"]),
        ({"max_tokens": 0}, ["max_tokens = 0", "at least 1"]),
        ({"validation_tokens": -5}, ["validation_tokens = -5", "at least 0"]),
        ({"sampling": "windows"}, ["windows = 0", "at least 1"]),
        ({**WINDOWS, "max_tokens": 5}, ["max_tokens = 5", "no effect", 'sampling = "windows"']),
        ({"windows": 5}, ["windows = 5", "no effect", 'sampling = "sequential"']),
        ({"symbols": 5}, ["symbols = 5", "no effect", 'corpus = "english-story"']),
        ({**MARKOV, "unit": "word"}, ["unit = 'word'", "no effect", 'corpus = "markov"']),
        ({**MARKOV, "symbols": 1}, ["symbols = 1", "at least 2 and at most 52"]),
        ({**MARKOV, "symbols": 53}, ["symbols = 53", "at most 52"]),
        ({**MARKOV, "source_seed": -1}, ["source_seed = -1", "at least 0"]),
        ({**MARKOV, "max_tokens": None}, ["no max_tokens", "length of the training text"]),
    ],
)
def test_errors(settings, words):
    with pytest.raises(CrossfwError) as caught:
        DataSpec(**{"corpus": "english-story", **settings})
    assert all(word in str(caught.value) for word in words), str(caught.value)

from __future__ import annotations

import math

import numpy as np
import pytest

from crossfw.data import MarkovSource
from crossfw.errors import CrossfwError

SOURCES = [MarkovSource(symbols, seed) for symbols in (2, 5, 26, 52) for seed in (0, 1, 7)]
many = pytest.mark.parametrize("source", SOURCES, ids=str)


@many
def test_transitions(source):
    assert source.transitions.shape == (source.symbols, source.symbols)
    assert source.transitions.min() > 0
    np.testing.assert_allclose(source.transitions.sum(axis=1), 1, rtol=1e-14)


@many
def test_power_iteration_gives_the_stationary_distribution(source):
    distribution = np.full(source.symbols, 1 / source.symbols)
    for _ in range(2000):
        distribution = distribution @ source.transitions
    np.testing.assert_allclose(source.stationary, distribution, atol=1e-12)


@many
def test_there_is_something_to_learn(source):
    assert 1 < source.perplexity_floor < 0.85 * source.symbols


def test_entropy_rate_by_hand():
    source = MarkovSource(2, 3)
    (stay, leave), (back, _) = source.transitions
    pi = np.array([back, leave]) / (back + leave)
    entropies = [-sum(p * math.log(p) for p in row) for row in source.transitions]
    assert source.entropy_rate == pytest.approx(pi @ entropies, rel=1e-12)
    assert stay + leave == pytest.approx(1)


@pytest.mark.parametrize("source", [MarkovSource(5, 1), MarkovSource(26, 0)], ids=str)
def test_a_long_sample_scores_near_the_floor(source):
    tokens = source.sample(200_000, seed=0)
    assert source.perplexity(tokens) == pytest.approx(source.perplexity_floor, rel=0.01)
    frequencies = [tokens.count(token) / len(tokens) for token in source.alphabet]
    np.testing.assert_allclose(frequencies, source.stationary, atol=0.01)


def test_the_first_token_is_stationary():
    source = MarkovSource(3, 2)
    first = [source.sample(1, seed)[0] for seed in range(3000)]
    np.testing.assert_allclose([first.count(token) / 3000 for token in source.alphabet], source.stationary, atol=0.03)


def test_samples_are_reproducible_and_extend_each_other():
    source = MarkovSource(7, 5)
    assert source.sample(50, seed=4) == MarkovSource(7, 5).sample(80, seed=4)[:50]
    assert source.sample(50, seed=4) != source.sample(50, seed=5)
    assert source.sample(50, seed=4) != MarkovSource(7, 6).sample(50, seed=4)
    assert source.sample(0, seed=4) == []


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: MarkovSource(1), ["symbols = 1", "at least 2 and at most 52"]),
        (lambda: MarkovSource(53), ["symbols = 53", "at most 52"]),
        (lambda: MarkovSource(5, -1), ["source_seed = -1", "at least 0"]),
        (lambda: MarkovSource(5).sample(-1, 0), ["length of the sample = -1", "at least 0"]),
        (lambda: MarkovSource(5).sample(1, -2), ["seed = -2", "at least 0"]),
        (lambda: MarkovSource(5).perplexity(["a"]), ["1 token(s)", "at least two"]),
        (lambda: MarkovSource(3).perplexity("abz"), ["token 'z'", "abc"]),
    ],
)
def test_errors(call, words):
    with pytest.raises(CrossfwError) as caught:
        call()
    assert all(word in str(caught.value) for word in words), str(caught.value)

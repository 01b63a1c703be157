from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfw.data import batches
from crossfw.errors import CrossfwError

sizes = st.tuples(st.integers(1, 6), st.integers(1, 7), st.integers(0, 60), st.integers(0, 2**32))


def rng(seed=0):
    return np.random.default_rng(seed)


def d2l_sequential(corpus, batch_size, num_steps, offset):
    """D2L 0.17, `seq_data_iter_sequential`, with the offset given; (N, T) as there."""
    num_tokens = ((len(corpus) - offset - 1) // batch_size) * batch_size
    xs = np.array(corpus[offset : offset + num_tokens]).reshape(batch_size, -1)
    ys = np.array(corpus[offset + 1 : offset + 1 + num_tokens]).reshape(batch_size, -1)
    for i in range(0, num_steps * (xs.shape[1] // num_steps), num_steps):
        yield xs[:, i : i + num_steps], ys[:, i : i + num_steps]


def d2l_random(corpus, batch_size, num_steps, prefix, shuffle):
    """D2L 0.17, `seq_data_iter_random`, with the prefix and the shuffle given; (N, T) as there."""
    corpus = corpus[prefix:]
    num_subseqs = (len(corpus) - 1) // num_steps
    initial = np.arange(0, num_subseqs * num_steps, num_steps)
    shuffle(initial)
    for i in range(0, batch_size * (num_subseqs // batch_size), batch_size):
        chosen = initial[i : i + batch_size]
        yield (
            np.array([corpus[j : j + num_steps] for j in chosen]),
            np.array([corpus[j + 1 : j + 1 + num_steps] for j in chosen]),
        )


def assert_same(found, expected):
    expected = list(expected)
    assert len(found) == len(expected) > 0
    for batch, (inputs, targets) in zip(found, expected):
        np.testing.assert_array_equal(batch.inputs, inputs.T)
        np.testing.assert_array_equal(batch.targets, targets.T)


def assert_well_formed(found, steps):
    """The text is 0, 1, 2, ...: a target is its input plus one."""
    for batch in found:
        assert batch.inputs.dtype == batch.targets.dtype == np.int64
        assert batch.inputs.flags.c_contiguous
        assert batch.targets.flags.c_contiguous
        assert batch.inputs.flags.writeable
        assert batch.targets.flags.writeable
        assert batch.inputs.shape[0] == steps
        np.testing.assert_array_equal(batch.targets, batch.inputs + 1)
        np.testing.assert_array_equal(np.diff(batch.inputs, axis=0), 1)


def test_sequential_by_hand():
    first, second = batches.sequential(np.arange(14), batch_size=2, steps=3)
    assert first.inputs.tolist() == [[0, 6], [1, 7], [2, 8]]
    assert first.targets.tolist() == [[1, 7], [2, 8], [3, 9]]
    assert second.inputs.tolist() == [[3, 9], [4, 10], [5, 11]]


def test_windows_by_hand():
    first, last = batches.windows(np.arange(10, 20), first=1, count=3, batch_size=2, steps=3)
    assert first.inputs.tolist() == [[11, 12], [12, 13], [13, 14]]
    assert last.inputs.tolist() == [[13], [14], [15]]
    assert last.targets.tolist() == [[14], [15], [16]]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("length", "batch_size", "steps"), [(35, 2, 5), (100, 3, 7), (36, 5, 1), (41, 1, 20)])
def test_as_d2l(length, batch_size, steps, seed):
    corpus = list(rng(99).integers(0, 28, length))
    offset = int(rng(seed).integers(steps))
    expected = d2l_sequential(corpus, batch_size, steps, offset)
    assert_same(batches.sequential(np.array(corpus), batch_size, steps, rng(seed)), expected)
    draws = rng(seed)
    expected = d2l_random(corpus, batch_size, steps, int(draws.integers(steps)), draws.shuffle)
    assert_same(batches.random(np.array(corpus), batch_size, steps, rng(seed)), expected)


@given(sizes)
def test_sequential(size):
    batch_size, steps, extra, seed = size
    text = np.arange((batch_size + 1) * steps + extra)
    found = batches.sequential(text, batch_size, steps, rng(seed))
    assert found
    assert_well_formed(found, steps)
    assert all(batch.inputs.shape == (steps, batch_size) for batch in found)
    assert found[-1].targets.max() < len(text)
    joined = np.concatenate([batch.inputs for batch in found])  # (batches * T, N)
    np.testing.assert_array_equal(np.diff(joined, axis=0), 1)


@given(sizes)
def test_random(size):
    batch_size, steps, extra, seed = size
    text = np.arange((batch_size + 1) * steps + extra)
    found = batches.random(text, batch_size, steps, rng(seed))
    assert found
    assert_well_formed(found, steps)
    seen = np.concatenate([batch.inputs.ravel() for batch in found])
    assert len(set(seen)) == len(seen)
    assert max(batch.targets.max() for batch in found) < len(text)


@given(sizes, st.integers(0, 5), st.integers(1, 30), st.booleans())
def test_windows(size, first, count, shuffled):
    batch_size, steps, extra, seed = size
    text = np.arange(first + count + steps + extra)
    found = batches.windows(text, first, count, batch_size, steps, rng(seed) if shuffled else None)
    assert_well_formed(found, steps)
    starts = [start for batch in found for start in batch.inputs[0]]
    assert (sorted(starts) if shuffled else starts) == list(range(first, first + count))
    assert all(batch.inputs.shape[1] == batch_size for batch in found[:-1])


def test_a_batch_does_not_share_memory_with_the_text():
    text = np.arange(10)
    text.setflags(write=False)
    for batch in batches.sequential(text, 1, 3) + batches.windows(text, 0, 1, 1, 3):
        batch.inputs[:] = -1
    assert text.tolist() == list(range(10))


TEXT = np.arange(20)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: batches.sequential(TEXT, 4, 5), ["4 sequences of 5 steps", "20 tokens; 21 are needed", "lower"]),
        (lambda: batches.sequential(TEXT, 3, 6, rng()), ["3 sequences of 6 steps", "20 tokens; 24 are needed"]),
        (lambda: batches.random(TEXT, 4, 5, rng()), ["random", "20 tokens; 25 are needed"]),
        (lambda: batches.windows(TEXT, 10, 8, 2, 3), ["windows 10 to 17", "20 tokens; 21 are needed"]),
        (lambda: batches.windows(TEXT, 0, 0, 2, 3), ["windows = 0", "at least 1"]),
        (lambda: batches.windows(TEXT, -1, 2, 2, 3), ["first window = -1", "at least 0"]),
        (lambda: batches.sequential(TEXT, 0, 3), ["batch_size = 0", "at least 1"]),
        (lambda: batches.random(TEXT, 2, "3", rng()), ["steps = '3'", "a str"]),
        (lambda: batches.sequential(TEXT.reshape(4, 5), 2, 3), ["shape (4, 5)", "one-dimensional"]),
        (lambda: batches.sequential(TEXT / 2, 2, 3), ["float64", "integers"]),
    ],
)
def test_errors(call, words):
    with pytest.raises(CrossfwError) as caught:
        call()
    assert all(word in str(caught.value) for word in words), str(caught.value)

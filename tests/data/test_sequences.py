"""Padding, masks and batches of sequences of unequal length."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfw.data import Batch
from crossfw.data.sequences import cut, lengths, pad, real_steps, unpad
from crossfw.errors import CrossfwError

SEQUENCES = [np.array([5, 6, 7]), np.array([8]), np.array([3, 4])]
ragged = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), min_size=1, max_size=7)


def test_padding_is_on_the_right_and_time_major():
    np.testing.assert_array_equal(pad(SEQUENCES, 3, 1), [[5, 8, 3], [6, 1, 4], [7, 1, 1]])
    np.testing.assert_array_equal(pad(SEQUENCES, 2, 1), [[5, 8, 3], [6, 1, 4]])
    np.testing.assert_array_equal(real_steps(lengths(SEQUENCES, "a test"), 3), [[1, 1, 1], [1, 0, 1], [1, 0, 0]])


def test_several_values_per_step():
    assert pad([np.array([[1, 2]]), np.array([[3, 4], [5, 6]])], 3, 0).tolist() == [
        [[1, 2], [3, 4]],
        [[0, 0], [5, 6]],
        [[0, 0], [0, 0]],
    ]


@given(ragged, st.integers(0, 3), st.integers(-1, 9))
def test_what_is_padded_can_be_taken_out_again(sequences, more, value):
    counts = lengths(sequences, "a test")
    steps = int(counts.max()) + more
    arrays = [np.array(sequence) for sequence in sequences]
    again = unpad(pad(arrays, steps, value), real_steps(counts, steps))
    assert [sequence.tolist() for sequence in again] == sequences


@given(ragged, st.integers(1, 6))
def test_what_is_too_long_keeps_its_beginning(sequences, steps):
    counts = lengths(sequences, "a test")
    again = unpad(pad([np.array(sequence) for sequence in sequences], steps, 0), real_steps(counts, steps))
    assert [sequence.tolist() for sequence in again] == [sequence[:steps] for sequence in sequences]


def test_without_a_mask_every_step_is_real():
    assert [steps.tolist() for steps in unpad(np.array([[1, 2], [3, 4]]), None)] == [[1, 3], [2, 4]]


def test_an_empty_sequence():
    with pytest.raises(CrossfwError, match="tunes, sequence 2\nfound: a length of 0"):
        lengths([[1], []], "tunes")


@pytest.fixture
def whole() -> Batch:
    tokens = np.arange(15).reshape(3, 5)
    return Batch(tokens, np.arange(5), np.ones((3, 5)), tokens[:2] + 50, None)


def test_batches_keep_the_columns_together_and_the_last_one_is_smaller(whole):
    first, second = cut(whole, 3, np.array([4, 1, 0, 2, 3]))
    assert first.inputs.tolist() == [[4, 1, 0], [9, 6, 5], [14, 11, 10]]
    assert (first.targets.tolist(), second.targets.tolist()) == ([4, 1, 0], [2, 3])
    assert second.source.tolist() == [[52, 53], [57, 58]]
    assert (second.mask.shape, second.source_mask) == ((3, 2), None)


def test_the_arrays_are_contiguous_copies(whole):
    batch = cut(whole, 2)[0]
    assert list(batch.arrays()) == ["inputs", "targets", "mask", "source"]
    for name, array in batch.arrays().items():
        assert array.flags["C_CONTIGUOUS"]
        assert array.flags["WRITEABLE"]
        assert not np.shares_memory(array, getattr(whole, name))

"""Dropout that follows the unit, and shared random numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfw.ports.masks import Masks

shapes = st.lists(st.integers(1, 6), min_size=2, max_size=4)


@settings(max_examples=50, deadline=None)
@given(shape=shapes, seed=st.integers(0, 100), p=st.floats(0.05, 0.95), data=st.data())
def test_a_mask_follows_its_units_through_layouts_and_rounding(shape, seed, p, data):
    values = np.random.default_rng(seed).standard_normal(shape)
    axes = data.draw(st.permutations(range(len(shape))))
    mask = Masks(seed).draw(values, tuple(shape), p)
    turned = values.transpose(axes)
    again = Masks(seed).draw(turned * (1 + 1e-15), turned.shape, p)
    assert (mask.transpose(axes) == again).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_steps_drop_what_the_whole_drops(seed):
    values = np.random.default_rng(seed).standard_normal((5, 3, 4))
    whole, steps = Masks(seed), Masks(seed)
    mask = whole.draw(values, values.shape, 0.5)
    assert (mask == np.stack([steps.draw(step, step.shape, 0.5) for step in values])).all()


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_rate_is_the_rate(p):
    values = np.random.default_rng(0).standard_normal((200, 500))
    mask = Masks(1).draw(values, values.shape, p)
    assert set(np.unique(mask)) == {0.0, 1 / (1 - p)}
    assert abs((mask == 0).mean() - p) < 0.01


@pytest.mark.parametrize("value", [1.0, 0.5, 0.25, 2.0, -1.0, 0.0])
def test_round_numbers_do_not_stand_at_an_edge(value):
    values = value * (1 + 1e-14 * np.linspace(-1, 1, 101))
    assert len(set(Masks(3).draw(values, values.shape, 0.5))) == 1


def test_channels_are_dropped_whole():
    values = np.random.default_rng(0).standard_normal((4, 8, 5, 5))
    assert Masks(0).draw(values, (4, 8, 1, 1), 0.5).shape == (4, 8, 1, 1)


def test_random_numbers_are_paired_by_order():
    first, second = Masks(7), Masks(7)
    assert (first.random("uniform", (2, 3)) == second.random("uniform", (3, 2)).reshape(2, 3)).all()
    assert (first.random("normal", (4,)) == second.random("normal", (4,))).all()
    assert first.drawn == [("uniform", 6), ("normal", 4)]

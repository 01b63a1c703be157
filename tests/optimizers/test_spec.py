"""The optimizers' values: what is out of range is said in the words of the task file."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from crossfw.errors import CrossfwError
from crossfw.optimizers.spec import STATE_NAMES, OptimizerSpec


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(name, value) for name in ("learning_rate", "epsilon", "clip", "clip_value") for value in (0, -1, math.inf)],
        *[(name, value) for name in ("momentum", "beta1", "beta2", "rho") for value in (-0.1, 1, math.nan)],
        *[("weight_decay", value) for value in (-1e-9, math.inf, math.nan)],
    ],
)
def test_a_value_out_of_range_is_refused(name, value):
    with pytest.raises(CrossfwError) as refused:
        OptimizerSpec(**{name: value})
    assert refused.value.asked == f"recipe.{name} = {value}"


def test_the_words_of_the_error():
    with pytest.raises(CrossfwError) as refused:
        OptimizerSpec(learning_rate=-1)
    assert refused.value.args == ("recipe.learning_rate = -1", "not a positive number", "give a number above 0")


def test_another_learning_rate_is_checked_too():
    with pytest.raises(CrossfwError, match="recipe.learning_rate = 0"):
        replace(OptimizerSpec(), learning_rate=0)


def test_an_unknown_optimizer_is_named_with_the_nearest_one():
    with pytest.raises(CrossfwError, match="did you mean 'adam'"):
        OptimizerSpec(name="adamm")


@pytest.mark.parametrize("name", ["momentum", "nag"])
def test_no_momentum_is_plain_sgd(name):
    with pytest.raises(CrossfwError, match="plain sgd"):
        OptimizerSpec(name=name, momentum=0.0)
    OptimizerSpec(name="sgd", momentum=0.0)


@pytest.mark.parametrize("name", STATE_NAMES)
def test_limits_that_are_allowed(name):
    OptimizerSpec(name=name, beta1=0, beta2=0, rho=0, weight_decay=0, clip=None, clip_value=None)

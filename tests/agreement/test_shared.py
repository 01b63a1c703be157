"""The state that stages start from hides nothing: masks hide steps, states and dropout masks are not trivial."""

from __future__ import annotations

import re

import numpy as np
import pytest

from crossfw.agreement.record import record
from crossfw.agreement.shared import make_shared, revealing_mask
from crossfw.errors import CrossfwError
from crossfw.harness.workers import InProcess
from crossfw.models import Implementation
from crossfw.optimizers.spec import STATE_NAMES, OptimizerSpec
from tests.models.cases import CASES, make


@pytest.mark.parametrize(("steps", "batch_size"), [(2, 1), (2, 2), (8, 4), (3, 9)])
def test_a_mask_hides_something_and_no_sequence_whole(steps, batch_size):
    mask = revealing_mask(steps, batch_size)
    assert mask.shape == (steps, batch_size)
    assert (mask == 0).any()
    assert (mask[0] == 1).all()
    assert (np.diff(mask, axis=0) <= 0).all(), "padding stands at the end"


def test_one_step_cannot_be_hidden():
    np.testing.assert_array_equal(revealing_mask(1, 3), np.ones((1, 3)))


@pytest.mark.parametrize("case", [name for name in CASES if "mask" in name])
def test_the_masks_of_a_batch_without_padding_are_made_to_hide(case):
    kind, spec, batch = make(case)
    whole = {name: np.ones_like(value) if "mask" in name else value for name, value in batch.items()}
    shared = make_shared(kind, spec, whole)
    for name in ("mask", "source_mask"):
        assert (name in shared.batch) == (name in batch)
        assert name not in batch or (shared.batch[name] == 0).any()


@pytest.mark.parametrize("case", [name for name in CASES if "dropout" in name])
def test_dropout_masks_keep_some_and_drop_some(case):
    kind, spec, batch = make(case)
    masks = {name: value for name, value in make_shared(kind, spec, batch).batch.items() if "keep_" in name}
    assert masks.keys() == spec.keep_shapes(batch).keys()
    for mask in masks.values():
        assert set(np.unique(mask)) == {0.0, float(np.float32(1 / 0.75))}


def test_every_optimizer_starts_fresh_and_warm_and_every_clipping_takes_a_step():
    kind, spec, batch = make("rnn tanh, 1 biases, tokens")
    recipe = OptimizerSpec("adam", clip=1.0)
    shared = make_shared(kind, spec, batch, recipe)
    trace = record(InProcess(Implementation("numpy")), kind, shared, "float64", "cpu")
    found = {(name, how) for name, how in re.findall(r"update/b_q \((.+), (.+)\)", "\n".join(trace.arrays))}
    fresh = {*STATE_NAMES, "the recipe's adam"}
    steps = {"sgd", "sgd below the threshold", "sgd without clipping", "rmsprop", "the recipe's adam"}
    assert found == {
        *((name, "fresh state") for name in fresh),
        *((name, "whole step") for name in steps),
        *((name, "warm state") for name in fresh - steps),
    }


def test_data_that_do_not_suit_the_model_are_refused():
    kind, spec, batch = make("rnn tanh, 1 biases, tokens")
    with pytest.raises(CrossfwError, match="out of range"):
        make_shared(kind, spec, {**batch, "inputs": batch["inputs"] + 5})

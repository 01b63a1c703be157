"""A sample of the faults that are drawn for families: each is found, at its place, under its name."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tests.families.fault_rules import MODULES, TEXTS
from tests.families.faults import draw, found_of, possible

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

SAMPLE = {
    "fully_convolutional": "no bias",
    "bert_separate": "label smoothing",
    "ctc_recogniser": "dilation",
    "grouped": "epsilon",
    "deepar": "weight decay",
    "wide": "momentum of a norm",
}


@pytest.mark.parametrize("name", SAMPLE)
def test_a_fault_is_found(name):
    made = dict(possible(name))[SAMPLE[name]]
    found = found_of(made(np.random.default_rng(0)))
    assert found.caught, found.told
    assert found.placed, found.told
    assert found.named, found.told


def test_draws_repeat_and_differ_by_rule():
    first, again = (draw("squeeze", 3) for _ in range(2))
    assert [(f.name, f.place) for f in first] == [(f.name, f.place) for f in again]
    assert len({f.name for f in first}) == 3
    assert {f.name for f in first} <= {*MODULES, *TEXTS}


def test_a_dilation_keeps_the_shape():
    _, changed, _ = MODULES["dilation"]
    for layer in (nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 7, 2, 3), nn.Conv2d(2, 2, 5, padding=2, groups=2)):
        before = layer(torch.zeros(1, 2, 20, 20)).shape
        assert changed("0", layer, {})(torch.zeros(1, 2, 20, 20)).shape == before

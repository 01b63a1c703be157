"""Data in the task file: shapes that fit, or one clear error."""

from __future__ import annotations

import numpy as np
import pytest

from crossfw.data import InlineSpec, load_dataset
from crossfw.errors import CrossfwError


def test_the_batch():
    batch = InlineSpec((((1, 1),), ((2, 2),)), ((0,), (1,))).batch()
    assert batch.inputs.shape == (2, 1, 2)
    assert batch.inputs.dtype == np.float64
    assert batch.targets.tolist() == [[0], [1]]


def test_the_members_that_all_datasets_have():
    dataset = load_dataset(InlineSpec((((1, 1, 0),), ((2, 2, 0),)), ((0,), (4,))))
    assert dataset.sizes == {"input_size": 3, "output_size": 5}
    assert dataset.training(3, 1)[0].targets.tolist() == [[0], [4]]
    assert (dataset.validation(), dataset.test(), dataset.measures([], "test"), dataset.show([], "test", 1)) == (
        [],
        [],
        {},
        [],
    )
    assert dataset.describe() == {"features": 3, "steps": 2, "training sequences": 1}
    assert dataset.fingerprint != load_dataset(InlineSpec((((1, 1, 0),), ((2, 2, 0),)), ((0,), (3,)))).fingerprint


@pytest.mark.parametrize(
    ("features", "targets"),
    [
        ((((1, 1),), ((2,),)), ((0,), (1,))),
        ((((1, 1),),), ((0,), (1,))),
        ((((1, 1),),), ((-1,),)),
        ((), ()),
        (((("a", "b"),),), ((0,),)),
    ],
)
def test_what_does_not_fit(features, targets):
    with pytest.raises(CrossfwError, match="features"):
        InlineSpec(features, targets)

"""Data in the task file: shapes that fit, or one clear error."""

from __future__ import annotations

import numpy as np
import pytest

from crossfw.data.inline import InlineSpec
from crossfw.errors import CrossfwError


def test_the_batch():
    batch = InlineSpec((((1, 1),), ((2, 2),)), ((0,), (1,))).batch()
    assert batch.inputs.shape == (2, 1, 2)
    assert batch.inputs.dtype == np.float64
    assert batch.targets.tolist() == [[0], [1]]


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

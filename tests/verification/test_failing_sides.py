"""What MXNet itself cannot do, or dies of, costs that stage and no more."""

from __future__ import annotations

import pytest

import crossfw
from tests.families.families import FAMILIES

PORT = """
def mxnet_model():
    import os
    import mxnet as mx
    from mxnet.gluon import Block, nn

    class Own(mx.autograd.Function):
        def forward(self, x):
            {forward}
            return x * 2
        def backward(self, dy):
            {backward}

    class Net(Block):
        def __init__(self):
            super().__init__()
            self.a = nn.Dense(3, in_units=4)
        def forward(self, x):
            return Own()(self.a(x))

    return Net()


def torch_model():
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(4, 3)
        def forward(self, x):
            return self.a(x) * {factor}

    return Net()


def inputs(rng, batch_size):
    return rng.standard_normal((batch_size, 4))
"""
RIGHT = {"forward": "pass", "backward": "return dy * 2", "factor": 2}


def verdict_of(tmp_path, **changes):
    path = tmp_path / "port.py"
    path.write_text(PORT.format(**{**RIGHT, **changes}))
    return crossfw.verify_file(path)


def stages_of(verdict, dtype="float64"):
    return {row.stage for row in verdict.rows if row.dtype == dtype}


def not_compared(verdict):
    return [line.partition(":")[0] for line in verdict.untested if ": not compared: " in line]


@pytest.mark.parametrize("backward", ["os.abort()", "raise ValueError('no gradient of this')"])
def test_a_backward_pass_that_fails_costs_the_gradients(tmp_path, backward):
    found = verdict_of(tmp_path, backward=backward)
    assert found, str(found)
    assert stages_of(found) == {"parameters", "forward", "forward in training"}
    assert stages_of(found, "float32") == {"forward"}
    assert not_compared(found) == ["gradients and updates"]


@pytest.mark.parametrize("backward", ["os.abort()", "raise ValueError('no gradient of this')"])
def test_the_rest_is_still_compared(tmp_path, backward):
    found = verdict_of(tmp_path, backward=backward, factor=2.001)
    assert found.stage == "forward", str(found)
    assert found.word == "differs"


def test_float32_that_fails_with_onednn_is_compared_without():
    found = crossfw.verify_file(FAMILIES["dual_path"])
    assert found, str(found)
    assert stages_of(found, "float32") == {"forward", "gradients"}
    assert not_compared(found) == []
    assert any("ran without" in note for note in found.notes)


def test_a_process_that_dies_in_float32_costs_float32(tmp_path):
    found = verdict_of(tmp_path, forward="x.dtype.__name__ == 'float32' and os.abort()")
    assert found, str(found)
    assert {"gradients", "update", "several updates"} <= stages_of(found)
    assert stages_of(found, "float32") == set()
    assert not_compared(found) == ["float32"]


def test_a_process_that_dies_of_large_inputs_costs_that_draw(tmp_path):
    found = verdict_of(tmp_path, forward="abs(x.asnumpy()).max() > 30 and os.abort()")
    assert found, str(found)
    assert any("inputs times 100" in words for words in not_compared(found))
    assert {row.run for row in found.rows if "inputs times 0.01" in row.run}


def test_inputs_of_one_sign_are_not_said_to_be_scaled(tmp_path):
    path = tmp_path / "port.py"
    path.write_text(PORT.format(**RIGHT).replace("rng.standard_normal(", "rng.uniform(0.1, 0.9, "))
    found = crossfw.verify_file(path)
    assert found, str(found)
    assert not [row for row in found.rows if "inputs times" in row.run]
    assert not any("100 times" in words for words in found.tested)


def test_a_process_that_dies_in_inference_ends_the_comparison(tmp_path):
    with pytest.raises(crossfw.CrossfwError) as caught:
        verdict_of(tmp_path, forward="mx.autograd.is_training() or mx.nd.waitall() or os.abort()")
    assert "SIGABRT" in caught.value.found

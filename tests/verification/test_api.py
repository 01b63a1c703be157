"""`crossfw.verify` on objects in one process: true ports, put back as they were; the pytest plugin."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
import torch
from mxnet.gluon import nn, rnn

import crossfw


def dense() -> tuple:
    block = nn.HybridSequential()
    block.add(nn.Dense(6, activation="tanh", in_units=4), nn.Dense(3, in_units=6))
    block.initialize()
    return block, torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 3))


def test_models_are_put_back_as_they_were():
    block, module = dense()
    block.hybridize()
    module.eval()
    before = {name: p.data().asnumpy() for name, p in block.collect_params().items()}
    state = {name: value.clone() for name, value in module.state_dict().items()}
    assert crossfw.verify(block, module, lambda rng: rng.standard_normal((2, 4)))
    after = {name: p.data().asnumpy() for name, p in block.collect_params().items()}
    for name, value in before.items():
        assert after[name].dtype == value.dtype
        assert (after[name] == value).all()
    for name, value in module.state_dict().items():
        assert value.dtype == state[name].dtype
        assert torch.equal(value, state[name])
    assert not module.training
    assert block._active
    block(mx.nd.ones((2, 4)))  # hybridized as before


def test_arrays_instead_of_a_function():
    block, module = dense()
    assert crossfw.verify(block, module, np.random.default_rng(0).standard_normal((5, 4)))


def test_the_verdict_is_text_table_and_page():
    block, _ = dense()
    wrong = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.ReLU(), torch.nn.Linear(6, 3))
    verdict = crossfw.verify(block, wrong, lambda rng: rng.standard_normal((2, 4)))
    assert not verdict
    assert verdict.stage == "forward"
    assert verdict.word == "differs"
    assert str(verdict).startswith("DIFFERS")
    assert "forward" in verdict._repr_html_()
    table = verdict.table()
    assert set(table.grade) >= {"equal", "different"}
    assert len(table) == len(verdict.rows)
    assert verdict.html().startswith("<!doctype html>")


def test_states_in_lists_and_several_outputs():
    block = rnn.LSTM(5, input_size=3)

    class Library(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = torch.nn.LSTM(3, 5)

        def forward(self, x, states):
            return self.net(x, tuple(states))

    def inputs(rng):
        return {"x": rng.standard_normal((4, 2, 3)), "states": [rng.standard_normal((1, 2, 5)) for _ in "hc"]}

    verdict = crossfw.verify(block, Library(), inputs)
    assert verdict, str(verdict)
    names = set(verdict.table().query("stage == 'gradients'").tensor)
    assert {"inputs['x']", "inputs['states'][0]", "inputs['states'][1]"} <= names


@pytest.mark.parametrize("array", ["nd", "np"])
def test_either_array_interface(array):
    with mx.util.np_shape(array == "np"), mx.util.np_array(array == "np"):
        block, module = dense()
        verdict = crossfw.verify(block, module, lambda rng: rng.standard_normal((2, 4)))
    assert verdict, str(verdict)


def test_the_plugin_shows_the_verdict(pytester):
    pytester.makepyfile(
        """
        import torch
        from mxnet.gluon import nn

        def test_port(crossfw_verify):
            block = nn.Dense(3, in_units=4)
            module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh())
            assert crossfw_verify(block, module, lambda rng: rng.standard_normal((2, 4)))
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:xdist", "-W", "ignore")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*DIFFERS*", "*forward*"])


def test_a_setting_that_does_not_exist_is_refused():
    block, module = dense()
    with pytest.raises(crossfw.CrossfwError, match="did you mean 'mxnet_optimizer'"):
        crossfw.verify(block, module, np.ones((2, 4)), mxnet_optimiser=None)

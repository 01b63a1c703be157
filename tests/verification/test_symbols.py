"""Symbols and Module checkpoints as they lie on people's disks."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from torch import nn

import crossfw
from crossfw.verification import verify_file

TORCH = """
def torch_model():
    from torch import nn
    return nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.BatchNorm1d(5, eps=1e-3), nn.Linear(5, 3), nn.Softmax(1))

def inputs(rng, batch_size):
    return rng.standard_normal((batch_size, 6))
"""
FORMS = {
    "a prefix": ('return "mlp"', ""),
    "a symbol": (
        'import mxnet as mx; return mx.sym.load("{folder}/mlp-symbol.json")',
        'mxnet_checkpoint = "mlp-0003.params"',
    ),
}


@pytest.fixture
def module(tmp_path):
    """A network as Module saves it, in two epochs; the older one is of other weights."""
    x = mx.sym.FullyConnected(mx.sym.Variable("data"), num_hidden=5, name="fc1")
    x = mx.sym.BatchNorm(mx.sym.Activation(x, act_type="relu"), fix_gamma=False, name="bn")
    x = mx.sym.SoftmaxOutput(mx.sym.FullyConnected(x, num_hidden=3, name="fc2"), name="softmax")
    for epoch in (0, 3):
        made = mx.mod.Module(x, logger=None)
        made.bind([("data", (4, 6))], [("softmax_label", (4,))])
        made.init_params(mx.init.Normal(1))
        made.save_checkpoint(str(tmp_path / "mlp"), epoch)
    return tmp_path


@pytest.mark.parametrize("form", FORMS)
def test_a_module_checkpoint_is_a_port_of_three_lines(module, form):
    line, more = FORMS[form]
    port = module / "port.py"
    port.write_text(f"def mxnet_model():\n    {line.format(folder=module)}\n{more}\n{TORCH}")
    verdict = verify_file(port)
    assert verdict, str(verdict)
    assert {row.stage for row in verdict.rows} >= {"parameters", "forward", "gradients", "update", "several updates"}


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ('return "no_such"', "no_such"),
        ("import mxnet as mx; return mx.sym.Variable('x') * 2", "port.py"),
        ("return 3", "mxnet_model"),
    ],
)
def test_what_is_no_model_is_one_clear_error(module, line, asked):
    port = module / "port.py"
    port.write_text(f"def mxnet_model():\n    {line}\n{TORCH}")
    if "Variable" in line:  # a function without parameters is a model, if another one than torch's
        assert not verify_file(port)
        return
    with pytest.raises(crossfw.CrossfwError) as error:
        verify_file(port)
    assert asked in str(error.value)


def prelu_net():
    from mxnet.gluon import nn as gluon_nn

    net = gluon_nn.HybridSequential()
    net.add(gluon_nn.Dense(4, in_units=3), gluon_nn.PReLU(in_channels=1), gluon_nn.Dense(2, in_units=4))
    net.initialize()
    return net


@pytest.mark.parametrize("hybridized", [False, True])
def test_what_is_trained_is_verified(hybridized):
    """In a graph MXNet's gradient of PReLU's slope is the slope times the right one."""

    def model():
        net = prelu_net()
        if hybridized:
            net.hybridize()
        return net

    twin = nn.Sequential(nn.Linear(3, 4), nn.PReLU(), nn.Linear(4, 2))
    verdict = crossfw.verify(model, lambda: twin, lambda rng: rng.standard_normal((5, 3)))
    assert bool(verdict) is not hybridized
    assert [cause.name for cause in verdict.causes] == ["MXNet's own gradient"] * hybridized


def test_a_symbol_of_several_outputs_and_a_fused_network():
    data = mx.sym.Variable("data", dtype="float32")
    made = mx.sym.RNN(data, mx.sym.Variable("parameters"), mx.sym.Variable("state"), mx.sym.Variable("cell"),
                      state_size=4, num_layers=2, mode="lstm", bidirectional=True, name="lstm")  # fmt: skip
    output = mx.sym.Group([made, mx.sym.argmax(made, axis=2)])
    inputs = [mx.sym.Variable(name, dtype="float32") for name in ("data", "state", "cell")]

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(3, 4, 2, bidirectional=True)

        def forward(self, x, h, c):
            y = self.lstm(x, (h, c))[0]
            return y, y.argmax(2)

    def drawn(rng):
        return rng.standard_normal((5, 2, 3)), np.full((4, 2, 4), 0.1), rng.standard_normal((4, 2, 4))

    verdict = crossfw.verify(lambda: mx.gluon.SymbolBlock(output, inputs), Net, drawn)
    assert verdict, str(verdict)

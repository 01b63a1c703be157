"""MXNet's operators in float64: exact forms against torch, float32 at its own place, graphs node by node."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
import torch
from mxnet import autograd
from torch.nn import functional

from crossfw.ports.decimals import widened
from crossfw.ports.masks import Masks
from crossfw.ports.mxnet.carrier import Carrier
from crossfw.ports.mxnet.graph import evaluate, graph_of
from crossfw.ports.mxnet.invoke import carried_out
from crossfw.ports.mxnet.precision import Precision

X = np.random.default_rng(0).standard_normal((2, 3, 5, 7))
FORMS = {  # name: (MXNet's, torch's)
    "leaky": (lambda x: mx.nd.LeakyReLU(x, slope=0.3), lambda x: functional.leaky_relu(x, 0.3)),
    "elu": (lambda x: mx.nd.LeakyReLU(x, act_type="elu", slope=0.7), lambda x: functional.elu(x, 0.7)),
    "selu": (lambda x: mx.nd.LeakyReLU(x, act_type="selu"), functional.selu),
    "gelu": (lambda x: mx.nd.LeakyReLU(x, act_type="gelu"), functional.gelu),
    "prelu": (
        lambda x: mx.nd.LeakyReLU(x, mx.nd.array([0.1, -0.2, 0.3], dtype="float64"), act_type="prelu"),
        lambda x: functional.prelu(x, torch.tensor([0.1, -0.2, 0.3], dtype=torch.float64)),
    ),
    "erf": (mx.nd.erf, torch.erf),
    "clip": (lambda x: mx.nd.clip(x, -0.1, 0.7), lambda x: x.clamp(-0.1, 0.7)),
    "hard_sigmoid": (lambda x: mx.nd.hard_sigmoid(x), lambda x: (0.2 * x + 0.5).clamp(0, 1)),
    "resize to corners": (
        lambda x: mx.nd.contrib.BilinearResize2D(x, height=9, width=4),
        lambda x: functional.interpolate(x, (9, 4), mode="bilinear", align_corners=True),
    ),
    "resize to borders": (
        lambda x: mx.nd.contrib.BilinearResize2D(x, height=9, width=4, align_corners=False),
        lambda x: functional.interpolate(x, (9, 4), mode="bilinear", align_corners=False),
    ),
    "numpy's interface": (lambda x: mx.npx.leaky_relu(x.as_np_ndarray(), act_type="gelu"), functional.gelu),
}


def carried(masks: Masks | None = None):
    return carried_out(Carrier(masks or Masks(0), Precision(), True))


@pytest.mark.parametrize("name", FORMS)
def test_an_exact_form_is_torchs_function_with_its_gradient(name):
    theirs, ours = FORMS[name]
    x, t = mx.nd.array(X, dtype="float64"), torch.tensor(X, requires_grad=True)
    x.attach_grad()
    with carried(), autograd.record():
        y = theirs(x)
        (y * y).sum().backward()
    made = ours(t)
    (made * made).sum().backward()
    assert y.asnumpy() == pytest.approx(made.detach().numpy(), abs=1e-13)
    assert x.grad.asnumpy() == pytest.approx(t.grad.numpy(), abs=1e-12)


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("layers", [1, 3])
def test_a_fused_network_with_relu_keeps_its_states_in_float64(layers, directions):
    net = mx.gluon.rnn.RNN(4, layers, input_size=3, bidirectional=directions == 2)
    net.initialize()
    net.cast("float64")
    twin = torch.nn.RNN(3, 4, layers, nonlinearity="relu", bidirectional=directions == 2, dtype=torch.float64)
    rng = np.random.default_rng(1)
    for layer in range(layers):
        for side, end in (("l", ""), ("r", "_reverse"))[:directions]:
            for theirs, ours in (("i2h_weight", "weight_ih"), ("h2h_weight", "weight_hh"), ("i2h_bias", "bias_ih"),
                                 ("h2h_bias", "bias_hh")):  # fmt: skip
                parameter = getattr(net, f"{side}{layer}_{theirs}")
                value = rng.standard_normal(parameter.shape)
                parameter.set_data(mx.nd.array(value, dtype="float64"))
                getattr(twin, f"{ours}_l{layer}{end}").data.copy_(torch.tensor(value))
    x = rng.standard_normal((5, 2, 3))
    with carried():
        y = net(mx.nd.array(x, dtype="float64")).asnumpy()
    assert y == pytest.approx(twin(torch.tensor(x))[0].detach().numpy(), rel=1e-12)


def test_what_has_no_float64_is_cast_at_its_own_place():
    precision = Precision()
    x = mx.nd.array(X, dtype="float64")
    x.attach_grad()
    with carried_out(Carrier(Masks(0), precision, True)), autograd.record():
        y = mx.nd.LRN(x * 3, nsize=3) * 2
        y.sum().backward()
    assert (y.dtype, x.grad.dtype) == (np.float64, np.float64)
    assert precision.without == {"LRN"}


def test_library_code_for_float32_runs():
    arrays = [mx.nd.array(X, dtype="float64")]
    with carried():
        norm = mx.gluon.utils.clip_global_norm(arrays, 0.5)
    assert norm == pytest.approx(float(np.sqrt((X**2).sum())))
    assert float((arrays[0] ** 2).sum().asscalar()) == pytest.approx(0.25)


def test_a_graph_run_node_by_node_is_the_graph():
    x = mx.sym.Variable("data")
    made = mx.sym.Convolution(x, num_filter=4, kernel=(3, 3), name="c")
    made = mx.sym.BatchNorm(mx.sym.Activation(made, act_type="relu"), fix_gamma=False, name="b")
    output = mx.sym.Group([made, mx.sym.sum(made, axis=1)])
    shapes, _, aux = output.infer_shape(data=X.shape)
    rng = np.random.default_rng(2)
    names = [*output.list_arguments(), *output.list_auxiliary_states()]
    arrays = {n: mx.nd.array(rng.uniform(0.5, 1, s)) for n, s in zip(names, [*shapes, *aux])}
    found = evaluate(graph_of(output), arrays, numpy=False)
    executor = output.bind(mx.cpu(), {n: arrays[n] for n in output.list_arguments()},
                           aux_states={n: arrays[n] for n in output.list_auxiliary_states()})  # fmt: skip
    for ours, theirs in zip(found, executor.forward()):
        assert ours.asnumpy() == pytest.approx(theirs.asnumpy(), rel=1e-6)


@pytest.mark.parametrize("number", [123.68, 0.1, 57.4, 1e-5, -3.25, 1e30])
def test_decimals_come_back(number):
    assert widened(np.float32([number]))[0] == number

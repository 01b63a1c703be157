"""Against the libraries as they are: torch.optim means what `spec.py` says; MXNet does not, and here is where.

Each test of MXNet compares its unbridged optimizer with the reference, once where the two must differ and once where
they must not. If MXNet one day agrees, the test says that the bridge is no longer needed.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mxnet import nd, optimizer

from crossfw.agreement.compare import relative_error
from crossfw.models.network import mxnet_gluon as gluon_model
from crossfw.models.network.spec import Spec
from crossfw.optimizers import mxnet_gluon, torch_nn
from crossfw.optimizers import numpy as reference
from crossfw.optimizers.spec import OptimizerSpec

pytestmark = pytest.mark.filterwarnings("ignore:Please use `csr_matrix`:DeprecationWarning")  # of nd.array
# Exact in float32, so that MXNet's operators round nothing in float64 but Adam's bias correction.
EXACT = {"learning_rate": 0.125, "momentum": 0.75, "beta1": 0.75, "beta2": 0.875, "rho": 0.875, "epsilon": 0.125}
W = np.array([[1.0, -2.0], [0.5, 3.0]])
GRADIENTS = [np.array([[0.5, -0.25], [1.5, 0.125]]), np.array([[0.25, 1.0], [0.5, -0.75]]), np.full((2, 2), 0.375)]
ROUNDING, FLOAT32_ROUNDING, MEANING = 1e-14, 1e-7, 1e-3


def by_reference(spec: OptimizerSpec, rates: tuple[float, ...] = ()) -> np.ndarray:
    """W after an update for each gradient; `rates` are the learning rates of the updates, where they change."""
    model = SimpleNamespace(parameters={"w": W.copy()}, gradients={})
    updates = reference.Optimizer(spec, model)
    for t, g in enumerate(GRADIENTS):
        if rates:
            updates.set_learning_rate(rates[t])
        model.gradients = {"w": g}
        updates.step()
    return model.parameters["w"]


def by_mxnet(native: optimizer.Optimizer, rates: tuple[float, ...] = ()) -> np.ndarray:
    """The same by an optimizer of MXNet, unbridged."""
    w, updater = nd.array(W, dtype="float64"), optimizer.get_updater(native)
    updater.states[0] = _as_double(native.create_state(0, w))
    updater.states_synced[0] = True
    for t, g in enumerate(GRADIENTS):
        if rates:
            native.set_learning_rate(rates[t])
        updater(0, nd.array(g, dtype="float64"), w)
    return w.asnumpy()


def _as_double(state: object) -> object:
    """RMSProp and AdaGrad make their state in float32 whatever the weight is."""
    if isinstance(state, tuple):
        return tuple(a.astype("float64") for a in state)
    return None if state is None else state.astype("float64")


def differ(native: optimizer.Optimizer, spec: OptimizerSpec, rates: tuple[float, ...] = ()) -> bool:
    """Whether MXNet means something else; an error between rounding and meaning is neither."""
    error = relative_error(by_mxnet(native, rates), by_reference(spec, rates))
    assert error < FLOAT32_ROUNDING or error > MEANING, error
    return error > MEANING


def adam(epsilon: float, **options: float) -> optimizer.Optimizer:
    return optimizer.Adam(learning_rate=0.125, beta1=0.75, beta2=0.875, epsilon=epsilon, **options)


TINY = 2.0**-60  # an epsilon that is nowhere seen


def test_trap_11_adam_adds_epsilon_before_the_bias_correction():
    assert differ(adam(0.125), OptimizerSpec("adam", **EXACT))
    assert not differ(adam(TINY), OptimizerSpec("adam", **{**EXACT, "epsilon": TINY}))


def test_trap_12_rmsprop_adds_epsilon_inside_the_root():
    def native(epsilon):
        return optimizer.RMSProp(learning_rate=0.125, gamma1=0.875, epsilon=epsilon)

    assert differ(native(0.125), OptimizerSpec("rmsprop", **EXACT))
    assert not differ(native(TINY), OptimizerSpec("rmsprop", **{**EXACT, "epsilon": TINY}))


def test_trap_13_adagrad_adds_epsilon_inside_the_root():
    assert differ(optimizer.AdaGrad(learning_rate=0.125, eps=0.125), OptimizerSpec("adagrad", **EXACT))
    tiny = {**EXACT, "epsilon": TINY}
    assert not differ(optimizer.AdaGrad(learning_rate=0.125, eps=TINY), OptimizerSpec("adagrad", **tiny))


def test_trap_13_adagrad_decouples_the_weight_decay():
    native = optimizer.AdaGrad(learning_rate=0.125, eps=TINY, wd=0.25)
    assert differ(native, OptimizerSpec("adagrad", **{**EXACT, "epsilon": TINY}, weight_decay=0.25))


@pytest.mark.parametrize(("name", "native"), [("momentum", optimizer.SGD), ("nag", optimizer.NAG)])
def test_trap_14_the_momentum_buffer_holds_the_learning_rate(name, native):
    spec = OptimizerSpec(name, **EXACT)
    assert differ(native(learning_rate=0.125, momentum=0.75), spec, rates=(0.125, 0.5, 0.25))
    assert not differ(native(learning_rate=0.125, momentum=0.75), spec)


def test_trap_15_nag_decays_its_momentum_with_the_weight_just_written():
    native = optimizer.NAG(learning_rate=0.125, momentum=0.75, wd=0.25)
    assert differ(native, OptimizerSpec("nag", **EXACT, weight_decay=0.25))
    assert not differ(optimizer.NAG(learning_rate=0.125, momentum=0.75), OptimizerSpec("nag", **EXACT))
    w, b = W.copy(), np.zeros_like(W)
    for g in GRADIENTS:  # b <- mu b;  w' <- w - b + (1 + mu) (b - lr (g + wd w));  b <- b - lr (g + wd w')
        b = 0.75 * b
        w = w - b + 1.75 * (b - 0.125 * (g + 0.25 * w))
        b = b - 0.125 * (g + 0.25 * w)
    assert relative_error(by_mxnet(native), w) < ROUNDING


def test_trap_16_adam_and_rmsprop_clip_after_the_weight_decay():
    tiny, both = {**EXACT, "epsilon": TINY}, {"wd": 0.25, "clip_gradient": 0.375}
    spec = {"weight_decay": 0.25, "clip_value": 0.375}
    assert differ(adam(TINY, **both), OptimizerSpec("adam", **tiny, **spec))
    assert not differ(adam(TINY, clip_gradient=0.375), OptimizerSpec("adam", **tiny, clip_value=0.375))
    native = optimizer.RMSProp(learning_rate=0.125, gamma1=0.875, epsilon=TINY, **both)
    assert differ(native, OptimizerSpec("rmsprop", **tiny, **spec))
    assert not differ(optimizer.SGD(learning_rate=0.125, **both), OptimizerSpec("sgd", **EXACT, **spec))


def test_trap_17_gluon_decays_biases_and_module_does_not():
    named = optimizer.SGD(learning_rate=0.125, wd=0.25, param_idx2name={0: "dense0_bias"})
    assert differ(named, OptimizerSpec("sgd", **EXACT, weight_decay=0.25))
    assert not differ(named, OptimizerSpec("sgd", **EXACT))
    assert not differ(optimizer.SGD(learning_rate=0.125, wd=0.25), OptimizerSpec("sgd", **EXACT, weight_decay=0.25))


def test_fused_updates_round_their_hyper_parameters_to_float32():
    error = relative_error(by_mxnet(optimizer.SGD(learning_rate=0.1)), by_reference(OptimizerSpec(learning_rate=0.1)))
    assert ROUNDING < error < FLOAT32_ROUNDING


def test_nd_clip_rounds_its_bounds_to_float32():
    clipped = nd.clip(nd.ones(1, dtype="float64"), -0.1, 0.1)
    assert clipped.asnumpy()[0] == np.float32(0.1) != 0.1


@pytest.mark.parametrize(
    ("name", "native", "options"),
    [
        ("sgd", torch.optim.SGD, {}),
        ("momentum", torch.optim.SGD, {"momentum": 0.9}),
        ("nag", torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
        ("adam", torch.optim.Adam, {"betas": (0.9, 0.999), "eps": 0.1}),
        ("rmsprop", torch.optim.RMSprop, {"alpha": 0.99, "eps": 0.1}),
        ("adagrad", torch.optim.Adagrad, {"eps": 0.1}),
    ],
)
def test_torch_optim_means_what_the_spec_says(name, native, options):
    ours, theirs = (torch.nn.Parameter(torch.tensor(W)) for _ in range(2))
    spec = OptimizerSpec(name, learning_rate=0.1, epsilon=0.1, weight_decay=0.3)
    bridged = torch_nn.Optimizer(spec, SimpleNamespace(parameters={"w": ours}))
    raw = native([theirs], lr=0.1, weight_decay=0.3, **options)
    for t, g in enumerate(GRADIENTS):
        if t == 1:
            bridged.set_learning_rate(0.07)
            raw.param_groups[0]["lr"] = 0.07
        ours.grad, theirs.grad = torch.tensor(g), torch.tensor(g)
        bridged.step()
        raw.step()
    assert torch.equal(ours, theirs)
    assert relative_error(ours.detach().numpy(), by_reference(spec, rates=(0.1, 0.07, 0.07))) < ROUNDING


@pytest.mark.parametrize(
    ("spec", "dtype", "word"),
    [
        (OptimizerSpec("sgd"), "float32", None),
        (OptimizerSpec("nag"), "float32", None),
        (OptimizerSpec("momentum"), "float64", "round"),
        (OptimizerSpec("nag", weight_decay=0.1), "float32", "NAG"),
        (OptimizerSpec("adam"), "float32", "bias correction"),
        (OptimizerSpec("adam", weight_decay=0.1, clip_value=1.0), "float32", "clips after"),
        (OptimizerSpec("rmsprop"), "float32", "inside the root"),
        (OptimizerSpec("adagrad"), "float32", "inside the root"),
    ],
)
def test_bridges_are_told_and_mxnets_own_optimizer_is_used_where_it_can_be(spec, dtype, word):
    bridged = mxnet_gluon.Optimizer(spec, gluon_model.Model(Spec(5, 4, 5), dtype, "cpu"))
    assert any(word in note for note in bridged.notes) if word else bridged.notes == ()
    own = type(bridged.trainer.optimizer).__module__.startswith("mxnet.")
    assert own == (not any("array operations" in note for note in bridged.notes))

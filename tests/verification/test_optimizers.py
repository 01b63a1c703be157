"""Optimizers, clipping and schedules of a pair: true ports agree, others differ, and the setting is named."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_, clip_grad_value_
from torch.optim import SGD, Adadelta, Adagrad, Adam, AdamW, RMSprop

import crossfw


def mxnet_model():
    from mxnet.gluon import nn as gluon_nn

    model = gluon_nn.HybridSequential()
    model.add(gluon_nn.Dense(8, activation="tanh", in_units=6), gluon_nn.Dense(4, in_units=8))
    return model


def torch_model():
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 4))


def inputs(rng, batch_size):
    return rng.standard_normal((batch_size, 6))


def trainer(kind, lr_mult=(1.0, 1.0), wd_mult=(1.0, 1.0), schedule=None, **settings):
    """A Trainer; the multipliers are those of weights and of biases."""

    def make(model):
        import mxnet as mx

        for name, p in model.collect_params().items():
            p.lr_mult, p.wd_mult = lr_mult[name.endswith("bias")], wd_mult[name.endswith("bias")]
        more = {} if schedule is None else {"lr_scheduler": schedule(mx.lr_scheduler)}
        return mx.gluon.Trainer(model.collect_params(), kind, {**settings, **more})

    return make


def grouped(kind, biases, **settings):
    """Another setting for biases, in a group of their own."""

    def make(model):
        named = list(model.named_parameters())
        groups = [{"params": [p for n, p in named if n.endswith("weight")]}]
        return kind([*groups, {"params": [p for n, p in named if n.endswith("bias")], **biases}], **settings)

    return make


def of(kind, **settings):
    return lambda model: kind(model.parameters(), **settings)


def scheduled(kind, schedule, **settings):
    """An optimizer whose scheduler steps after every update."""

    class Scheduled(kind):
        def step(self, closure=None):
            super().step(closure)
            self.schedule.step()

    def make(model):
        optimizer = Scheduled(model.parameters(), **settings)
        optimizer.schedule = schedule(optimizer)
        return optimizer

    return make


def clipping(kind, clip, **settings):
    """An optimizer that clips inside its step."""

    class Clipping(kind):
        def step(self, closure=None):
            for group in self.param_groups:
                clip(group["params"])
            super().step(closure)

    return lambda model: Clipping(model.parameters(), **settings)


def custom_mxnet(model):
    """AdamW as people write it for MXNet, with a fused operator under a name of their own."""
    import mxnet as mx
    from mxnet.ndarray.contrib import adamw_update

    class Decoupled(mx.optimizer.Optimizer):
        def create_state(self, index, weight):
            return mx.nd.zeros_like(weight), mx.nd.zeros_like(weight)

        def update(self, index, weight, grad, state):
            self._update_count(index)
            t = self._index_update_count[index]
            lr = 0.01 * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t)
            adamw_update(weight, grad, *state, rescale_grad=1.0, lr=lr, eta=1.0, wd=0.003, epsilon=1e-20, out=weight)

    return mx.gluon.Trainer(model.collect_params(), Decoupled())


def clip_global(model):
    from mxnet.gluon.utils import clip_global_norm

    clip_global_norm([p.grad() for p in model.collect_params().values()], 0.1)


def clip_by_value(model):
    import mxnet as mx

    for p in model.collect_params().values():
        mx.nd.clip(p.grad(), -0.003, 0.003, out=p.grad())


def cosine(lr_scheduler):
    return lr_scheduler.CosineScheduler(max_update=10, base_lr=0.2, final_lr=0.01, warmup_steps=3)


def same_cosine(optimizer):
    import math

    def factor(done):
        at = done + 1
        if at < 3:
            return at / 3
        return (0.01 + 0.19 * (1 + math.cos(math.pi * (at - 3) / 7)) / 2) / 0.2

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def halving(lr_scheduler):
    return lr_scheduler.FactorScheduler(step=2, factor=0.5, base_lr=0.2)


def same_halving(optimizer):
    return torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)


MOMENTUM = {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}
OF_SGD = trainer("sgd", learning_rate=0.1, momentum=0.9, wd=0.01)
OF_ADAM = trainer("adam", learning_rate=0.01, epsilon=1e-30)
TRUE = {
    "SGD": (OF_SGD, of(SGD, **MOMENTUM)),
    "NAG": (trainer("nag", learning_rate=0.1, momentum=0.9), of(SGD, lr=0.1, momentum=0.9, nesterov=True)),
    "Adam": (OF_ADAM, of(Adam, lr=0.01, eps=1e-30)),
    "Adam with weight decay": (
        trainer("adam", learning_rate=0.01, epsilon=1e-30, wd=0.1),
        of(Adam, lr=0.01, eps=1e-30, weight_decay=0.1),
    ),
    "AdamW without decay": (OF_ADAM, of(AdamW, lr=0.01, eps=1e-30, weight_decay=0.0)),
    "AdamW by hand": (custom_mxnet, of(AdamW, lr=0.01, eps=1e-20, weight_decay=0.3)),
    "RMSProp": (trainer("rmsprop", learning_rate=0.01, epsilon=1e-30), of(RMSprop, lr=0.01, alpha=0.9, eps=1e-15)),
    "RMSProp, centered": (
        trainer("rmsprop", learning_rate=0.01, epsilon=1e-30, centered=True),
        of(RMSprop, lr=0.01, alpha=0.9, eps=1e-15, centered=True, momentum=0.9),
    ),
    "AdaGrad": (trainer("adagrad", learning_rate=0.1, eps=1e-30), of(Adagrad, lr=0.1, eps=1e-15)),
    "AdaDelta": (trainer("adadelta", rho=0.9, epsilon=1e-6), of(Adadelta, lr=1.0, rho=0.9, eps=1e-6)),
    "multi_precision": (
        trainer("sgd", learning_rate=0.1, momentum=0.9, wd=0.01, multi_precision=True),
        of(SGD, **MOMENTUM),
    ),
    "lr_mult of biases": (
        trainer("sgd", lr_mult=(1.0, 2.0), learning_rate=0.1, momentum=0.9, wd=0.01),
        grouped(SGD, {"lr": 0.2}, **MOMENTUM),
    ),
    "no decay of biases": (
        trainer("sgd", wd_mult=(1.0, 0.0), learning_rate=0.1, momentum=0.9, wd=0.01),
        grouped(SGD, {"weight_decay": 0.0}, **MOMENTUM),
    ),
    "rescale_grad folded into the rate": (
        trainer("sgd", learning_rate=0.1, momentum=0.9, rescale_grad=0.125),
        of(SGD, lr=0.0125, momentum=0.9),
    ),
    "clip_gradient in the step": (
        trainer("sgd", learning_rate=0.1, momentum=0.9, wd=0.01, clip_gradient=0.003),
        clipping(SGD, lambda params: clip_grad_value_(params, 0.003), **MOMENTUM),
    ),
    "warm-up and cosine": (
        trainer("adam", schedule=cosine, learning_rate=0.2, epsilon=1e-30),
        scheduled(Adam, same_cosine, lr=0.2, eps=1e-30),
    ),
    "a rate that falls, without momentum": (
        trainer("sgd", schedule=halving, learning_rate=0.2),
        scheduled(SGD, same_halving, lr=0.2),
    ),
}


def verdict(mxnet=None, own=None, **more):
    if mxnet is not None:
        more.update(mxnet_optimizer=mxnet, torch_optimizer=own)
    return crossfw.verify(mxnet_model, torch_model, inputs, **more)


def check(found, cause):
    assert not found
    assert [one.name for one in found.causes] == list(cause), str(found)


@pytest.mark.parametrize("name", TRUE)
def test_a_true_port_agrees(name):
    found = verdict(*TRUE[name], updates=6)
    assert found, str(found)


DEFAULT_EPSILON = {
    "Adam": (trainer("adam", learning_rate=0.01), of(Adam, lr=0.01)),
    "Adam under a schedule": (
        trainer("adam", schedule=cosine, learning_rate=0.2),
        scheduled(Adam, same_cosine, lr=0.2),
    ),
    "RMSProp": (trainer("rmsprop", learning_rate=0.01), of(RMSprop, lr=0.01, alpha=0.9)),
    "centered RMSProp": (
        trainer("rmsprop", learning_rate=0.01, centered=True),
        of(RMSprop, lr=0.01, alpha=0.9, centered=True, momentum=0.9),
    ),
    "AdaGrad": (trainer("adagrad", learning_rate=0.01), of(Adagrad, lr=0.01, eps=1e-7)),
}


def squares(size: float) -> dict:
    return {f"{framework}_loss": lambda output: (output * output).sum() * size for framework in ("mxnet", "torch")}


@pytest.mark.parametrize("name", DEFAULT_EPSILON)
@pytest.mark.parametrize("size", [1e3, 1e-3])
def test_the_place_of_a_default_epsilon_is_the_frameworks_own(name, size):
    """A guard against a division by zero, at another place on each side: said, and no fault of a port."""
    found = verdict(*DEFAULT_EPSILON[name], updates=4, **squares(size))
    assert found, str(found)
    assert any(line.startswith("the place of epsilon") for line in found.untested)


LARGE_EPSILON = {
    "Adam": (trainer("adam", learning_rate=0.01, epsilon=1e-3), of(Adam, lr=0.01, eps=1e-3)),
    "RMSProp": (
        trainer("rmsprop", learning_rate=0.01, epsilon=1e-3),
        of(RMSprop, lr=0.01, alpha=0.9, eps=1e-3),
    ),
}


@pytest.mark.parametrize("name", LARGE_EPSILON)
def test_the_place_of_a_large_epsilon_is_a_difference(name):
    check(verdict(*LARGE_EPSILON[name], updates=4, **squares(1.0)), ("optimizer epsilon",))


def test_an_epsilon_of_one_group_alone_is_a_difference():
    """MXNet's has one for all; torch's groups have one each, and only the first has MXNet's."""

    def in_groups(model):
        (first, *rest) = model.parameters()
        return Adam([{"params": [first]}, {"params": rest, "eps": 1e-4}], lr=0.01)

    found = verdict(trainer("adam", learning_rate=0.01), in_groups, updates=4, **squares(1.0))
    assert found.word == "differs", str(found)
    assert found.stage == "update"


def test_a_default_epsilon_hides_no_other_difference():
    pair = trainer("adam", learning_rate=0.01), of(Adam, lr=0.01, betas=(0.9, 0.99))
    check(verdict(*pair, updates=4, **squares(1e-3)), ("betas",))


# What no C float shows: each is a difference by itself, and is named.
WRONG = {
    "beta2 that hardly shows": (OF_ADAM, of(Adam, lr=0.01, eps=1e-30, betas=(0.9, 0.9999)), ("betas",)),
    "amsgrad": (OF_ADAM, of(Adam, lr=0.01, eps=1e-30, amsgrad=True), ("amsgrad",)),
    "a weight decay of 1e-5": (
        trainer("sgd", learning_rate=0.1, momentum=0.9, wd=1e-5),
        of(SGD, lr=0.1, momentum=0.9),
        ("weight decay",),
    ),
    "a rate off by 1e-8": (OF_SGD, of(SGD, **{**MOMENTUM, "lr": 0.100000001}), ("learning rate",)),
    "a momentum off by 1e-6": (OF_SGD, of(SGD, **{**MOMENTUM, "momentum": 0.900001}), ("momentum",)),
    "decay missing": (OF_SGD, of(SGD, lr=0.1, momentum=0.9), ("weight decay",)),
    "AdamW's default decay": (OF_ADAM, of(AdamW, lr=0.01, eps=1e-30), ("weight decay",)),
    "a decoupled decay": (
        trainer("adam", learning_rate=0.01, epsilon=1e-30, wd=0.1),
        of(AdamW, lr=0.01, eps=1e-30, weight_decay=0.1),
        ("weight decay",),
    ),
    "alpha": (trainer("rmsprop", learning_rate=0.01, epsilon=1e-30), of(RMSprop, lr=0.01, eps=1e-15), ("alpha",)),
    "centered": (
        trainer("rmsprop", learning_rate=0.01, epsilon=1e-30),
        of(RMSprop, lr=0.01, eps=1e-15, alpha=0.9, centered=True),
        ("centered",),
    ),
    "rho": (trainer("adadelta", rho=0.95, epsilon=1e-6), of(Adadelta, lr=1.0, rho=0.9, eps=1e-6), ("rho",)),
    "AdaDelta has no rate": (
        trainer("adadelta", rho=0.9, epsilon=1e-6, learning_rate=0.5),
        of(Adadelta, lr=0.5, rho=0.9, eps=1e-6),
        ("learning rate",),
    ),
    "lr_mult": (
        trainer("sgd", lr_mult=(1.0, 2.0), learning_rate=0.1, momentum=0.9, wd=0.01),
        of(SGD, **MOMENTUM),
        ("lr_mult",),
    ),
    "wd_mult": (
        trainer("sgd", wd_mult=(1.0, 0.0), learning_rate=0.1, momentum=0.9, wd=0.01),
        of(SGD, **MOMENTUM),
        ("weight decay on biases",),
    ),
    "rescale_grad": (
        trainer("sgd", learning_rate=0.1, momentum=0.9, wd=0.01, rescale_grad=0.125),
        of(SGD, **MOMENTUM),
        ("rescale_grad",),
    ),
    "clip_gradient": (
        trainer("sgd", learning_rate=0.1, momentum=0.9, wd=0.01, clip_gradient=100.0),
        of(SGD, **MOMENTUM),
        ("clip_gradient",),
    ),
    "clip_gradient of Adam, after the decay": (
        trainer("adam", learning_rate=0.1, epsilon=1e-12, wd=0.1, clip_gradient=0.01),
        of(Adam, lr=0.1, eps=1e-12, weight_decay=0.1),
        ("clip_gradient", "optimizer epsilon"),
    ),
    "clipping in the step alone": (
        OF_SGD,
        clipping(SGD, lambda params: clip_grad_norm_(params, 3.0), **MOMENTUM),
        ("optimizer step",),
    ),
    "a rate that falls in the buffer": (
        trainer("sgd", schedule=halving, learning_rate=0.2, momentum=0.9),
        scheduled(SGD, same_halving, lr=0.2, momentum=0.9),
        ("momentum",),
    ),
    "a schedule forgotten": (
        trainer("adam", schedule=cosine, learning_rate=0.2, epsilon=1e-30),
        of(Adam, lr=0.2, eps=1e-30),
        ("learning rate",),
    ),
    "NAG with weight decay": (
        trainer("nag", learning_rate=0.1, momentum=0.9, wd=0.1),
        of(SGD, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
        ("optimizer kind",),
    ),
    "two at once": (OF_ADAM, of(Adam, lr=0.02, eps=1e-30, betas=(0.8, 0.999)), ("learning rate", "betas")),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_setting_is_named(name):
    mxnet, own, causes = WRONG[name]
    found = verdict(mxnet, own, updates=4)
    check(found, causes)
    assert found.stage == ("several updates" if "falls" in name else "update")


def test_a_setting_that_does_not_show_in_numbers_is_a_difference():
    """Squared gradients that only grow never need amsgrad."""
    from crossfw.verification.optimizer_settings import Optimizers

    told = {"decay": 0.9, "kind": "adam", "own": True, "rescale": 1.0, "rates": [0.1], "scale": {}, "wd_mult": {}}
    mxnet = {**told, "settings": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}, "decays": {}}
    settings = {"lr": 0.1, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.0, "amsgrad": True}
    own = {"decay": 0.9, "class": "Adam", "library": "Adam", "own": True, "settings": {"w": settings}}
    (row,) = Optimizers(mxnet, own, {"w": "w"}, set()).rows("update", "float64")
    assert (row.tensor, row.grade, row.run) == ("amsgrad", "different", "settings")
    assert not Optimizers(mxnet, {**own, "own": False}, {"w": "w"}, set()).rows("update", "float64")


CLIPS = {
    "global norm": (clip_global, lambda m: clip_grad_norm_(m.parameters(), 0.1), True),
    "global norm, errors": (
        clip_global,
        lambda m: clip_grad_norm_(m.parameters(), 0.1, error_if_nonfinite=True),
        True,
    ),
    "by value": (clip_by_value, lambda m: clip_grad_value_(m.parameters(), 0.003), True),
    "another norm": (clip_global, lambda m: clip_grad_norm_(m.parameters(), 0.1001), False),
    "a norm that is hardly reached": (lambda m: None, lambda m: clip_grad_norm_(m.parameters(), 900.0), False),
    "by value for the norm": (clip_global, lambda m: clip_grad_value_(m.parameters(), 0.1), False),
    "each alone": (clip_global, lambda m: [clip_grad_norm_([p], 0.1) for p in m.parameters()], False),
    "not at all": (clip_by_value, lambda m: None, False),
}


@pytest.mark.parametrize("name", CLIPS)
def test_clipping_on_both_sides(name):
    mxnet_clip, torch_clip, true = CLIPS[name]
    found = verdict(OF_SGD, of(SGD, **MOMENTUM), mxnet_clip=mxnet_clip, torch_clip=torch_clip)
    if true:
        assert found, str(found)
        return
    check(found, ("clip threshold",))
    assert found.stage == "clipping"
    words = " ".join(f"{cause.found} {cause.remedy}" for cause in found.causes)
    assert "1000" not in words
    assert "10000" not in words


@pytest.mark.parametrize("limit", [0.01, 50.0])
def test_clipping_inside_the_trainer_against_torch_clip(limit):
    mxnet = trainer("sgd", learning_rate=0.1, momentum=0.9, wd=0.05, clip_gradient=limit)
    own = of(SGD, lr=0.1, momentum=0.9, weight_decay=0.05)
    assert verdict(mxnet, own, torch_clip=lambda m: clip_grad_value_(m.parameters(), limit))
    found = verdict(mxnet, own, torch_clip=lambda m: clip_grad_value_(m.parameters(), 2 * limit))
    check(found, ("clip_gradient",))


@pytest.mark.parametrize("side", ["mxnet", "torch"])
@pytest.mark.parametrize("optimizers", [(), (OF_SGD, of(SGD, **MOMENTUM))], ids=["default", "sgd"])
def test_clipping_on_one_side_alone_is_a_difference(side, optimizers):
    function = clip_global if side == "mxnet" else lambda m: clip_grad_norm_(m.parameters(), 1.0)
    check(verdict(*optimizers, **{f"{side}_clip": function}), ("clipping",))


def test_gradients_that_add_up_are_forgotten_before_each_update():
    def adding():
        model = mxnet_model()
        for p in model.collect_params().values():
            p.grad_req = "add"
        return model

    assert crossfw.verify(adding, torch_model, inputs, mxnet_optimizer=OF_SGD, torch_optimizer=of(SGD, **MOMENTUM))


def test_frozen_parameters():
    def frozen():
        model = mxnet_model()
        model[0].weight.grad_req = "null"
        return model

    def also():
        model = torch_model()
        model[0].weight.requires_grad_(False)
        return model

    own = lambda m: Adam([p for p in m.parameters() if p.requires_grad], lr=0.01, eps=1e-30)  # noqa: E731
    found = crossfw.verify(frozen, also, inputs, mxnet_optimizer=OF_ADAM, torch_optimizer=own)
    assert found, str(found)


@pytest.mark.parametrize("depth", [20, 60])
def test_a_deep_network_is_judged_up_to_its_horizon(depth):
    """Large weights make every layer chaotic: what is left of rounding grows with depth and with every update."""

    def deep_mxnet():
        from mxnet.gluon import nn as gluon_nn

        model = gluon_nn.HybridSequential()
        for _ in range(depth):
            model.add(gluon_nn.Dense(8, activation="tanh", in_units=8), gluon_nn.Dense(8, in_units=8))
        return model

    def deep_torch():
        layers = [(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 8)) for _ in range(depth)]
        return nn.Sequential(*(layer for three in layers for layer in three))

    def drawn(rng):
        return rng.standard_normal((4, 8))

    mxnet = trainer("sgd", learning_rate=5.0, momentum=0.9)
    found = crossfw.verify(
        deep_mxnet, deep_torch, drawn, mxnet_optimizer=mxnet, torch_optimizer=of(SGD, lr=5.0, momentum=0.9), updates=8
    )
    assert found, str(found)
    own = of(SGD, lr=5.0001, momentum=0.9)
    found = crossfw.verify(deep_mxnet, deep_torch, drawn, mxnet_optimizer=mxnet, torch_optimizer=own, updates=8)
    check(found, ("learning rate",))


def test_a_tensor_is_judged_up_to_its_own_horizon():
    from crossfw.verification.trajectories import Series, horizon, judged

    errors = (1e-14, 1e-12, 1e-3, 1.0)
    series = Series("w", "w", (1, 2, 3, 4), errors, (1e-10,) * 4)
    assert all(a < b for a, b in pairwise(errors))
    floors = np.array([1e-16, 1e-13, 2e-5, 1e-2])
    row = judged(series, floors, "float64")
    assert (row.grade, row.run) == ("equal", "after update 3")
    assert horizon(series, floors, "float64") == 3
    assert judged(series, np.zeros(4), "float64").grade == "different"
    assert judged(series, np.full(4, np.inf), "float64") is None

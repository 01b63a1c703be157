"""A heavy pair is compared under fewer draws; float32 is judged by the median of three all the same."""

from __future__ import annotations

from mxnet.gluon import nn as gluon_nn
from torch import nn

import crossfw
from crossfw.verification import rounding, sides


def mxnet_model():
    net = gluon_nn.HybridSequential()
    net.add(gluon_nn.Dense(4, in_units=3, activation="tanh"), gluon_nn.Dense(2, in_units=4))
    return net


def torch_model():
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


def inputs(rng):
    return rng.standard_normal((5, 3))


def test_one_draw_that_stands_out_in_float32_is_outvoted(monkeypatch):
    seen, judged = [], rounding.Rounding.judged_in_float32

    def standing_out(stages, stage, draw):
        seen.append((stage, draw.seed))
        found = judged(stages, stage, draw)
        far = rounding.Judged(1e6, 1.0, 1.0, True)
        return dict.fromkeys(found, far) if draw.seed == 0 else found

    monkeypatch.setattr(sides, "HEAVY", 0)
    monkeypatch.setattr(rounding.Rounding, "judged_in_float32", standing_out)
    verdict = crossfw.verify(mxnet_model, torch_model, inputs)
    assert verdict, str(verdict)
    assert seen == [(stage, seed) for stage in ("forward", "gradients") for seed in (0, 1, 2)]


def test_fewer_draws_and_updates_are_told(monkeypatch):
    monkeypatch.setattr(sides, "HEAVY", 0)
    verdict = crossfw.verify(mxnet_model, torch_model, inputs)
    assert verdict, str(verdict)
    assert "2 draws of inputs, 2 updates in a row" in verdict.tested[-1]
    assert {row.run for row in verdict.rows if (row.stage, row.dtype) == ("gradients", "float64")} == {"seed 0"}

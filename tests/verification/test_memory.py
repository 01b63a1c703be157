"""A pair of large models: the comparing process holds the arrays of one side at a time, and one side computes."""

from __future__ import annotations

import tracemalloc

from crossfw.verification import sides
from crossfw.verification.run import verify_pair

WIDTH, LAYERS = 1024, 4
PORT = f"""
WIDTH, LAYERS = {WIDTH}, {LAYERS}


def mxnet_model():
    from mxnet.gluon import nn

    net = nn.HybridSequential()
    for _ in range(LAYERS):
        net.add(nn.Dense(WIDTH, activation="tanh", in_units=WIDTH))
    return net


def torch_model():
    import torch

    layers = [[torch.nn.Linear(WIDTH, WIDTH), torch.nn.Tanh()] for _ in range(LAYERS)]
    return torch.nn.Sequential(*[layer for both in layers for layer in both])


def inputs(rng):
    return rng.standard_normal((2, WIDTH))
"""


def test_the_arrays_of_one_side_at_a_time_are_held(tmp_path, monkeypatch):
    monkeypatch.setattr(sides, "LARGE", 1 << 20)
    path = tmp_path / "port.py"
    path.write_text(PORT)
    with sides.worker_sides(str(path), {}, threads=1) as pair:
        tracemalloc.start()
        try:
            verdict = verify_pair(pair, "large")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert verdict, str(verdict)
    assert not pair.at_once
    one_side = 8 * LAYERS * (WIDTH + 1) * WIDTH
    assert peak < 1.6 * one_side

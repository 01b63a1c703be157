"""A small true port, as the text of a port file; tests change lines of it."""

from __future__ import annotations

from pathlib import Path

SMALL = """
import numpy as np


def mxnet_model():
    from mxnet.gluon import nn
    net = nn.HybridSequential()
    net.add(nn.Dense(6, activation="tanh"), nn.Dense(3))
    return net


def torch_model():
    import torch
    return torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 3))


def inputs(rng, batch_size):
    return rng.standard_normal((batch_size, 4))
"""


def write_port(folder: Path, *changes: tuple[str, str], more: str = "") -> Path:
    """The small port with lines replaced; every change must find its line."""
    text = SMALL
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "port.py"
    path.write_text(text + more)
    return path

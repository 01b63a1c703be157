"""Dropout between the layers of torch's recurrent networks, which no function shows: it is switched off in a run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from crossfw.ports.masks import Masks

NOTE = "dropout inside recurrent layers is switched off, its rates are compared"


@contextlib.contextmanager
def without_dropout(model: torch.nn.Module, masks: Masks) -> Iterator[None]:
    """Within it recurrent networks drop nothing; `masks` keeps the remark."""
    rates = [
        (layer, layer.dropout) for layer in model.modules() if isinstance(layer, torch.nn.RNNBase) and layer.dropout
    ]
    for layer, _ in rates:
        layer.dropout = 0.0
    if rates and model.training:
        masks.note(NOTE)
    try:
        yield
    finally:
        for layer, rate in rates:
            layer.dropout = rate

"""Constants of torch's layers as MXNet's operators hold them.

LayerNorm and GroupNorm keep epsilon as a C float in MXNet (src/operator/nn/layer_norm-inl.h, group_norm-inl.h), so that
1e-5 is 9.99999974e-6 there in every dtype. Where a row hardly varies that shows in float64.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import torch


@contextlib.contextmanager
def float_epsilons(model: torch.nn.Module) -> Iterator[None]:
    """Within it epsilon of LayerNorm and GroupNorm is rounded to float32."""
    layers = [m for m in model.modules() if isinstance(m, (torch.nn.LayerNorm, torch.nn.GroupNorm))]
    kept = [layer.eps for layer in layers]
    for layer in layers:
        layer.eps = float(np.float32(layer.eps))
    try:
        yield
    finally:
        for layer, eps in zip(layers, kept):
            layer.eps = eps

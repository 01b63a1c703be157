"""Batch normalisation's running variance as MXNet keeps it.

Both frameworks normalise with the variance over the n values of a channel, sum (x - mean)^2 / n. Into the running
variance MXNet puts the same number, torch the unbiased one, n / (n - 1) times as large (torch
`nn/modules/batchnorm.py`; MXNet `src/operator/nn/batch_norm.cc`). Every port has this difference. While a pair is
verified torch's is taken back to the biased one, so that momentum, order and layout of the statistics can be compared
exactly.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from crossfw.ports.masks import Masks

NOTE = (
    "BatchNorm: torch's running variance is the unbiased one, n / (n - 1) times MXNet's; this known difference is "
    "taken out before the running statistics are compared"
)


@contextlib.contextmanager
def biased(model: torch.nn.Module, masks: Masks) -> Iterator[None]:
    """Within it every BatchNorm in training mode keeps the biased variance."""
    handles, before = [], {}

    def remember(module: torch.nn.Module, _: tuple) -> None:
        if module.training and module.running_var is not None:
            before[id(module)] = module.running_var.clone()

    def correct(module: torch.nn.Module, inputs: tuple, _: torch.Tensor) -> None:
        old = before.pop(id(module), None)
        if old is None:
            return
        values = inputs[0].numel() // inputs[0].shape[1]
        m = module.momentum if module.momentum is not None else 1.0 / float(module.num_batches_tracked)
        kept, moved = (1 - m) * old, module.running_var.data  # as data: backward does not look at it in this mode
        moved.copy_(kept + (moved - kept) * (values - 1) / values)
        masks.note(NOTE)

    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            handles += [module.register_forward_pre_hook(remember), module.register_forward_hook(correct)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()

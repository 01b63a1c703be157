"""Dropout under the verifier's control: masks from shared uniform numbers, so that both sides drop the same units."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch.nn import functional

from crossfw.ports.masks import Masks


@contextlib.contextmanager
def shared_dropout(masks: Masks) -> Iterator[None]:
    """Within it every dropout of torch's functional interface multiplies with a mask of `masks`."""

    def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        return _apply(masks, input, p, training, tuple(input.shape))

    def feature_dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        return _apply(masks, input, p, training, (*input.shape[:2], *[1] * (input.dim() - 2)))

    plain_attention = functional.scaled_dot_product_attention

    def attention(
        query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0, *rest: Any, **more: Any
    ) -> Any:
        if dropout_p > 0:
            masks.note("torch's scaled_dot_product_attention: its dropout is switched off")
        return plain_attention(query, key, value, attn_mask, 0.0, *rest, **more)

    replaced = {"dropout": dropout, "scaled_dot_product_attention": attention}
    replaced.update(dict.fromkeys(("dropout1d", "dropout2d", "dropout3d"), feature_dropout))
    with swapped((functional,), replaced), swapped((torch,), {"dropout": dropout}):
        yield


def _apply(masks: Masks, array: Any, p: float, training: bool, shape: tuple) -> Any:
    if not training or p == 0:
        return array
    return array * torch.as_tensor(masks.draw(shape, p), dtype=array.dtype, device=array.device)


@contextlib.contextmanager
def swapped(modules: tuple, replaced: dict) -> Iterator[None]:
    """Within it the modules' attributes are those of `replaced`."""
    kept = [(module, name, getattr(module, name)) for module in modules for name in replaced if hasattr(module, name)]
    try:
        for module, name, _ in kept:
            setattr(module, name, replaced[name])
        yield
    finally:
        for module, name, value in kept:
            setattr(module, name, value)

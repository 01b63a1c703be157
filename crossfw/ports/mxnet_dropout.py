"""Dropout under the verifier's control: masks from shared uniform numbers, so that both sides drop the same units."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import mxnet as mx
from mxnet import autograd

from crossfw.ports.masks import Masks


@contextlib.contextmanager
def shared_dropout(masks: Masks) -> Iterator[None]:
    """Within it every imperative dropout operator multiplies with a mask of `masks`."""

    def dropout(data: Any, p: float = 0.5, mode: str = "training", axes: tuple = (), **_: Any) -> Any:
        if p == 0 or not (autograd.is_training() or mode == "always"):
            return data
        shape = tuple(1 if axis in axes else size for axis, size in enumerate(data.shape))
        mask = masks.draw(shape, p)
        if isinstance(data, mx.np.ndarray):
            return data * mx.np.array(mask, dtype=data.dtype)
        return mx.nd.broadcast_mul(data, mx.nd.array(mask, dtype=data.dtype))

    places = [(module, "Dropout") for module in (mx.nd, mx.nd.op)]
    places += [(module, "dropout") for module in (mx.npx, mx.nd.numpy_extension)]
    kept = [(module, name, getattr(module, name)) for module, name in places if hasattr(module, name)]
    try:
        for module, name, _ in kept:
            setattr(module, name, dropout)
        yield
    finally:
        for module, name, value in kept:
            setattr(module, name, value)

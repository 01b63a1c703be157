"""Products with weights, and their gradients: large ones by oneDNN.

`mm` runs on MKL, which takes up to 2.3 times as long on some processors. `nn.LSTM` and MXNet's layers use oneDNN too.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable

LARGE_PRODUCT = 6_000_000  # multiplications; for fewer the call takes longer than what it saves


def has_onednn(like: torch.Tensor) -> bool:
    """Whether large products of tensors such as this one are left to oneDNN."""
    return like.device.type == "cpu" and like.dtype == torch.float32 and torch.backends.mkldnn.is_available()


def laid_out(W: torch.Tensor) -> torch.Tensor:
    """W (rows, columns) for `onednn_product`."""
    return torch.ops.mkldnn._reorder_linear_weight(W)


def onednn_product(x: torch.Tensor, W: torch.Tensor, b: torch.Tensor | None = None) -> torch.Tensor:
    """x W^T + b."""
    return torch.ops.mkldnn._linear_pointwise(x, W, b, "none", [], "")


def product(x: torch.Tensor, W: torch.Tensor, b: torch.Tensor | None = None) -> torch.Tensor:
    """x W^T + b for x (..., D), W (rows, D) and b (rows,); without a graph, see `affine`."""
    if x.numel() * len(W) >= LARGE_PRODUCT and has_onednn(x):
        return onednn_product(x, W, b)
    rows = x.flatten(0, -2)
    return (rows @ W.T if b is None else torch.addmm(b, rows, W.T)).unflatten(0, x.shape[:-1])


class Affine(torch.autograd.Function):
    """x W^T + b with its gradients, once; those of W and b are sums over all rows of x."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, W: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """The outputs (..., rows)."""
        ctx.save_for_backward(x, W)
        return product(x, W, b)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """The gradients of x, if it is asked for, W and b."""
        x, W = ctx.saved_tensors
        d_x = product(d, W.T) if ctx.needs_input_grad[0] else None
        return d_x, outer(d, x), d.flatten(0, -2).sum(dim=0)


def affine(x: torch.Tensor, W: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """x W^T + b for x (..., D), W (rows, D) and b (rows,)."""
    return Affine.apply(x, W, b)


def outer(d: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    """The sum over all rows of d h^T, as one product, for d (..., rows) and h (..., columns)."""
    d, h = d.flatten(0, -2), h.flatten(0, -2)
    if d.shape[1] * h.numel() < LARGE_PRODUCT or not has_onednn(d):
        return d.T @ h
    if d.shape[1] <= h.shape[1]:  # the first factor, the narrower one, is copied transposed; the second may be a view
        return onednn_product(d.T, h.contiguous().T)
    return onednn_product(h.T, d.contiguous().T).T

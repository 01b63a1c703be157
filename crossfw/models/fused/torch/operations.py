"""What the cells' steps in PyTorch are made of beside its elementary operations."""

from __future__ import annotations

from functools import partial
from typing import Callable

import torch

from crossfw.models.fused.torch.products import has_onednn, laid_out, onednn_product
from crossfw.models.stack.spec import Place

Adder = Callable[[torch.Tensor, torch.Tensor], object]  # changes the first by a product with the second
FEW_STEPS, LARGE_STEP = 4, 2**22  # steps, and multiplications in each, from which on oneDNN pays
LARGE_MATRIX = 2**18  # elements; a smaller one transposed is as well read where it is as laid out by a copy


def sigmoid_back(d: torch.Tensor, y: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
    """d y (1 - y): the derivative of y = sigmoid(a), in one operation."""
    if out is None:
        return torch.ops.aten.sigmoid_backward(d, y)
    return torch.ops.aten.sigmoid_backward.grad_input(d, y, grad_input=out)


def tanh_back(d: torch.Tensor, y: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
    """d (1 - y^2): the derivative of y = tanh(a), in one operation."""
    if out is None:
        return torch.ops.aten.tanh_backward(d, y)
    return torch.ops.aten.tanh_backward.grad_input(d, y, grad_input=out)


def added_by_token(d: torch.Tensor, tokens: torch.Tensor, count: int) -> torch.Tensor:
    """The sums of the rows of d (positions, columns) with the same token, (count, columns), always in the same order.

    On a graphics card `index_add_` adds in whatever order its threads come.
    """
    rows = d.new_zeros(count, d.shape[1])
    if d.is_cuda:
        return rows.index_put_((tokens,), d, accumulate=True)
    return rows.index_add_(0, tokens, d)


def by_gate(W: torch.Tensor, gates: int) -> torch.Tensor:
    """W^T of every gate, (G, D, H) from W (G H, D), laid out for products in a loop and for the look-up of rows."""
    return W.unflatten(0, (gates, -1)).transpose(1, 2).contiguous()


def by_sum(d_sums: torch.Tensor, gates: int) -> torch.Tensor:
    """A view (T, G, N, H) of d_sums (T, N, G H)."""
    return d_sums.unflatten(-1, (gates, -1)).transpose(1, 2)


def uses_onednn(place: Place, like: torch.Tensor) -> bool:
    """Whether the loops over `like` (T, N, ...) leave products with W_hh to oneDNN.

    It has the matrix laid out for it once; `mm` lays it out anew for every product.
    """
    steps, size = like.shape[:2]
    work = size * place.spec.GATES * place.hidden_size**2
    return steps >= FEW_STEPS and work >= LARGE_STEP and has_onednn(like)


def adder(W: torch.Tensor, gates: int, onednn: bool) -> Adder:
    """What adds h W^T to sums (G, N, H) where they stand, for h (N, D) and W (G H, D); of one gate, to sums (N, H).

    A product of its own for each gate keeps the threads of `mm` apart: one product of all and a sum take 1.2 to 2
    times as long.
    """
    if onednn:
        return partial(_add_onednn, laid_out(W), gates)
    return partial(_add_by_gate, by_gate(W, gates)) if gates > 1 else partial(_add, W.T.contiguous())


def _add_onednn(W: torch.Tensor, gates: int, sums: torch.Tensor, h: torch.Tensor) -> None:
    added = onednn_product(h, W)
    sums.add_(added.view(len(h), gates, -1).transpose(0, 1) if gates > 1 else added)


def _add_by_gate(W_T: torch.Tensor, sums: torch.Tensor, h: torch.Tensor) -> None:
    sums.baddbmm_(h.expand_as(sums), W_T)


def _add(W_T: torch.Tensor, sums: torch.Tensor, h: torch.Tensor) -> None:
    sums.addmm_(h, W_T)


def adder_back(place: Place, W: torch.Tensor, like: torch.Tensor) -> Adder:
    """What adds d W to the gradient of h, for d (N, G H) and W (G H, H), in the loops over `like`."""
    if uses_onednn(place, like):
        W_T = laid_out(W.T) if W.numel() > LARGE_MATRIX else W.T
        return lambda d_h, d: d_h.add_(onednn_product(d, W_T))
    return lambda d_h, d: d_h.addmm_(d, W)

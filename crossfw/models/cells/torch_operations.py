"""What the cells' steps in PyTorch are made of beside its elementary operations."""

from __future__ import annotations

from functools import partial
from typing import Callable

import torch

from crossfw.models.stack.spec import Place

Adder = Callable[[torch.Tensor, torch.Tensor], object]  # changes the first by a product with the second
WORTH_HALVING = 256  # columns; fewer are sooner multiplied at once
FEW_STEPS, LARGE_PRODUCT = 4, 2**22  # multiplications; below either, laying out a matrix does not pay


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
    """Whether the loops over `like` (T, N, ...) leave products with W_hh to oneDNN: large ones, in float32 on a CPU.

    It has the matrix laid out for it once, as in the libraries' layers; `mm` lays it out anew for every product, and
    takes up to 2.3 times as long.
    """
    (steps, size), work = like.shape[:2], place.spec.GATES * place.hidden_size**2
    fit = like.device.type == "cpu" and like.dtype == torch.float32 and torch.backends.mkldnn.is_available()
    return fit and steps >= FEW_STEPS and size * work >= LARGE_PRODUCT


def laid_out(W: torch.Tensor) -> torch.Tensor:
    """W (rows, columns) for `onednn_product`."""
    return torch.ops.mkldnn._reorder_linear_weight(W)


def onednn_product(x: torch.Tensor, W: torch.Tensor) -> torch.Tensor:
    """x W^T."""
    return torch.ops.mkldnn._linear_pointwise(x, W, None, "none", [], "")


def adder(W: torch.Tensor, gates: int, onednn: bool) -> Adder:
    """What adds h W^T to sums (G, N, H) where they stand, for h (N, D) and W (G H, D); of one gate, to sums (N, H).

    A product of its own for each gate keeps the threads of `mm` apart: one product of all and a sum take 1.2 to 2
    times as long.
    """
    if onednn:
        return partial(_add_onednn, laid_out(W), gates)
    return partial(_add_by_gate, by_gate(W, gates)) if gates > 1 else partial(_add, W.T.contiguous())


def _add_onednn(W: torch.Tensor, gates: int, sums: torch.Tensor, h: torch.Tensor) -> None:
    product = onednn_product(h, W)
    sums.add_(product.view(len(h), gates, -1).transpose(0, 1) if gates > 1 else product)


def _add_by_gate(W_T: torch.Tensor, sums: torch.Tensor, h: torch.Tensor) -> None:
    sums.baddbmm_(h.expand_as(sums), W_T)


def _add(W_T: torch.Tensor, sums: torch.Tensor, h: torch.Tensor) -> None:
    sums.addmm_(h, W_T)


def adder_back(place: Place, W: torch.Tensor, like: torch.Tensor) -> Adder:
    """What adds d W to the gradient of h, `in_halves`, for d `for_halves` and W (G H, H), in the loops over `like`."""
    if uses_onednn(place, like):
        W_T = laid_out(W.T)
        return lambda d_h, d: d_h.add_(onednn_product(d, W_T))
    W = in_halves(W, halves(place, like))
    return lambda d_h, d: d_h.baddbmm_(d, W)


def halves(place: Place, like: torch.Tensor) -> int:
    """In how many pieces the loops over `like` (T, N, ...) have the gradients of states, see `in_halves`."""
    columns = place.hidden_size
    return 1 if columns % 2 or columns < WORTH_HALVING or uses_onednn(place, like) else 2


def in_halves(x: torch.Tensor, pieces: int) -> torch.Tensor:
    """Both halves of the columns as a view (..., 2, N, H / 2) of x (..., N, H); in one piece (..., 1, N, H).

    A product with each half of a matrix keeps the threads of `mm` apart.
    """
    return x.unflatten(-1, (pieces, -1)).movedim(-2, -3)


def from_halves(x: torch.Tensor) -> torch.Tensor:
    """The inverse of `in_halves`."""
    return x.movedim(-3, -2).flatten(-2)


def for_halves(d: torch.Tensor, pieces: int) -> torch.Tensor:
    """d (T, N, K) as a view (T, 2, N, K), for products with both halves of a matrix (K, columns)."""
    return d[:, None].expand(-1, pieces, -1, -1)


def outer(d: torch.Tensor, h: torch.Tensor, onednn: bool) -> torch.Tensor:
    """The sum over steps and sequences of d_t h_t^T, as one product, for d (T, N, G H) and h (T, N, columns)."""
    d, h = d.flatten(0, 1), h.flatten(0, 1)
    return onednn_product(h.T, d.contiguous().T).T if onednn else d.T @ h

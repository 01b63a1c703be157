"""What the cells' steps in PyTorch are made of beside its elementary operations."""

from __future__ import annotations

import torch

WORTH_HALVING = 256  # columns; fewer are sooner multiplied at once


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


def add_products(sums: torch.Tensor, h: torch.Tensor, W_T: torch.Tensor) -> None:
    """sums + h W^T, where the sums (G, N, H) stand, for h (N, H) and W^T (G, H, H).

    A product of its own for each gate keeps the threads apart: one product of all and a sum take 1.2 to 2 times as
    long.
    """
    sums.baddbmm_(h.expand_as(sums), W_T)


def halves(columns: int) -> int:
    """In how many pieces `in_halves` has a matrix."""
    return 1 if columns % 2 or columns < WORTH_HALVING else 2


def in_halves(x: torch.Tensor) -> torch.Tensor:
    """Both halves of the columns as a view (..., 2, N, H / 2) of x (..., N, H); (..., 1, N, H) where H is odd or small.

    A product with each half of a matrix keeps the threads apart.
    """
    return x.unflatten(-1, (halves(x.shape[-1]), -1)).movedim(-2, -3)


def from_halves(x: torch.Tensor) -> torch.Tensor:
    """The inverse of `in_halves`."""
    return x.movedim(-3, -2).flatten(-2)


def for_halves(d: torch.Tensor, columns: int) -> torch.Tensor:
    """d (T, N, K) as a view (T, 2, N, K), for products with both halves of a matrix (K, columns)."""
    return d[:, None].expand(-1, halves(columns), -1, -1)


def outer(d: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    """The sum over steps and sequences of d_t h_t^T, as one product, for d (T, N, G H) and h (T, N, columns)."""
    return d.flatten(0, 1).T @ h.flatten(0, 1)

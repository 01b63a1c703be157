"""What the cells' steps in PyTorch are made of, beside its elementary operations, each in its fastest form."""

from __future__ import annotations

import torch

ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def product(x: torch.Tensor, W: torch.Tensor, plus: torch.Tensor | None = None) -> torch.Tensor:
    """x W^T [+ plus] for x (N, D), W (rows, D) and plus (N, rows), without a graph.

    In float32 on a CPU by oneDNN where torch has it, as the library's LSTM: `mm` runs on MKL, which uses half of the
    vector width on processors of other makers. oneDNN wants rows of x that follow each other in memory.
    """
    if ONEDNN and x.dtype == torch.float32 and x.device.type == "cpu":
        y = torch.ops.mkldnn._linear_pointwise(x, W, None, "none", [], "")
        return y if plus is None else y.add_(plus)
    return x @ W.T if plus is None else torch.addmm(plus, x, W.T)


def product_back(d: torch.Tensor, W: torch.Tensor) -> torch.Tensor:
    """d W for d (N, G H) and W (G H, columns)."""
    return product(d, W.T)


def outer(d: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    """The sum over steps and sequences of d_t h_t^T, as one product, for d (T, N, G H) and h (T, N, columns)."""
    return product(d.flatten(0, 1).T, h.flatten(0, 1).T)

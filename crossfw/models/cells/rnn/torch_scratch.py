"""The step from tensors and elementary operations, and its back-propagation."""

from __future__ import annotations

import torch

from crossfw.models.cells.torch_operations import outer, product, product_back
from crossfw.models.stack.spec import Place

ACTIVATIONS = {
    "tanh": torch.tanh_,
    "relu": torch.relu_,
    "sigmoid": torch.sigmoid_,
    "identity": lambda a: a,
}

# f'(a) written in h = f(a)
DERIVATIVES = {
    "tanh": lambda h: 1 - h * h,
    "relu": lambda h: (h > 0).to(h.dtype),
    "sigmoid": lambda h: h * (1 - h),
    "identity": torch.ones_like,
}
KEPT: dict[str, int] = {}
SUMS = {"a": 1}


def step(place: Place, p: dict, projected: torch.Tensor, state: dict, out: dict) -> None:
    """The next state {h (N, H)} from the projected input (N, H) and the state, written to `out`."""
    out["h"].copy_(ACTIVATIONS[place.activation](product(state["h"], p["W_hh"], projected)))


def factors(place: Place, kept: dict, before: dict, hidden: torch.Tensor) -> dict:
    """What the gradients of all steps (T, N, ...) are multiplied with: f'(a)."""
    return {"a": DERIVATIVES[place.activation](hidden)}


def step_backward(place: Place, p: dict, factor: dict, d_state: dict, d_sums: dict) -> dict:
    """The gradient of the state before, from that of the state after; that of the sum a (N, H) is written.

    d_a = f'(a) d_h;  d_h_{t-1} = W_hh^T d_a.
    """
    d_a = torch.mul(d_state["h"], factor["a"], out=d_sums["a"])
    return {"h": product_back(d_a, p["W_hh"])}


def gradients(place: Place, kept: dict, before: dict, d_sums: dict) -> tuple[torch.Tensor, dict]:
    """The gradients of the projected inputs (T, N, H), and of W_hh over all steps."""
    return d_sums["a"], {"W_hh": outer(d_sums["a"], before["h"])}

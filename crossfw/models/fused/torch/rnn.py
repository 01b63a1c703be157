"""The step from tensors and elementary operations, and its back-propagation."""

from __future__ import annotations

import torch

from crossfw.models.fused.torch.operations import (
    Adder,
    adder,
    adder_back,
    sigmoid_back,
    tanh_back,
    uses_onednn,
)
from crossfw.models.fused.torch.products import outer
from crossfw.models.stack.spec import Place

# f(a), written to `out`
ACTIVATIONS = {
    "tanh": torch.tanh,
    "relu": lambda a, out=None: torch.clamp_min(a, 0, out=out),
    "sigmoid": torch.sigmoid,
    "identity": lambda a, out=None: a if out is None else out.copy_(a),
}

# d f'(a) with f'(a) written in h = f(a), written to `out`
DERIVATIVES = {
    "tanh": tanh_back,
    "relu": lambda d, h, out: torch.mul(d, h > 0, out=out),
    "sigmoid": sigmoid_back,
    "identity": lambda d, h, out: out.copy_(d),
}
KEPT: dict[str, int] = {}


def prepare(place: Place, p: dict, like: torch.Tensor) -> Adder:
    """What all steps over `like` (T, N, H) share: the product with W_hh^T."""
    return adder(p["W_hh"], 1, uses_onednn(place, like))


def parts(place: Place, projected: torch.Tensor, kept: dict) -> tuple:
    """What a step reads and writes besides the states, for all steps, from the projected inputs (T, 1, N, H)."""
    return (projected[:, 0],)


def step(place: Place, add: Adder, part: tuple, state: tuple, new: tuple) -> None:
    """The next state (h (N, H),) from the projected input (N, H) and the state."""
    (a,), (h,), (new_h,) = part, state, new
    add(a, h)
    ACTIVATIONS[place.activation](a, out=new_h)


def prepare_backward(place: Place, p: dict, like: torch.Tensor) -> Adder:
    """What all steps of back-propagation share: the product with W_hh."""
    return adder_back(place, p["W_hh"], like)


def d_widths(place: Place) -> dict[str, int]:
    """What is kept for the steps of back-propagation, with its width in H: nothing."""
    return {}


def d_parts(place: Place, d_sums: torch.Tensor, d_kept: dict) -> tuple:
    """What a step of back-propagation writes besides the state's gradient, for all steps: those of the sums."""
    return (d_sums,)


def reread(place: Place, part: tuple) -> tuple:
    """What a step of back-propagation reads of the forward pass, for all steps: nothing."""
    return ()


def factors(place: Place, part: tuple, before: dict, hidden: torch.Tensor, d_sums: torch.Tensor, d_kept: dict) -> None:
    """f'(a) of all steps, which the gradients will be multiplied with, where those of the sums will stand."""
    DERIVATIVES[place.activation](hidden.new_ones(()).expand_as(hidden), hidden, out=d_sums)


def step_backward(place: Place, add: Adder, d_part: tuple, d_state: tuple, d_old: torch.Tensor) -> None:
    """From the gradient of the new state that of the sum a (N, H); what reaches the old h is added to its gradient.

    d_a = f'(a) d_h;  d_h_{t-1} = W_hh^T d_a.
    """
    (d_a,), (d_h,) = d_part, d_state
    d_a.mul_(d_h)
    add(d_old, d_a)


def gradients(place: Place, kept: dict, old: dict, d_sums: torch.Tensor, d_kept: dict) -> dict:
    """The gradient of W_hh, over all steps at once."""
    return {"W_hh": outer(d_sums, old["h"])}

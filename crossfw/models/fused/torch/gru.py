"""The step from tensors and elementary operations, and its back-propagation."""

from __future__ import annotations

import torch

from crossfw.models.fused.torch.operations import (
    adder,
    adder_back,
    by_sum,
    sigmoid_back,
    tanh_back,
    uses_onednn,
)
from crossfw.models.fused.torch.products import outer
from crossfw.models.stack.spec import Place

KEPT = {"inner": 1}  # what stands beside x_n: in a product with r (reset after), or r h (before)


def prepare(place: Place, p: dict, like: torch.Tensor) -> tuple:
    """What all steps over `like` (T, N, H) share: the products with W_hh^T of r and z, and of n; and their biases.

    The biases (1, H) are zeros where they are with the inputs.
    """
    onednn, (W_rz, W_n) = uses_onednn(place, like), by_use(place, p["W_hh"], 0)
    b = p["b_hh"] if place.reset == "after" and place.biases == 2 else p["W_hh"].new_zeros(len(p["W_hh"]))
    b = b.unflatten(0, (3, 1, -1))
    return adder(W_rz, 2, onednn), adder(W_n, 1, onednn), b[:2], b[2]


def by_use(place: Place, array: torch.Tensor, dim: int) -> tuple[torch.Tensor, torch.Tensor]:
    """What belongs to r and z, and to n, of all gates' rows or columns."""
    return array.split((2 * place.hidden_size, place.hidden_size), dim=dim)


def parts(place: Place, projected: torch.Tensor, kept: dict) -> tuple:
    """What a step reads and writes besides the state, for all steps: the projected inputs become r, z and n."""
    return projected[:, :2], *projected.unbind(1), kept["inner"]


def step(place: Place, shared: tuple, part: tuple, state: tuple, new: tuple) -> None:
    """The next state (h (N, H),) from the projected input (3, N, H) and the state."""
    (rz, r, z, n, inner), (h,), (new_h,), (add_rz, add_n, b, b_n) = part, state, new, shared
    add_rz(rz, h)
    if place.reset == "after":
        rz.add_(b).sigmoid_()
        add_n(inner.copy_(b_n), h)
        n.addcmul_(r, inner)
    else:
        rz.sigmoid_()
        add_n(n, torch.mul(r, h, out=inner))
    torch.lerp(n.tanh_(), h, z, out=new_h)


def prepare_backward(place: Place, p: dict, like: torch.Tensor) -> tuple:
    """What all steps of back-propagation share: the products with W_hh of r and z, and of n."""
    return tuple(adder_back(place, W, like) for W in by_use(place, p["W_hh"], 0))


def d_widths(place: Place) -> dict[str, int]:
    """What is kept for the steps of back-propagation, with its width in H: the gradient of `inner` (reset after)."""
    return {"inner": 1} if place.reset == "after" else {}


def d_parts(place: Place, d_sums: torch.Tensor, d_kept: dict) -> tuple:
    """What a step of back-propagation writes besides the state's gradient, for all steps.

    For the products the gradients of the sums of r and z, and of `inner` (reset after) or n (before); what d_h alone is
    multiplied with; and the gradient of `inner` (after), or what that is multiplied with (before).
    """
    (d_rz, _), d_gates = by_use(place, d_sums, -1), by_sum(d_sums, 3)
    d_r, _, d_n = d_gates.unbind(1)
    if place.reset == "after":
        by_h, by_inner, from_n = d_gates, d_kept["inner"], d_kept["inner"]
    else:
        by_h, by_inner, from_n = d_gates[:, 1:], d_r, d_n
    return d_rz, from_n, by_h, by_inner


def reread(place: Place, part: tuple) -> tuple:
    """What a step of back-propagation reads of the forward pass, for all steps: z, and r."""
    _, r, z, *_ = part
    return z, r


def factors(place: Place, part: tuple, before: dict, hidden: torch.Tensor, d_sums: torch.Tensor, d_kept: dict) -> None:
    """What d_h and the gradient of `inner` will be multiplied with, where the gradients of the sums will stand."""
    (_, r, z, n, inner), h, (d_r, d_z, d_n) = part, before["h"], by_sum(d_sums, 3).unbind(1)
    tanh_back(1 - z, n, out=d_n)
    sigmoid_back(h - n, z, out=d_z)
    if place.reset == "after":
        sigmoid_back(d_n * inner, r, out=d_r)
        torch.mul(d_n, r, out=d_kept["inner"])
    else:
        sigmoid_back(h, r, out=d_r)


def step_backward(place: Place, shared: tuple, d_part: tuple, d_state: tuple, d_old: torch.Tensor) -> None:
    """From the gradient of the new state those of the sums (N, 3H); what reaches the old h is added to its gradient.

    d_n = (1 - z) d_h, d_z = (h_{t-1} - n) d_h, and d_r is what multiplies r inside tanh; each through its own
    derivative.
    """
    (d_rz, from_n, by_h, by_inner, z, r), (d_h,), (add_rz, add_n) = d_part, d_state, shared
    by_h.mul_(d_h)
    if place.reset == "after":
        by_inner.mul_(d_h)
        add_n(d_old.addcmul_(d_h, z), from_n)
    else:
        add_n(d_inner := torch.zeros_like(d_h), from_n)
        by_inner.mul_(d_inner)
        d_old.addcmul_(d_h, z).addcmul_(d_inner, r)
    add_rz(d_old, d_rz)


def gradients(place: Place, kept: dict, old: dict, d_sums: torch.Tensor, d_kept: dict) -> dict:
    """The gradients of W_hh, and of b_hh where it is no part of the projected inputs, over all steps at once."""
    d_rz, d_n = by_use(place, d_sums, -1)
    rows = outer(d_rz, old["h"])
    if place.reset == "before":
        return {"W_hh": torch.cat([rows, outer(d_n, kept["inner"])])}
    d_inner = d_kept["inner"]
    b_hh = torch.cat([d_rz.sum(dim=(0, 1)), d_inner.sum(dim=(0, 1))]) if place.biases == 2 else None
    return {"W_hh": torch.cat([rows, outer(d_inner, old["h"])]), "b_hh": b_hh}

"""The step from tensors and elementary operations, and its back-propagation."""

from __future__ import annotations

import torch

from crossfw.models.fused.torch.operations import (
    Adder,
    adder,
    by_sum,
    sigmoid_back,
    tanh_back,
    uses_onednn,
)
from crossfw.models.fused.torch.rnn import gradients, prepare_backward  # noqa: F401  (W_hh meets h in every gate)
from crossfw.models.stack.spec import Place

KEPT = {"tanh_c": 1}
BACK = (sigmoid_back, sigmoid_back, tanh_back, sigmoid_back)  # of i, f, g, o


def prepare(place: Place, p: dict, like: torch.Tensor) -> Adder:
    """What all steps over `like` (T, N, H) share: the product with W_hh^T."""
    return adder(p["W_hh"], 4, uses_onednn(place, like))


def parts(place: Place, projected: torch.Tensor, kept: dict) -> tuple:
    """What a step reads and writes besides the states, for all steps: the projected inputs become the gates."""
    return projected, projected[:, :2], *projected.unbind(1), kept["tanh_c"]


def step(place: Place, add: Adder, part: tuple, state: tuple, new: tuple) -> None:
    """The next state (h, c (N, H)) from the projected input (4, N, H) and the state."""
    (sums, i_f, i, f, g, o, tanh_c), (h, c), (new_h, new_c) = part, state, new
    add(sums, h)
    i_f.sigmoid_()
    torch.mul(f, c, out=new_c).addcmul_(i, g.tanh_())
    torch.mul(o.sigmoid_(), torch.tanh(new_c, out=tanh_c), out=new_h)


def d_widths(place: Place) -> dict[str, int]:
    """What is kept for the steps of back-propagation, with its width in H: the way of d_h to c."""
    return {"to_c": 1}


def d_parts(place: Place, d_sums: torch.Tensor, d_kept: dict) -> tuple:
    """What a step of back-propagation writes besides the states' gradients, for all steps.

    The gradients of the sums (T, N, 4H), of i, f and g, and of o; what d_h is multiplied with on its way to c.
    """
    d_gates = by_sum(d_sums, 4)
    return d_sums, d_gates[:, :3], d_gates[:, 3], d_kept["to_c"]


def reread(place: Place, part: tuple) -> tuple:
    """What a step of back-propagation reads of the forward pass, for all steps: f, the way of d_c to the c before."""
    return (part[3],)


def factors(place: Place, part: tuple, before: dict, hidden: torch.Tensor, d_sums: torch.Tensor, d_kept: dict) -> None:
    """What d_c and d_h of all steps will be multiplied with, where the gradients of the sums will stand."""
    _, _, i, f, g, o, tanh_c = part
    for back, d, y, d_gate in zip(BACK, (g, before["c"], i, tanh_c), (i, f, g, o), by_sum(d_sums, 4).unbind(1)):
        back(d, y, out=d_gate)
    tanh_back(o, tanh_c, out=d_kept["to_c"])


def step_backward(place: Place, add: Adder, d_part: tuple, d_state: tuple, d_old: torch.Tensor) -> None:
    """From the gradients of the new state those of the sums (N, 4H), and of the old c where that of the new one stood.

    What reaches the old h is added to its gradient.

    d_c collects what comes from c_{t+1} and, through tanh, from h_t; the gates i, f and g are reached by it, o by d_h.
    """
    (d_sums, d_ifg, d_o, to_c, f), (d_h, d_c) = d_part, d_state
    d_c.addcmul_(d_h, to_c)
    d_ifg.mul_(d_c)
    d_o.mul_(d_h)
    add(d_old, d_sums)
    d_c.mul_(f)

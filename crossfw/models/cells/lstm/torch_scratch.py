"""The step from tensors and elementary operations, and its back-propagation."""

from __future__ import annotations

import torch

from crossfw.models.cells.rnn.torch_scratch import gradients  # noqa: F401  (W_hh meets h in every gate)
from crossfw.models.cells.torch_operations import add_products, by_gate, sigmoid_back, tanh_back
from crossfw.models.stack.spec import Place

KEPT = {"tanh_c": 1}


def prepare(place: Place, p: dict) -> torch.Tensor:
    """What all steps share: W_hh^T."""
    return by_gate(p["W_hh"], 4)


def parts(place: Place, projected: torch.Tensor, kept: dict) -> tuple:
    """What a step reads and writes besides the states, for all steps: the projected inputs become the gates."""
    return projected, projected[:, :2], *projected.unbind(1), kept["tanh_c"]


def step(place: Place, W_T: torch.Tensor, part: tuple, state: tuple, new: tuple) -> None:
    """The next state (h, c (N, H)) from the projected input (4, N, H) and the state."""
    (sums, i_f, i, f, g, o, tanh_c), (h, c), (new_h, new_c) = part, state, new
    add_products(sums, h, W_T)
    i_f.sigmoid_()
    torch.mul(f, c, out=new_c).addcmul_(i, g.tanh_())
    torch.mul(o.sigmoid_(), torch.tanh(new_c, out=tanh_c), out=new_h)


def factors(place: Place, part: tuple, before: dict, hidden: torch.Tensor) -> tuple:
    """What the gradients of all steps are multiplied with: d_c to reach i, f, g (T, N, 3, H), d_h to reach o and c."""
    _, _, i, f, g, o, tanh_c = part
    by_c = torch.stack([sigmoid_back(g, i), sigmoid_back(before["c"], f), tanh_back(i, g)], dim=2)
    return by_c, sigmoid_back(tanh_c, o), tanh_back(o, tanh_c), f


def d_parts(place: Place, d_sums: torch.Tensor) -> tuple:
    """What a step of back-propagation writes, for all steps: the gradients of the sums (T, N, 4H), of i, f, g; of o."""
    d_gates = d_sums.unflatten(-1, (4, place.hidden_size))
    return d_sums, d_gates[:, :, :3], d_gates[:, :, 3]


def step_backward(place: Place, p: dict, factor: tuple, d_part: tuple, d_new: tuple, d_old: tuple) -> None:
    """From the gradients of the new state those of the sums (N, 4H), and what they add to those of the old state.

    d_c collects what comes from c_{t+1} and, through tanh, from h_t; the gates i, f and g are reached by it, o by d_h.
    """
    (by_c, to_o, to_c, f), (d_sums, d_ifg, d_o), (d_h, d_c), (d_old_h, d_old_c) = factor, d_part, d_new, d_old
    d_c.addcmul_(d_h, to_c)
    torch.mul(d_c[:, None], by_c, out=d_ifg)
    torch.mul(d_h, to_o, out=d_o)
    d_old_h.addmm_(d_sums, p["W_hh"])
    d_old_c.addcmul_(d_c, f)

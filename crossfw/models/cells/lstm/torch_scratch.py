"""The step from tensors and elementary operations, and its back-propagation."""

from __future__ import annotations

import torch

from crossfw.models.cells.rnn.torch_scratch import gradients  # noqa: F401  (W_hh meets h in every gate)
from crossfw.models.cells.torch_operations import product, product_back
from crossfw.models.stack.spec import Place

KEPT = {"gates": 4, "tanh_c": 1}
SUMS = {"a": 4}


def step(place: Place, p: dict, projected: torch.Tensor, state: dict, out: dict) -> None:
    """The next state {h, c (N, H)} from the projected input (N, 4H) and the state, written to `out`."""
    H, (i, f, g, o) = place.hidden_size, out["gates"].chunk(4, dim=-1)
    sums = product(state["h"], p["W_hh"], projected)
    torch.sigmoid(sums, out=out["gates"])
    torch.tanh(sums[:, 2 * H : 3 * H], out=g)
    c = torch.mul(f, state["c"], out=out["c"]).addcmul_(i, g)
    torch.mul(o, torch.tanh(c, out=out["tanh_c"]), out=out["h"])


def factors(place: Place, kept: dict, before: dict, hidden: torch.Tensor) -> dict:
    """What the gradients of all steps (T, N, ...) are multiplied with; sigmoid' = s (1 - s), tanh' = 1 - tanh^2."""
    (i, f, g, o), tanh_c = kept["gates"].chunk(4, dim=-1), kept["tanh_c"]
    by_c = torch.stack([g * i * (1 - i), before["c"] * f * (1 - f), i * (1 - g * g)], dim=2)
    return {"i f g": by_c, "o": tanh_c * o * (1 - o), "h": o * (1 - tanh_c * tanh_c), "c": f}


def step_backward(place: Place, p: dict, factor: dict, d_state: dict, d_sums: dict) -> dict:
    """The gradients of the state before, from those of the state after; those of the sums (N, 4H) are written.

    d_c collects what comes from c_{t+1} and, through tanh, from h_t; the gates i, f and g are reached by it, o by d_h.
    """
    d_h, d_a, H = d_state["h"], d_sums["a"], place.hidden_size
    d_c = torch.addcmul(d_state["c"], d_h, factor["h"])
    torch.mul(d_c[:, None], factor["i f g"], out=d_a[:, : 3 * H].unflatten(-1, (3, H)))
    torch.mul(d_h, factor["o"], out=d_a[:, 3 * H :])
    return {"h": product_back(d_a, p["W_hh"]), "c": d_c * factor["c"]}

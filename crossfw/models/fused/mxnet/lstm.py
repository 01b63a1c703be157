"""The step from arrays and elementary operations, and its back-propagation; as parts of graphs, see `stack`."""

from __future__ import annotations

from mxnet import sym

from crossfw.models.fused.mxnet.operations import (
    add,
    part,
    product,
    product_back,
    sigmoid,
    sigmoid_back,
    tanh,
    tanh_back,
)
from crossfw.models.fused.mxnet.rnn import gradients  # noqa: F401  (W_hh meets h in every gate)
from crossfw.models.stack.spec import Place

KEPT = ("i", "f", "g", "o", "tanh_c")


def step(place: Place, p: dict, projected: sym.Symbol, state: dict) -> dict:
    """The next state {h, c (N, H)} from the projected input (N, 4H) and the state; and what is kept."""
    H = place.hidden_size
    gates = add(projected, product(state["h"], p["W_hh"], 4 * H))
    i, f, o = (sigmoid(part(gates, k * H, (k + 1) * H)) for k in (0, 1, 3))
    g = tanh(part(gates, 2 * H, 3 * H))
    c = add(f * state["c"], i * g)
    tanh_c = tanh(c)
    return {"h": o * tanh_c, "c": c, "i": i, "f": f, "g": g, "o": o, "tanh_c": tanh_c}


def factors(place: Place, kept: dict, before: dict, hidden: sym.Symbol) -> dict:
    """What the gradients of all steps (T N, ...) are multiplied with: d_c to reach i, f, g, c; d_h to reach o, c."""
    i, f, g, o, tanh_c = (kept[name] for name in KEPT)
    by_c = {"i": sigmoid_back(g, i), "f": sigmoid_back(before["c"], f), "g": tanh_back(i, g), "c": f}
    return {**by_c, "o": sigmoid_back(tanh_c, o), "h": tanh_back(o, tanh_c)}


def step_backward(place: Place, p: dict, factor: dict, d_state: dict) -> tuple[dict, dict]:
    """The gradients of the sums (N, 4H) and of the state before, from those of the state after.

    d_c collects what comes from c_{t+1} and, through tanh, from h_t; the gates i, f and g are reached by it, o by d_h.
    """
    d_h, H = d_state["h"], place.hidden_size
    d_c = add(d_state["c"], d_h * factor["h"])
    d_sums = sym.concat(d_c * factor["i"], d_c * factor["f"], d_c * factor["g"], d_h * factor["o"], dim=-1)
    return {"projected": d_sums}, {"h": product_back(d_sums, p["W_hh"], H), "c": d_c * factor["c"]}

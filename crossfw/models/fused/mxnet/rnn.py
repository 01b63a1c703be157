"""The step from arrays and elementary operations, and its back-propagation; as parts of graphs, see `stack`."""

from __future__ import annotations

from mxnet import sym

from crossfw.models.fused.mxnet.operations import activate, add, outer, product, product_back, sigmoid_slope, tanh_slope
from crossfw.models.stack.spec import Place

# f'(a) written in h = f(a)
DERIVATIVES = {
    "tanh": tanh_slope,
    "relu": lambda h: h > 0,
    "sigmoid": sigmoid_slope,
    "identity": sym.ones_like,
}
KEPT: tuple[str, ...] = ()


def step(place: Place, p: dict, projected: sym.Symbol, state: dict) -> dict:
    """The next state {h (N, H)} from the projected input (N, H) and the state."""
    sums = add(projected, product(state["h"], p["W_hh"], place.hidden_size))
    return {"h": activate(sym, place.activation, sums)}


def factors(place: Place, kept: dict, before: dict, hidden: sym.Symbol) -> dict:
    """What the gradients of all steps (T N, ...) are multiplied with: f'(a)."""
    return {"a": DERIVATIVES[place.activation](hidden)}


def step_backward(place: Place, p: dict, factor: dict, d_state: dict) -> tuple[dict, dict]:
    """The gradient of the sum a (N, H) and of the state before, from that of the state after.

    d_a = f'(a) d_h;  d_h_{t-1} = W_hh^T d_a.
    """
    d_sums = d_state["h"] * factor["a"]
    return {"projected": d_sums}, {"h": product_back(d_sums, p["W_hh"], place.hidden_size)}


def gradients(place: Place, kept: dict, before: dict, d_sums: dict) -> dict:
    """The gradient of W_hh, over all steps."""
    return {"W_hh": outer(d_sums["projected"], before["h"], place.hidden_size)}

"""The step from arrays and elementary operations, and its back-propagation; as parts of graphs, see `stack`."""

from __future__ import annotations

from mxnet import sym

from crossfw.models.fused.mxnet.operations import (
    add,
    outer,
    part,
    product,
    product_back,
    sigmoid,
    sigmoid_back,
    tanh,
    tanh_back,
)
from crossfw.models.stack.spec import Place

KEPT = ("r", "z", "inner", "n")  # inner: in a product with r (reset after), or r h (before)


def step(place: Place, p: dict, projected: sym.Symbol, state: dict) -> dict:
    """The next state {h (N, H)} from the projected input (N, 3H) and the state; and what is kept."""
    h, H, W_hh = state["h"], place.hidden_size, p["W_hh"]
    x_n = part(projected, 2 * H, None)
    if place.reset == "after":
        bias = {"bias": p["b_hh"]} if "b_hh" in p else {}
        recurrent = product(h, W_hh, 3 * H, **bias)
        sums, inner = add(projected, recurrent), part(recurrent, 2 * H, None)  # of which r and z are used
    else:
        sums = add(part(projected, 0, 2 * H), product(h, part(W_hh, 0, 2 * H, axis=0), 2 * H))
    r, z = sigmoid(part(sums, 0, H)), sigmoid(part(sums, H, 2 * H))
    if place.reset == "after":
        n = tanh(add(x_n, r * inner))
    else:
        inner = r * h
        n = tanh(add(x_n, product(inner, part(W_hh, 2 * H, None, axis=0), H)))
    return {"h": add(n, z * (h - n)), "r": r, "z": z, "inner": inner, "n": n}


def factors(place: Place, kept: dict, before: dict, hidden: sym.Symbol) -> dict:
    """What the gradients of all steps (T N, ...) are multiplied with: d_h to reach the gates, z to reach h."""
    (r, z, inner, n), h = (kept[name] for name in KEPT), before["h"]
    by_n, by_z = tanh_back(1 - z, n), sigmoid_back(h - n, z)
    if place.reset == "after":
        return {"r": sigmoid_back(by_n * inner, r), "z": by_z, "inner": by_n * r, "n": by_n, "h": z}
    return {"r": sigmoid_back(h, r), "z": by_z, "n": by_n, "h": z, "reset": r}


def step_backward(place: Place, p: dict, factor: dict, d_state: dict) -> tuple[dict, dict]:
    """The gradients of the sums and of the state before, from that of the state after.

    d_n = (1 - z) d_h, d_z = (h_{t-1} - n) d_h, and d_r is what multiplies r inside tanh; each through its own
    derivative. After the product there are two gradients: of the projected inputs, and, with what the reset gate
    multiplies instead of n, of those from the state.
    """
    d_h, H, W_hh = d_state["h"], place.hidden_size, p["W_hh"]
    d_z, d_n, d_old = d_h * factor["z"], d_h * factor["n"], d_h * factor["h"]
    if place.reset == "after":
        d_r = d_h * factor["r"]
        d_recurrent = sym.concat(d_r, d_z, d_h * factor["inner"], dim=-1)
        d_sums = {"projected": sym.concat(d_r, d_z, d_n, dim=-1), "recurrent": d_recurrent}
        return d_sums, {"h": add(d_old, product_back(d_recurrent, W_hh, H))}
    d_reset = product_back(d_n, part(W_hh, 2 * H, None, axis=0), H)  # of r h
    d_rz = sym.concat(d_reset * factor["r"], d_z, dim=-1)
    d_old = add(d_old, d_reset * factor["reset"], product_back(d_rz, part(W_hh, 0, 2 * H, axis=0), H))
    return {"projected": sym.concat(d_rz, d_n, dim=-1)}, {"h": d_old}


def gradients(place: Place, kept: dict, before: dict, d_sums: dict) -> dict:
    """The gradients of the recurrent parameters, over all steps."""
    H, h = place.hidden_size, before["h"]
    if place.reset == "after":
        d_recurrent = d_sums["recurrent"]
        return {"W_hh": outer(d_recurrent, h, H), "b_hh": sym.sum(d_recurrent, axis=0)}
    d_rz, d_n = part(d_sums["projected"], 0, 2 * H), part(d_sums["projected"], 2 * H, None)
    return {"W_hh": sym.concat(outer(d_rz, h, H), outer(d_n, kept["inner"], H), dim=0)}

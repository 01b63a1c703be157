"""The step from tensors and elementary operations, and its back-propagation."""

from __future__ import annotations

import torch

from crossfw.models.cells.torch_operations import outer, product, product_back
from crossfw.models.stack.spec import Place

KEPT = {"rz": 2, "inner": 1, "n": 1}  # inner: what stands beside n in a product with r
SUMS = {
    "rz": 2,
    "n": 1,
    "recurrent": 3,
}  # the last one after the product only: r, z, and what the reset gate multiplies


def step(place: Place, p: dict, projected: torch.Tensor, state: dict, out: dict) -> None:
    """The next state {h (N, H)} from the projected input (N, 3H) and the state, written to `out`."""
    h, H, W_hh, (r, z) = state["h"], place.hidden_size, p["W_hh"], out["rz"].chunk(2, dim=-1)
    x_rz, x_n = projected[:, : 2 * H], projected[:, 2 * H :]
    if place.reset == "after":
        recurrent = product(h, W_hh, p.get("b_hh"))
        torch.add(x_rz, recurrent[:, : 2 * H], out=out["rz"]).sigmoid_()
        inner = out["inner"].copy_(recurrent[:, 2 * H :])
        n = torch.addcmul(x_n, r, inner, out=out["n"]).tanh_()
    else:
        torch.add(x_rz, product(h, W_hh[: 2 * H]), out=out["rz"]).sigmoid_()
        inner = torch.mul(r, h, out=out["inner"])
        n = torch.add(x_n, product(inner, W_hh[2 * H :]), out=out["n"]).tanh_()
    torch.lerp(n, h, z, out=out["h"])


def factors(place: Place, kept: dict, before: dict, hidden: torch.Tensor) -> dict:
    """What the gradients of all steps (T, N, ...) are multiplied with; sigmoid' = s (1 - s), tanh' = 1 - tanh^2."""
    (r, z), inner, n, h = kept["rz"].chunk(2, dim=-1), kept["inner"], kept["n"], before["h"]
    by_n, by_z = (1 - z) * (1 - n * n), (h - n) * z * (1 - z)
    if place.reset == "after":
        return {"recurrent": torch.stack([by_n * inner * r * (1 - r), by_z, by_n * r], dim=2), "n": by_n, "h": z}
    return {"r": inner * (1 - r), "z": by_z, "n": by_n, "h": z, "reset": r}


def step_backward(place: Place, p: dict, factor: dict, d_state: dict, d_sums: dict) -> dict:
    """The gradient of the state before, from that of the state after; those of the sums are written.

    d_n = (1 - z) d_h, d_z = (h_{t-1} - n) d_h, and d_r is what multiplies r inside tanh; each through its own
    derivative.
    """
    d_h, H, W_hh = d_state["h"], place.hidden_size, p["W_hh"]
    d_n = torch.mul(d_h, factor["n"], out=d_sums["n"])
    if place.reset == "after":
        d_recurrent = torch.mul(d_h[:, None], factor["recurrent"], out=d_sums["recurrent"].unflatten(-1, (3, H)))
        return {"h": product_back(d_recurrent.flatten(1), W_hh).addcmul_(d_h, factor["h"])}
    d_reset = product_back(d_n, W_hh[2 * H :])  # of r h
    torch.mul(d_reset, factor["r"], out=d_sums["rz"][:, :H])
    torch.mul(d_h, factor["z"], out=d_sums["rz"][:, H:])
    d_old = product_back(d_sums["rz"], W_hh[: 2 * H])
    return {"h": d_old.addcmul_(d_h, factor["h"]).addcmul_(d_reset, factor["reset"])}


def gradients(place: Place, kept: dict, before: dict, d_sums: dict) -> tuple[torch.Tensor, dict]:
    """The gradients of the projected inputs (T, N, 3H), and of the recurrent parameters over all steps."""
    H, h, d_n, d_recurrent = place.hidden_size, before["h"], d_sums["n"], d_sums["recurrent"]
    if place.reset == "after":
        d_projected = torch.cat([d_recurrent[..., : 2 * H], d_n], dim=-1)
        return d_projected, {"W_hh": outer(d_recurrent, h), "b_hh": d_recurrent.sum(dim=(0, 1))}
    d_projected = torch.cat([d_sums["rz"], d_n], dim=-1)
    return d_projected, {"W_hh": torch.cat([outer(d_sums["rz"], h), outer(d_n, kept["inner"])])}

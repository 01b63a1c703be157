"""The step from tensors and elementary operations, and its back-propagation."""

from __future__ import annotations

import torch

from crossfw.models.stack.spec import Place

KEPT = {"gates": 3, "n": 1}  # in "gates": r, z, and what stands beside n in a product with r
SUMS = 4  # of r, z, n, and of what the reset gate multiplies after the product


def step(place: Place, p: dict, projected: torch.Tensor, state: dict, out: dict) -> None:
    """The next state {h (N, H)} from the projected input (N, 3H) and the state, written to `out`."""
    h, H, W_hh, gates = state["h"], place.hidden_size, p["W_hh"], out["gates"]
    x_rz, x_n = projected[:, : 2 * H], projected[:, 2 * H :]
    rz, r, inner = gates[:, : 2 * H], gates[:, :H], gates[:, 2 * H :]
    if place.reset == "after":
        if "b_hh" in p:
            torch.addmm(p["b_hh"], h, W_hh.T, out=gates)
        else:
            torch.mm(h, W_hh.T, out=gates)
        rz.add_(x_rz).sigmoid_()
        n = torch.addcmul(x_n, r, inner, out=out["n"]).tanh_()
    else:
        torch.addmm(x_rz, h, W_hh[: 2 * H].T, out=rz).sigmoid_()
        torch.mul(r, h, out=inner)
        n = torch.addmm(x_n, inner, W_hh[2 * H :].T, out=out["n"]).tanh_()
    torch.lerp(n, h, gates[:, H : 2 * H], out=out["h"])


def factors(place: Place, kept: dict, before: dict, hidden: torch.Tensor) -> dict:
    """What the gradients of all steps (T, N, ...) are multiplied with; sigmoid' = s (1 - s), tanh' = 1 - tanh^2."""
    (r, z, inner), n, h = kept["gates"].chunk(3, dim=-1), kept["n"], before["h"]
    by_n, by_z = (1 - z) * (1 - n * n), (h - n) * z * (1 - z)
    if place.reset == "after":
        return {"all": torch.stack([by_n * inner * r * (1 - r), by_z, by_n * r, by_n], dim=2), "h": z}
    return {"r": inner * (1 - r), "z": by_z, "n": by_n, "h": z, "reset": r}


def step_backward(place: Place, p: dict, factor: dict, d_state: dict, d_sums: torch.Tensor) -> dict:
    """The gradient of the state before, from that of the state after; those of the sums are written.

    d_n = (1 - z) d_h, d_z = (h_{t-1} - n) d_h, and d_r is what multiplies r inside tanh; each through its own
    derivative.
    """
    d_h, H, W_hh = d_state["h"], place.hidden_size, p["W_hh"]
    if place.reset == "after":
        torch.mul(d_h[:, None], factor["all"], out=d_sums.unflatten(-1, (4, H)))
        return {"h": (d_h * factor["h"]).addmm_(d_sums[:, : 3 * H], W_hh)}
    d_rz, d_n = d_sums[:, : 2 * H], d_sums[:, 2 * H : 3 * H]
    d_reset = torch.mul(d_h, factor["n"], out=d_n) @ W_hh[2 * H :]  # of r h
    torch.mul(d_reset, factor["r"], out=d_rz[:, :H])
    torch.mul(d_h, factor["z"], out=d_rz[:, H:])
    return {"h": (d_h * factor["h"]).addcmul_(d_reset, factor["reset"]).addmm_(d_rz, W_hh[: 2 * H])}


def gradients(place: Place, kept: dict, before: dict, d_sums: torch.Tensor) -> tuple[torch.Tensor, dict]:
    """The gradients of the projected inputs (T, N, 3H), and of the recurrent parameters over all steps."""
    H, h = place.hidden_size, before["h"].flatten(0, 1)
    if place.reset == "after":
        d_recurrent = d_sums[..., : 3 * H].flatten(0, 1)
        d_projected = torch.cat([d_sums[..., : 2 * H], d_sums[..., 3 * H :]], dim=-1)
        return d_projected, {"W_hh": d_recurrent.T @ h, "b_hh": d_recurrent.sum(dim=0)}
    d_projected, reset = d_sums[..., : 3 * H], kept["gates"][..., 2 * H :].flatten(0, 1)
    d_rz, d_n = d_projected.flatten(0, 1).split((2 * H, H), dim=-1)
    return d_projected, {"W_hh": torch.cat([d_rz.T @ h, d_n.T @ reset])}

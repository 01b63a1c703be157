"""The step from tensors and elementary operations, and its back-propagation."""

from __future__ import annotations

import torch

from crossfw.models.cells.torch_operations import add_products, by_gate, outer, sigmoid_back, tanh_back
from crossfw.models.stack.spec import Place

KEPT = {"inner": 1}  # what stands beside x_n: in a product with r (reset after), or r h (before)


def prepare(place: Place, p: dict) -> tuple:
    """What all steps share: W_hh^T of r and z, and of n; their biases (1, H), where they are not with the inputs."""
    W_T = by_gate(p["W_hh"], 3)
    b = p["b_hh"] if place.reset == "after" and place.biases == 2 else p["W_hh"].new_zeros(len(p["W_hh"]))
    b = b.unflatten(0, (3, 1, -1))
    return W_T[:2], W_T[2], b[:2], b[2]


def parts(place: Place, projected: torch.Tensor, kept: dict) -> tuple:
    """What a step reads and writes besides the state, for all steps: the projected inputs become r, z and n."""
    return projected[:, :2], *projected.unbind(1), kept["inner"]


def step(place: Place, shared: tuple, part: tuple, state: tuple, new: tuple) -> None:
    """The next state (h (N, H),) from the projected input (3, N, H) and the state."""
    (rz, r, z, n, inner), (h,), (new_h,), (W_T, W_n_T, b, b_n) = part, state, new, shared
    add_products(rz, h, W_T)
    if place.reset == "after":
        rz.add_(b).sigmoid_()
        n.addcmul_(r, torch.addmm(b_n, h, W_n_T, out=inner))
    else:
        rz.sigmoid_()
        n.addmm_(torch.mul(r, h, out=inner), W_n_T)
    torch.lerp(n.tanh_(), h, z, out=new_h)


def factors(place: Place, part: tuple, before: dict, hidden: torch.Tensor) -> tuple:
    """What the gradients of all steps are multiplied with: d_h to reach the gates (T, N, gates, H), z to reach h."""
    (_, r, z, n, inner), h = part, before["h"]
    by_n, by_z = tanh_back(1 - z, n), sigmoid_back(h - n, z)
    if place.reset == "after":
        return torch.stack([sigmoid_back(by_n * inner, r), by_z, by_n], dim=2), by_n * r, z
    return torch.stack([by_z, by_n], dim=2), sigmoid_back(h, r), z, r


def d_parts(place: Place, d_sums: torch.Tensor) -> tuple:
    """What a step of back-propagation writes, for all steps: the gradients of the sums (T, N, 3H) and of `inner`."""
    H = place.hidden_size
    d_gates, d_inner = d_sums.unflatten(-1, (3, H)), d_sums.new_empty(*d_sums.shape[:2], H)
    by_h = d_gates if place.reset == "after" else d_gates[:, :, 1:]
    return d_sums[..., : 2 * H], by_h, d_gates[:, :, 0], d_gates[:, :, 2], d_inner


def step_backward(place: Place, p: dict, factor: tuple, d_part: tuple, d_new: tuple, d_old: tuple) -> None:
    """From the gradient of the new state those of the sums (N, 3H), and what they add to that of the old state.

    d_n = (1 - z) d_h, d_z = (h_{t-1} - n) d_h, and d_r is what multiplies r inside tanh; each through its own
    derivative.
    """
    (by_h, to_r_or_inner, z, *reset), (d_rz, d_by_h, d_r, d_n, d_inner) = factor, d_part
    (d_h,), (d_old_h,), H, W_hh = d_new, d_old, place.hidden_size, p["W_hh"]
    torch.mul(d_h[:, None], by_h, out=d_by_h)
    if place.reset == "after":
        torch.mul(d_h, to_r_or_inner, out=d_inner)
        d_old_h.addmm_(d_inner, W_hh[2 * H :])
    else:
        torch.mm(d_n, W_hh[2 * H :], out=d_inner)
        torch.mul(d_inner, to_r_or_inner, out=d_r)
        d_old_h.addcmul_(d_inner, reset[0])
    d_old_h.addmm_(d_rz, W_hh[: 2 * H]).addcmul_(d_h, z)


def gradients(place: Place, kept: dict, old: dict, d_part: tuple) -> dict:
    """The gradients of W_hh, and of b_hh where it is no part of the projected inputs, over all steps at once."""
    d_rz, _, _, d_n, d_inner = d_part
    rows = outer(d_rz, old["h"])
    if place.reset == "before":
        return {"W_hh": torch.cat([rows, outer(d_n, kept["inner"])])}
    b_hh = torch.cat([d_rz.sum(dim=(0, 1)), d_inner.sum(dim=(0, 1))]) if place.biases == 2 else None
    return {"W_hh": torch.cat([rows, outer(d_inner, old["h"])]), "b_hh": b_hh}

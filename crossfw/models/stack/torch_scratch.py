"""Loops over layers, directions and steps; what does not depend on the step before is done for all steps at once.

The equations are those of the reference, whose plain loops are in `numpy.py`. What is reordered, and why the result is
the same:

- The inputs are projected before the loop, all steps in one product: W_xh x_t does not depend on the state. Of tokens
  the rows of W_xh^T + b are looked up: each row is the sum that would be added up at every step.
- `Steps` back-propagates by hand. The gradient of a gate's sum is that of the state after the step times a factor
  of forward quantities (chain rule): the factors of all steps are computed at once, and the loop from the last
  step to the first only multiplies.
- The gradient of W_hh is the sum over t of d_t h_{t-1}^T: one product over all steps and sequences, after the loop.
- Every step writes where its results are kept, so that nothing is copied together after the loop.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from crossfw.models.stack.spec import Place, StackSpec


def cell_of(place: Place) -> ModuleType:
    """The room of the place's cell."""
    return import_module(f"crossfw.models.cells.{place.cell}.torch_scratch")


def project(place: Place, p: dict, inputs: torch.Tensor) -> torch.Tensor:
    """W_xh x_t and the biases that do not depend on the state: (T, N, G H) from tokens (T, N) or features (T, N, D)."""
    bias = p["b_h"] if place.biases == 1 else p["b_xh"]
    if place.biases == 2 and place.spec.folds_biases(place):
        bias = bias + p["b_hh"]
    if place.inputs == "tokens":
        return torch.embedding((p["W_xh"].T + bias).contiguous(), inputs)
    return torch.addmm(bias, inputs.flatten(0, 1), p["W_xh"].T).unflatten(0, inputs.shape[:2])


class Steps(torch.autograd.Function):
    """A cell over all steps of projected inputs; its own back-propagation.

    States are kept as (T + 1, N, H) with the first one at the end where the cell starts, so that the states before
    and after all steps are two views of the same tensor.
    """

    @staticmethod
    def forward(
        ctx: Any, place: Place, mask: torch.Tensor | None, projected: torch.Tensor, *tensors: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """Hidden states (T, N, H) in the order of time, and the last state."""
        cell, (steps, size), H = cell_of(place), projected.shape[:2], place.hidden_size
        p, state = named(place, tensors)
        first, before, after = (steps, 1, 0) if place.backwards else (0, 0, 1)
        states = {name: projected.new_empty(steps + 1, size, H) for name in state}
        kept = {name: projected.new_empty(steps, size, width * H) for name, width in cell.KEPT.items()}
        for name, value in state.items():
            states[name][first] = value
        state_rows, kept_rows = unbound(states), unbound(kept)
        for t, x in ((t, projected[t]) for t in place.order(steps)):
            old, new = at(state_rows, t + before), at(state_rows, t + after)
            cell.step(place, p, x, old, {**new, **at(kept_rows, t)})
            for name in new if mask is not None else ():
                new[name].copy_(torch.where(mask[t][:, None] > 0, new[name], old[name]))
        ctx.place, ctx.mask, ctx.names = place, mask, (tuple(p), tuple(states), tuple(kept))
        ctx.save_for_backward(*p.values(), *states.values(), *kept.values())
        hidden = states["h"][after : after + steps]
        last = (array[steps - first].clone() for array in states.values())
        return hidden if mask is None else hidden * mask[:, :, None], *last

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_hidden: torch.Tensor, *d_last: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """The gradients of the projected inputs, the recurrent parameters and the first state."""
        place, mask, saved, cell = ctx.place, ctx.mask, iter(ctx.saved_tensors), cell_of(ctx.place)
        p, states, kept = ({name: next(saved) for name in names} for names in ctx.names)
        steps, d_state = len(d_hidden), dict(zip(states, d_last))
        first, then = ({name: array[part] for name, array in states.items()} for part in (slice(-1), slice(1, None)))
        before, after = (then, first) if place.backwards else (first, then)
        if mask is not None:
            d_hidden = d_hidden * mask[:, :, None]
        factors = unbound(cell.factors(place, kept, before, after["h"]))
        d_sums = {n: d_hidden.new_empty(*d_hidden.shape[:2], k * place.hidden_size) for n, k in cell.SUMS.items()}
        d_rows = unbound(d_sums)
        for t in reversed(place.order(steps)):
            real = None if mask is None else mask[t][:, None]
            d_new = d_state if mask is None else {name: value * real for name, value in d_state.items()}
            d_new["h"] = d_new["h"] + d_hidden[t]
            d_old = cell.step_backward(place, p, at(factors, t), d_new, at(d_rows, t))
            for name in d_old if mask is not None else ():
                d_old[name] = d_old[name] + d_state[name] * (1 - real)
            d_state = d_old
        d_projected, d_p = cell.gradients(place, kept, before, d_sums)
        return None, None, d_projected, *(d_p[name] for name in p), *d_state.values()


def named(place: Place, tensors: tuple[torch.Tensor, ...]) -> tuple[dict, dict]:
    """The recurrent parameters and the state by name."""
    count = len(place.recurrent)
    return dict(zip(place.recurrent, tensors[:count])), dict(zip(place.spec.STATES, tensors[count:]))


def unbound(tensors: dict) -> dict:
    """Each tensor as its views along the first axis, made once: indexing in the loop costs as much as an operation."""
    return {name: tensor.unbind() for name, tensor in tensors.items()}


def at(rows: dict, t: int) -> dict:
    """The views of one step."""
    return {name: views[t] for name, views in rows.items()}


def run_direction(
    place: Place, p: dict, inputs: torch.Tensor, state: dict, mask: torch.Tensor | None
) -> tuple[torch.Tensor, dict]:
    """Hidden states (T, N, H) in the order of time, and the last state."""
    projected = project(place, p, inputs)
    if not place.spec.RECURRENT:
        hidden = cell_of(place).apply(place, projected)
        return hidden if mask is None else hidden * mask[:, :, None], {}
    hidden, *last = Steps.apply(place, mask, projected, *(p[name] for name in place.recurrent), *state.values())
    return hidden, dict(zip(state, last))


def run(
    stack: StackSpec, parameters: dict, inputs: torch.Tensor, state: dict, batch: dict, mask: torch.Tensor | None
) -> tuple[torch.Tensor, dict]:
    """Hidden states (T, N, width) of the last layer, and the last state; `batch` may hold dropout masks."""
    last = {}
    for layer in range(stack.layers):
        outputs = []
        for place in stack.places(layer):
            hidden, end = run_direction(place, place.parameters(parameters), inputs, place.state(state), mask)
            outputs.append(hidden)
            last.update(place.named(end))
        inputs = torch.cat(outputs, dim=-1) if len(outputs) > 1 else outputs[0]
        keep = batch.get(f"{stack.prefix}keep_l{layer}")
        if keep is not None:
            inputs = inputs * keep
    return inputs, last

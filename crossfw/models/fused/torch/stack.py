"""Loops over layers, directions and steps; what does not depend on the step before is done for all steps at once.

The equations are those of the reference, whose plain loops are in `numpy.py`. What is reordered, and why the result is
the same:

- The inputs are projected before the loop, all steps in one product: W_xh x_t does not depend on the state. Of tokens
  the rows of W_xh^T + b are looked up: each row is the sum that would be added up at every step.
- `Steps` back-propagates by hand, with the reference's equations: the gradients of W_xh, W_hh and the biases are sums
  over t, of d_t h_{t-1}^T and its like: one product over all steps and sequences, after the loop.
- The gradient of a gate's sum is that of the state after the step times a factor of forward quantities (chain rule):
  the factors of all steps are computed at once, where the gradients will stand, and the loop from the last step to the
  first only multiplies.
- Every step writes where its results are kept, and changes the gradients of the state where they are, so that nothing
  is copied together before or after the loops; the memory, with its views by step, is used again (`buffers`).
  MXNet's arrays cannot be written to in a graph: its sibling returns what this one writes.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from crossfw.models.fused.torch.buffers import Buffers, Gradients, give_back, take
from crossfw.models.fused.torch.operations import added_by_token, by_gate
from crossfw.models.fused.torch.products import affine, outer, product
from crossfw.models.stack.spec import Place, StackSpec


def cell_of(place: Place) -> ModuleType:
    """The room of the place's cell."""
    return import_module(f"crossfw.models.fused.torch.{place.cell}")


def project(place: Place, p: dict, inputs: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
    """W_xh x_t and the biases that no state joins (T, G, N, H), from tokens (T, N) or features (T, N, D).

    Each step is one piece of memory, and in it each gate.
    """
    gates, shape = place.spec.GATES, inputs.shape[:2]
    bias = sum(p[name] for name in place.projected_biases)
    if place.inputs == "tokens":
        first = torch.arange(gates, device=inputs.device)[:, None] * place.input_size  # row of each gate's table
        rows = (first + inputs[:, None]).flatten()
        table = (by_gate(p["W_xh"], gates) + bias.reshape(gates, 1, -1)).flatten(0, 1)
        found = torch.index_select(table, 0, rows, out=None if out is None else out.flatten(0, 2))
        return found.unflatten(0, (shape[0], gates, shape[1]))
    sums = affine(inputs, p["W_xh"], bias).unflatten(-1, (gates, -1)).transpose(1, 2)
    return sums.contiguous() if out is None else out.copy_(sums)


def project_backward(place: Place, p: dict, inputs: torch.Tensor, d_projected: torch.Tensor) -> tuple:
    """The gradients of the inputs (None if not asked for), and of W_xh and the biases by name, from (T, N, G H)."""
    d_flat = d_projected.flatten(0, 1)
    if place.inputs == "tokens":
        d_rows = added_by_token(d_flat, inputs.flatten(), place.input_size)
        d_inputs, d_W, d_bias = None, d_rows.T, d_rows.sum(dim=0)
    else:
        d_inputs = product(d_projected, p["W_xh"].T) if inputs.requires_grad else None
        d_W = outer(d_projected, inputs)
        d_bias = d_flat.sum(dim=0)
    return d_inputs, {"W_xh": d_W, **dict.fromkeys(place.projected_biases, d_bias)}


class Steps(torch.autograd.Function):
    """A cell over all steps; its own back-propagation."""

    @staticmethod
    def forward(
        ctx: Any, place: Place, mask: torch.Tensor | None, keeps: bool, inputs: torch.Tensor, *tensors: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """Hidden states (T, N, H) in the order of time, and the last state; `keeps`: back-propagation may follow."""
        cell, (p, state) = cell_of(place), named(place, tensors)
        buffers = take(cell, place, *inputs.shape[:2], p["W_xh"])
        project(place, p, inputs, buffers.projected)
        shared = cell.prepare(place, p, buffers.hidden)
        for name, value in state.items():
            buffers.states[name][buffers.first] = value
        for t in place.order(len(inputs)):
            cell.step(place, shared, buffers.rows[t], buffers.old[t], buffers.new[t])
            for old, new in zip(buffers.old[t], buffers.new[t]) if mask is not None else ():
                new.copy_(torch.where(mask[t][:, None] > 0, new, old))
        hidden = buffers.hidden.clone() if mask is None else buffers.hidden * mask[:, :, None]
        last = [array[buffers.last].clone() for array in buffers.states.values()]
        if keeps:
            ctx.place, ctx.mask, ctx.buffers = place, mask, buffers
            ctx.save_for_backward(inputs, *p.values())
        else:
            give_back(buffers, p["W_xh"])
        return hidden, *last

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_hidden: torch.Tensor, *d_last: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """The gradients of the inputs, the parameters and the first state.

        Those of h stand for all steps where the loss has left its own: a step adds to the one before. Those of other
        states are turned, in place, from those after a step into those before it.
        """
        place, mask, buffers, ctx.buffers = ctx.place, ctx.mask, ctx.buffers, None
        inputs, *parameters = ctx.saved_tensors
        p, back = dict(zip(place.shapes(), parameters)), buffers.gradients
        with back.lock:
            back.d_h[buffers.first] = 0
            d_hidden = d_hidden if mask is None else d_hidden * mask[:, :, None]
            back.d_hidden[:] = d_hidden
            found = back_propagate(place, p, mask, inputs, buffers, back, d_last)
        give_back(buffers, p["W_xh"])
        return None, None, None, *found


def back_propagate(
    place: Place,
    p: dict,
    mask: torch.Tensor | None,
    inputs: torch.Tensor,
    buffers: Buffers,
    back: Gradients,
    d_last: tuple[torch.Tensor, ...],
) -> tuple[torch.Tensor | None, ...]:
    """The gradients of the inputs, the parameters and the first state, where those of the hidden states stand."""
    cell, steps = cell_of(place), len(inputs)
    d_end, *d_others = (d.clone(memory_format=torch.contiguous_format) for d in d_last)
    back.d_h[buffers.last].add_(d_end)
    cell.factors(place, buffers.parts, buffers.before, buffers.hidden, back.d_sums, back.d_kept)
    shared = cell.prepare_backward(place, p, buffers.hidden)
    for t in reversed(place.order(steps)):
        d_state, d_old = (back.new[t], *d_others), back.old[t]
        passed = () if mask is None else take_passed(d_state, mask[t][:, None])
        cell.step_backward(place, shared, (*back.rows[t], *buffers.reread[t]), d_state, d_old)
        for d, d_passed in zip((d_old, *d_others), passed):
            d.add_(d_passed)
    d_inputs, d_p = project_backward(place, p, inputs, back.d_sums)
    d_p = {**cell.gradients(place, buffers.kept, buffers.before, back.d_sums, back.d_kept), **d_p}
    return d_inputs, *(d_p[name] for name in p), back.d_h[buffers.first].clone(), *d_others


def take_passed(d_state: tuple[torch.Tensor, ...], real: torch.Tensor) -> list[torch.Tensor]:
    """The gradients of states that a step hands on as they are, where `real` (N, 1) is 0; those become 0."""
    passed = [d * (1 - real) for d in d_state]
    for d in d_state:
        d.mul_(real)
    return passed


def named(place: Place, tensors: tuple[torch.Tensor, ...]) -> tuple[dict, dict]:
    """The parameters and the state by name."""
    names = tuple(place.shapes())
    return dict(zip(names, tensors)), dict(zip(place.spec.STATES, tensors[len(names) :]))


def run_direction(
    place: Place, p: dict, inputs: torch.Tensor, state: dict, mask: torch.Tensor | None
) -> tuple[torch.Tensor, dict]:
    """Hidden states (T, N, H) in the order of time, and the last state."""
    if not place.spec.RECURRENT:
        hidden = cell_of(place).apply(place, project(place, p, inputs)[:, 0])
        return hidden if mask is None else hidden * mask[:, :, None], {}
    hidden, *last = Steps.apply(place, mask, torch.is_grad_enabled(), inputs, *p.values(), *state.values())
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

"""Layers, directions and steps: the equations of `spec.py` as plain loops, differentiated by autograd.

The inputs of all steps are projected before the loop, in one product: W_xh x_t does not depend on the state.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import torch

from crossfw.models.stack.spec import Place, StackSpec


def cell_of(place: Place) -> ModuleType:
    """The module of the place's cell."""
    return import_module(f"crossfw.models.cells.{place.cell}.torch_scratch")


def project(place: Place, p: dict, inputs: torch.Tensor) -> torch.Tensor:
    """W_xh x_t and the biases that do not depend on the state: (T, N, G H) from tokens (T, N) or features (T, N, D)."""
    bias = sum(p[name] for name in place.projected_biases)
    if place.inputs == "tokens":
        return torch.embedding(p["W_xh"].T, inputs) + bias
    return inputs @ p["W_xh"].T + bias


def run_direction(
    place: Place, p: dict, inputs: torch.Tensor, state: dict, mask: torch.Tensor | None
) -> tuple[torch.Tensor, dict]:
    """Hidden states (T, N, H) in the order of time, and the last state."""
    cell, x = cell_of(place), torch.unbind(project(place, p, inputs))  # T of (N, G H)
    hidden, p = [None] * len(x), cell.prepare(place, p)
    for t in place.order(len(x)):
        new = cell.step(place, p, x[t], state)
        if mask is None:
            hidden[t] = new["h"]
            state = {name: new[name] for name in state}
        else:
            real = mask[t][:, None] > 0  # (N, 1)
            hidden[t] = torch.where(real, new["h"], 0)
            state = {name: torch.where(real, new[name], old) for name, old in state.items()}
    return torch.stack(hidden), state


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
        inputs = torch.cat(outputs, dim=-1)
        keep = batch.get(f"{stack.prefix}keep_l{layer}")
        if keep is not None:
            inputs = inputs * keep
    return inputs, last

"""Loops over layers, directions and steps; all input projections of a cell in one product before its loop."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import torch

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
        rows = p["W_xh"].T.index_select(0, inputs.flatten())
        return rows.reshape(*inputs.shape, -1) + bias
    return inputs @ p["W_xh"].T + bias


def run_direction(
    place: Place, p: dict, inputs: torch.Tensor, state: dict, mask: torch.Tensor | None
) -> tuple[torch.Tensor, dict]:
    """Hidden states (T, N, H) in the order of time, and the last state."""
    step, hidden = cell_of(place).step, []
    steps = list(enumerate(project(place, p, inputs).unbind()))
    for t, projected in reversed(steps) if place.backwards else steps:
        new = step(place, p, projected, state)
        if mask is None:
            hidden.append(new["h"])
            state = {name: new[name] for name in state}
        else:
            real = mask[t][:, None] > 0
            hidden.append(torch.where(real, new["h"], torch.zeros_like(new["h"])))
            state = {name: torch.where(real, new[name], old) for name, old in state.items()}
    return torch.stack(hidden[::-1] if place.backwards else hidden), state


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

"""The reference: plain loops over layers, directions and steps, and back-propagation through all of them by hand."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import NamedTuple

import numpy as np

from crossfw.models.stack.spec import Place, StackSpec


class BothPasses(NamedTuple):
    """What a reference model computes forward and backward.

    Attributes:
        loss: a scalar in nats.
        gradients: of every parameter, by canonical name.
        d_state: the gradient of the initial state, by name.
        last: the last state, by name.
        activations: those of `forward`.
        d_projected: the gradients of every cell's projected inputs (T, N, G H), by prefix and suffix.
    """

    loss: np.ndarray
    gradients: dict[str, np.ndarray]
    d_state: dict[str, np.ndarray]
    last: dict[str, np.ndarray]
    activations: dict[str, np.ndarray]
    d_projected: dict[str, np.ndarray]


def cell_of(place: Place) -> ModuleType:
    """The room of the place's cell."""
    return import_module(f"crossfw.models.cells.{place.cell}.numpy")


def project(place: Place, p: dict, inputs: np.ndarray) -> np.ndarray:
    """W_xh x_t and the biases that do not depend on the state: (T, N, G H) from tokens (T, N) or features (T, N, D)."""
    bias = p["b_h"] if place.biases == 1 else p["b_xh"]
    if place.biases == 2 and place.spec.folds_biases(place):
        bias = bias + p["b_hh"]
    if place.inputs == "tokens":
        return p["W_xh"].T[inputs] + bias
    return inputs @ p["W_xh"].T + bias


def run_direction(
    place: Place, p: dict, inputs: np.ndarray, state: dict, mask: np.ndarray | None
) -> tuple[np.ndarray, dict, tuple]:
    """Hidden states (T, N, H) in the order of time, the last state, and what `direction_backward` needs."""
    projected, memories = project(place, p, inputs), {}
    hidden = np.zeros((*projected.shape[:2], place.hidden_size), projected.dtype)
    for t in place.order(len(projected)):
        new, memories[t] = cell_of(place).step(place, p, projected[t], state)
        if mask is None:
            hidden[t] = new["h"]
            state = {name: new[name] for name in state}
        else:
            real = mask[t][:, None] > 0
            hidden[t] = np.where(real, new["h"], 0)
            state = {name: np.where(real, new[name], old) for name, old in state.items()}
    return hidden, state, (inputs, memories)


def direction_backward(
    place: Place, p: dict, memory: tuple, mask: np.ndarray | None, d_hidden: np.ndarray, d_state: dict, gradients: dict
) -> tuple[np.ndarray, np.ndarray | None, dict]:
    """Gradients of the projected inputs (T, N, G H), of the inputs (None for tokens) and of the first state.

    The steps are met in the opposite order; a masked step passes the gradient of its state on untouched.
    """
    inputs, memories = memory
    d_projected = np.zeros((*d_hidden.shape[:2], place.spec.GATES * place.hidden_size), d_hidden.dtype)
    for t in reversed(place.order(len(d_hidden))):
        real = True if mask is None else mask[t][:, None] > 0
        after = {name: np.where(real, value, 0) for name, value in d_state.items()}
        after["h"] = after.get("h", 0) + np.where(real, d_hidden[t], 0)
        d_projected[t], before = cell_of(place).step_backward(place, p, memories[t], after, gradients)
        d_state = {name: before[name] + np.where(real, 0, value) for name, value in d_state.items()}
    return d_projected, project_backward(place, p, inputs, d_projected, gradients), d_state


def add_to_rows(total: np.ndarray, rows: np.ndarray, values: np.ndarray) -> None:
    """total[row] += value for every row (...) and value (..., D), as often as a row is named.

    As `np.add.at`, which takes ten times as long.
    """
    rows, values = rows.reshape(-1), values.reshape(-1, values.shape[-1])
    for row in np.unique(rows):
        total[row] += values[rows == row].sum(axis=0)


def project_backward(
    place: Place, p: dict, inputs: np.ndarray, d_projected: np.ndarray, gradients: dict
) -> np.ndarray | None:
    """Collect the gradients of W_xh and of the biases; the gradient of the inputs, None for tokens."""
    d_flat = d_projected.reshape(-1, d_projected.shape[-1])
    gradients["b_h" if place.biases == 1 else "b_xh"] += d_flat.sum(axis=0)
    if place.biases == 2 and place.spec.folds_biases(place):
        gradients["b_hh"] += d_flat.sum(axis=0)
    if place.inputs == "tokens":
        add_to_rows(gradients["W_xh"].T, inputs, d_flat)
        return None
    gradients["W_xh"] += d_flat.T @ inputs.reshape(-1, inputs.shape[-1])
    return d_projected @ p["W_xh"]


def run(
    stack: StackSpec, parameters: dict, inputs: np.ndarray, state: dict, batch: dict, mask: np.ndarray | None
) -> tuple[np.ndarray, dict, list]:
    """Hidden states (T, N, width) of the last layer, the last state, and what `backward` needs.

    `batch` may hold dropout masks.
    """
    last, memory = {}, []
    for layer in range(stack.layers):
        outputs = []
        for place in stack.places(layer):
            hidden, end, kept = run_direction(place, place.parameters(parameters), inputs, place.state(state), mask)
            outputs.append(hidden)
            last.update(place.named(end))
            memory.append(kept)
        inputs = np.concatenate(outputs, axis=-1)
        keep = batch.get(f"{stack.prefix}keep_l{layer}")
        if keep is not None:
            inputs = inputs * keep
    return inputs, last, memory


def backward(
    stack: StackSpec,
    parameters: dict,
    memory: list,
    batch: dict,
    mask: np.ndarray | None,
    d_hidden: np.ndarray,
    d_last: dict,
    gradients: dict,
) -> tuple[np.ndarray | None, dict, dict]:
    """Adds to `gradients` by canonical name.

    Returns:
        the gradient of the inputs (None for tokens), of the initial state, and of the projected inputs of every cell
        (T, N, G H), by its prefix and suffix.
    """
    d_state, d_projected = {}, {}
    for layer in reversed(range(stack.layers)):
        keep = batch.get(f"{stack.prefix}keep_l{layer}")
        if keep is not None:
            d_hidden = d_hidden * keep
        parts = np.split(d_hidden, np.cumsum(stack.sizes)[:-1], axis=-1)
        d_inputs = None
        for direction, place in reversed(list(enumerate(stack.places(layer)))):
            own = place.parameters(gradients)
            d_projected[place.prefix + place.suffix], d_x, d_first = direction_backward(
                place,
                place.parameters(parameters),
                memory[layer * len(stack.sizes) + direction],
                mask,
                parts[direction],
                place.state(d_last),
                own,
            )
            d_state.update(place.named(d_first))
            d_inputs = d_x if d_inputs is None else d_inputs + d_x
        d_hidden = d_inputs
    return d_hidden, d_state, d_projected

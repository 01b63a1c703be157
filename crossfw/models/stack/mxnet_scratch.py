"""Loops over layers, directions and steps; all input projections of a cell in one product before its loop."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from mxnet import nd

from crossfw.models.stack.spec import Place, StackSpec


def cell_of(place: Place) -> ModuleType:
    """The room of the place's cell."""
    return import_module(f"crossfw.models.cells.{place.cell}.mxnet_scratch")


def unstack(array: nd.NDArray) -> list[nd.NDArray]:
    """The slices along the first axis by one `split`: the backward of indexing fills a whole zero array per step."""
    slices = nd.split(array, num_outputs=len(array), axis=0, squeeze_axis=True)
    return slices if isinstance(slices, list) else [slices]


def project(place: Place, p: dict, inputs: nd.NDArray) -> nd.NDArray:
    """W_xh x_t and the biases that do not depend on the state: (T, N, G H) from tokens (T, N) or features (T, N, D)."""
    rows = place.spec.GATES * place.hidden_size
    bias = p["b_h"] if place.biases == 1 else p["b_xh"]
    if place.biases == 2 and place.spec.folds_biases(place):
        bias = bias + p["b_hh"]
    if place.inputs == "tokens":
        return nd.broadcast_add(nd.take(p["W_xh"].T, inputs), bias.reshape((1, 1, rows)))
    return nd.FullyConnected(inputs, p["W_xh"], bias, num_hidden=rows, flatten=False)


def run_direction(
    place: Place, p: dict, inputs: nd.NDArray, state: dict, mask: nd.NDArray | None
) -> tuple[nd.NDArray, dict]:
    """Hidden states (T, N, H) in the order of time, and the last state."""
    step, hidden = cell_of(place).step, []
    steps = list(enumerate(unstack(project(place, p, inputs))))
    for t, projected in reversed(steps) if place.backwards else steps:
        new = step(place, p, projected, state)
        if mask is None:
            hidden.append(new["h"])
            state = {name: new[name] for name in state}
        else:
            real = mask[t]
            hidden.append(nd.where(real, new["h"], nd.zeros_like(new["h"])))
            state = {name: nd.where(real, new[name], old) for name, old in state.items()}
    return nd.stack(*(hidden[::-1] if place.backwards else hidden)), state


def run(
    stack: StackSpec, parameters: dict, inputs: nd.NDArray, state: dict, batch: dict, mask: nd.NDArray | None
) -> tuple[nd.NDArray, dict]:
    """Hidden states (T, N, width) of the last layer, and the last state; `batch` may hold dropout masks."""
    last = {}
    for layer in range(stack.layers):
        outputs = []
        for place in stack.places(layer):
            hidden, end = run_direction(place, place.parameters(parameters), inputs, place.state(state), mask)
            outputs.append(hidden)
            last.update(place.named(end))
        inputs = nd.concat(*outputs, dim=-1) if len(outputs) > 1 else outputs[0]
        keep = batch.get(f"{stack.prefix}keep_l{layer}")
        if keep is not None:
            inputs = inputs * keep
    return inputs, last

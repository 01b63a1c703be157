"""Layers, directions and steps: the equations of `spec.py` as plain loops, differentiated by autograd.

The inputs of all steps are projected before the loop, in one product: W_xh x_t does not depend on the state. The loop
is a hybridized block, so that MXNet runs all of it without going back to Python.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from types import ModuleType

from mxnet import nd
from mxnet.gluon import HybridBlock

from crossfw.models.stack.spec import Place, StackSpec

LOOPS = 64  # that are kept, one for each cell, number of steps and use: each has its graph


def cell_of(place: Place) -> ModuleType:
    """The module of the place's cell."""
    return import_module(f"crossfw.models.cells.{place.cell}.mxnet_scratch")


def project(place: Place, p: dict, inputs: nd.NDArray) -> nd.NDArray:
    """W_xh x_t and the biases that do not depend on the state: (T, N, G H) from tokens (T, N) or features (T, N, D)."""
    bias = sum(p[name] for name in place.projected_biases)
    if place.inputs == "tokens":
        return nd.broadcast_add(nd.take(p["W_xh"].T, inputs), bias)
    return nd.broadcast_add(nd.dot(inputs, p["W_xh"].T), bias)


class Loop(HybridBlock):
    """A cell over all steps.

    Args:
        masked: whether the last array is a mask (T, N).
    """

    def __init__(self, place: Place, steps: int, masked: bool):
        super().__init__()
        self.place, self.steps, self.masked = place, steps, masked
        self.hybridize()

    def hybrid_forward(self, F: ModuleType, projected: nd.NDArray, *arrays: nd.NDArray) -> list[nd.NDArray]:
        """Hidden states (T, N, H) in the order of time, and the last state, from the state and the parameters."""
        cell, place, names = cell_of(self.place), self.place, self.place.spec.STATES
        state = dict(zip(names, arrays))
        p = cell.prepare(F, place, dict(zip(place.recurrent, arrays[len(names) :])))
        x = F.split(projected, self.steps, axis=0, squeeze_axis=True)  # T of (N, G H)
        mask = F.split(arrays[-1], self.steps, axis=0, squeeze_axis=True) if self.masked else None  # T of (N,)
        hidden = [None] * self.steps
        for t in place.order(self.steps):
            new = cell.step(F, place, p, x[t], state)
            if mask is None:
                hidden[t] = new["h"]
                state = {name: new[name] for name in state}
            else:
                real = F.broadcast_like(F.expand_dims(mask[t], 1), new["h"])  # (N, H)
                hidden[t] = F.where(real, new["h"], F.zeros_like(real))
                state = {name: F.where(real, new[name], old) for name, old in state.items()}
        return [F.stack(*hidden, axis=0), *state.values()]


loop_of = lru_cache(LOOPS)(Loop)


def run_direction(
    place: Place, p: dict, inputs: nd.NDArray, state: dict, mask: nd.NDArray | None
) -> tuple[nd.NDArray, dict]:
    """Hidden states (T, N, H) in the order of time, and the last state."""
    projected, loop = project(place, p, inputs), loop_of(place, len(inputs), mask is not None)
    arrays = [*state.values(), *(p[name] for name in place.recurrent), *([] if mask is None else [mask])]
    hidden, *last = loop(projected, *arrays)
    return hidden, dict(zip(state, last))


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
        inputs = nd.concat(*outputs, dim=-1)
        keep = batch.get(f"{stack.prefix}keep_l{layer}")
        if keep is not None:
            inputs = inputs * keep
    return inputs, last

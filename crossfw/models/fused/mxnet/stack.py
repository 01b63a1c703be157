"""Loops over layers, directions and steps; what does not depend on the step before is done for all steps at once.

The equations are those of the reference, whose plain loops are in `numpy.py`. What is reordered, and why the result is
the same:

- The inputs are projected before the loop, all steps in one product: W_xh x_t does not depend on the state. Of tokens
  the rows of W_xh^T + b are looked up: each row is the sum that would be added up at every step.
- `Steps` back-propagates by hand (`tape`). The gradient of a gate's sum is that of the state after the step
  times a factor of forward quantities (chain rule): the factors of all steps are computed at once, and the loop from
  the last step to the first only multiplies.
- The gradient of W_hh is the sum over t of d_t h_{t-1}^T: one product over all steps and sequences, after the loop.
- Both loops are written once as graphs of array operations, which MXNet then runs without going back to Python
  (`CachedOp`, as under `hybridize`). A graph has the arrays of all steps as (T N, ...), which can be split and joined
  without another copy. Operations on its own arrays run faster than those on the arrays that it is given.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from itertools import islice
from types import ModuleType

from mxnet import autograd, nd, sym

from crossfw.models.fused.mxnet import tape
from crossfw.models.fused.mxnet.operations import add
from crossfw.models.stack.spec import Place, StackSpec

GRAPHS = 24  # of each kind that are kept, one for each cell, number of steps and use: each has its memory
FLAGS = (("static_alloc", True), ("static_shape", True), ("forward_bulk_size", 1000))  # operations given at once


def cell_of(place: Place) -> ModuleType:
    """The room of the place's cell."""
    return import_module(f"crossfw.models.fused.mxnet.{place.cell}")


def project(place: Place, p: dict, inputs: nd.NDArray) -> nd.NDArray:
    """W_xh x_t and the biases that do not depend on the state: (T, N, G H) from tokens (T, N) or features (T, N, D)."""
    rows = place.spec.GATES * place.hidden_size
    bias = p["b_h"] if place.biases == 1 else p["b_xh"]
    if place.biases == 2 and place.spec.folds_biases(place):
        bias = bias + p["b_hh"]
    if place.inputs == "tokens":
        table = nd.broadcast_add(p["W_xh"].T, bias.reshape((1, rows)))
        return nd.Embedding(inputs, table, input_dim=place.input_size, output_dim=rows)
    return nd.FullyConnected(inputs, p["W_xh"], bias, num_hidden=rows, flatten=False)


class Graph:
    """Array operations that are written once and run often, from named arrays to named arrays."""

    def __init__(self, outputs: dict[str, sym.Symbol]):
        group = sym.Group(list(outputs.values()))
        self.inputs, self.outputs = group.list_inputs(), tuple(outputs)
        self.run = nd.CachedOp(group, FLAGS)

    def __call__(self, arrays: dict[str, nd.NDArray]) -> dict[str, nd.NDArray]:
        found = self.run(*[arrays[name] for name in self.inputs])
        return dict(zip(self.outputs, found if isinstance(found, list) else [found]))


@lru_cache(GRAPHS)
def forward_graph(place: Place, steps: int, masked: bool, keeps: bool) -> Graph:
    """From `projected`, the recurrent parameters, the state and `mask` to `hidden` (T N, H) and the last state.

    With `keeps` there are also the states before all steps, "before h", and what the cell keeps.
    """
    cell, projected, mask = cell_of(place), sym.var("projected"), sym.var("mask")
    p = {name: sym.identity(sym.var(name)) for name in place.recurrent}
    state, sums = {name: sym.var(name) for name in place.spec.STATES}, by_step(projected, steps)
    found: dict[str, list] = {}
    masks = by_step(mask, steps) if masked else ()
    for t in place.order(steps):
        out = cell.step(place, p, sums[t], state)
        if masked:
            real = sym.broadcast_like(masks[t], out["h"])
            out.update({name: sym.where(real, out[name], old) for name, old in state.items()})
        for name, value in {**out, **{f"before {name}": old for name, old in state.items()}}.items():
            found.setdefault(name, [None] * steps)[t] = value
        state = {name: out[name] for name in state}
    kept = (*cell.KEPT, *(f"before {name}" for name in state)) if keeps else ()
    every = {name: sym.concat(*found[name], dim=0) for name in ("h", *kept)}
    hidden = every.pop("h")
    return Graph({**state, "hidden": sym.broadcast_mul(hidden, mask) if masked else hidden, **every})


@lru_cache(GRAPHS)
def backward_graph(place: Place, steps: int, masked: bool) -> Graph:
    """From what `forward_graph` took and gave, `d_hidden` and "d h", ... of the last state.

    To the gradients of `projected`, the recurrent parameters and the first state, by their names.
    """
    cell, d_hidden, mask = cell_of(place), sym.var("d_hidden"), sym.var("mask")
    p = {name: sym.var(name) for name in place.recurrent}
    d_state = {name: sym.var(f"d {name}") for name in place.spec.STATES}
    before = {name: sym.var(f"before {name}") for name in place.spec.STATES}
    kept, d_sums = {name: sym.var(name) for name in cell.KEPT}, [None] * steps
    factors = {n: by_step(f, steps) for n, f in cell.factors(place, kept, before, sym.var("hidden")).items()}
    d_hidden, masks = by_step(d_hidden, steps), by_step(mask, steps) if masked else ()
    for t in reversed(place.order(steps)):
        d_new, d_h = dict(d_state), d_hidden[t]
        if masked:
            real = sym.broadcast_like(masks[t], d_h)
            d_new, d_h = {name: value * real for name, value in d_new.items()}, d_h * real
        d_new["h"] = add(d_new["h"], d_h)
        d_sums[t], d_old = cell.step_backward(place, p, {name: f[t] for name, f in factors.items()}, d_new)
        if masked:
            d_old = {name: value + d_state[name] * (1 - real) for name, value in d_old.items()}
        d_state = d_old
    every = {name: sym.concat(*(found[name] for found in d_sums), dim=0) for name in d_sums[0]}
    d_p = cell.gradients(place, kept, before, every)
    return Graph({"projected": every["projected"], **{name: d_p[name] for name in p}, **d_state})


def by_step(array: sym.Symbol, steps: int) -> list[sym.Symbol]:
    """What belongs to each step, (N, ...), of an array (T N, ...)."""
    return list(sym.split(array, num_outputs=steps, axis=0))


class Steps:
    """A cell over all steps of projected inputs; its own back-propagation."""

    def __init__(self, place: Place, p: dict, projected: nd.NDArray, state: dict, mask: nd.NDArray | None):
        self.place, self.recurrent, self.projected, self.state = place, recurrent(place, p), projected, state
        self.given = {} if mask is None else {"mask": mask.reshape((-1, 1))}

    def forward(self, keeps: bool) -> tuple[nd.NDArray, dict]:
        """Hidden states (T, N, H) in the order of time, and the last state."""
        graph = forward_graph(self.place, len(self.projected), bool(self.given), keeps)
        projected = self.projected.reshape((-3, 0))
        found = graph({"projected": projected, **self.recurrent, **self.state, **self.given})
        self.last = {name: found.pop(name) for name in self.state}
        self.hidden = found["hidden"].reshape((*self.projected.shape[:2], -1))
        if keeps:
            self.given.update(found)
        return self.hidden, self.last

    def outputs(self) -> list[nd.NDArray]:
        """What the rest of the model may be computed from."""
        return [self.hidden, *self.last.values()]

    def backward(self, d_hidden: nd.NDArray, *d_last: nd.NDArray) -> tuple[list[nd.NDArray], list[nd.NDArray]]:
        """The projected inputs, a first state that needs it, and parameters that were computed, with their gradients.

        Those of all other recurrent parameters are set.
        """
        d_end = {f"d {name}": d for name, d in zip(self.last, d_last)}
        graph = backward_graph(self.place, len(self.hidden), "mask" in self.given)
        found = graph({**self.recurrent, **self.given, "d_hidden": d_hidden.reshape((-3, 0)), **d_end})
        heads, gradients = [self.projected], [found["projected"].reshape(self.projected.shape)]
        for name, value in self.recurrent.items():
            if value.grad is None:
                heads.append(value)
                gradients.append(found[name])
            else:
                found[name].copyto(value.grad)
        for name, value in self.state.items():
            if value.grad is not None:
                heads.append(value)
                gradients.append(found[name])
        return heads, gradients


def joined(directions: list[Steps], d_outputs: list[nd.NDArray]) -> tuple[list[nd.NDArray], list[nd.NDArray]]:
    """What `Steps.backward` gives, of all directions of a layer."""
    given = iter(d_outputs)
    found = [steps.backward(*islice(given, len(steps.outputs()))) for steps in directions]
    return [head for heads, _ in found for head in heads], [d for _, gradients in found for d in gradients]


def recurrent(place: Place, p: dict) -> dict:
    """The parameters that meet the state in every step; all others are in the projected inputs."""
    return {name: p[name] for name in place.recurrent}


def run_layer(
    places: tuple[Place, ...], parameters: dict, inputs: nd.NDArray, state: dict, mask: nd.NDArray | None
) -> list[tuple[nd.NDArray, dict]]:
    """For each direction the hidden states (T, N, H) in the order of time, and the last state."""
    found, directions, keeps = [], [], autograd.is_recording()
    for place in places:
        p = place.parameters(parameters)
        projected = project(place, p, inputs)
        if place.spec.RECURRENT:
            directions.append(Steps(place, p, projected, place.state(state), mask))
            with autograd.pause():
                found.append(directions[-1].forward(keeps))
        else:
            hidden = cell_of(place).apply(place, projected)
            found.append((hidden if mask is None else nd.broadcast_mul(hidden, mask.expand_dims(2)), {}))
    if keeps and directions:
        outputs = [array for steps in directions for array in steps.outputs()]
        tape.record(lambda d_outputs: joined(directions, d_outputs), outputs)
    return found


def run(
    stack: StackSpec, parameters: dict, inputs: nd.NDArray, state: dict, batch: dict, mask: nd.NDArray | None
) -> tuple[nd.NDArray, dict]:
    """Hidden states (T, N, width) of the last layer, and the last state; `batch` may hold dropout masks."""
    last = {}
    for layer in range(stack.layers):
        outputs, places = [], stack.places(layer)
        for place, (hidden, end) in zip(places, run_layer(places, parameters, inputs, state, mask)):
            outputs.append(hidden)
            last.update(place.named(end))
        inputs = nd.concat(*outputs, dim=-1) if len(outputs) > 1 else outputs[0]
        keep = batch.get(f"{stack.prefix}keep_l{layer}")
        if keep is not None:
            inputs = inputs * keep
    return inputs, last

"""What is wrong in MXNet itself: graphs that do not do what their operators do, gradients that are no derivatives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import autograd
from mxnet.base import MXNetError

from crossfw.errors import CrossfwError
from crossfw.ports.mxnet.carrier import NORMAL, UNIFORM
from crossfw.ports.mxnet.invoke import Invocation, watched

STEP = 1e-6  # of central differences
NUDGE = 1e-2  # of inputs, away from a kink
WRONG = 1e-3  # a derivative that is further off than this is no rounding, nor float32 inside float64
ROUNDED = 10.0  # times the error that float32 makes of operators one by one
STEADY = 1e-5  # what two runs of one graph may be apart
STEPPED = ("Dropout", "shuffle", "_shuffle")  # whose outputs are no function of their inputs


def relative(a: np.ndarray, b: np.ndarray) -> float:
    """max|a - b| / max|b|; inf where a is no number."""
    largest = float(np.abs(b).max(initial=0.0))
    gap = float(np.abs(a - b).max(initial=0.0))
    return gap / largest if largest > 0 else gap


def graph_errors(side: Any, seed: int, size: Any) -> dict:
    """How far graphs, as the user trains them, are from their operators run one by one, on the same weights and inputs.

    A graph without float64 runs in float32; what rounding does to its operators one by one is taken off. Gradients are
    left out where a loss operator in it has no label: they are those of whatever stands in the label's place.

    Returns:
        `dtype`; `outputs` and `gradients`, errors by name; `unsteady`, names of what another run of the same graph
        gives other numbers for. Empty where nothing is run as a graph.

    Raises:
        CrossfwError: MXNet cannot run the graph.
    """
    if not side.has_graphs:
        return {}
    kept, true = side.export(), _pass(side, seed, size)
    try:
        try:
            return _compared(side, seed, size, true, true)
        except CrossfwError:
            side.set_dtype("float32")
            side.put(kept)
            return _compared(side, seed, size, true, _pass(side, seed, size))
    finally:
        side.set_dtype("float64")
        side.put(kept)


def _compared(side: Any, seed: int, size: Any, true: tuple, plain: tuple) -> dict:
    errors: list[dict] = []
    with side.graphs():
        graph = _pass(side, seed, size)
        for i in range(2):
            own = {name: relative(plain[i][name], value) for name, value in true[i].items()}
            errors.append({n: max(0.0, relative(graph[i][n], t) - ROUNDED * own[n]) for n, t in true[i].items()})
        right = all(error <= STEADY for found in errors for error in found.values())
        again = graph if right else _pass(side, seed, size)
    twice = {**again[0], **again[1]}
    unsteady = [n for n, value in {**graph[0], **graph[1]}.items() if relative(twice[n], value) > STEADY]
    gradients = {} if side.lacks_labels else errors[1]
    return {"dtype": side.dtype, "outputs": errors[0], "gradients": gradients, "unsteady": unsteady}


def _pass(side: Any, seed: int, size: Any) -> tuple[dict, dict]:
    outputs, found = side.all_gradients(seed, size, training=False)
    return outputs, found["parameters"]


def gradient_faults(side: Any, seed: int, size: Any, training: bool) -> list[dict]:
    """Operators of a run whose gradient is not the derivative of what they compute: `operator`, `error`, `settings`."""
    seen: dict[tuple, Invocation] = {}
    with side.mode(training, seed), watched(lambda call: seen.setdefault(_key(call), call)):
        side.loss_of(side.run(side.feed(side.draw(seed, size)[0], "inputs", gradients=True)), seed, size)
    found = []
    for call in seen.values():
        error = derivative_error(call, training)
        if error > WRONG:  # beside a kink, as where a pool's window holds equal numbers, there is a derivative
            error = min(error, derivative_error(call, training, beside=NUDGE))
        if error > WRONG:
            found.append(
                {"operator": call.name, "error": error, "settings": {k: str(v) for k, v in call.attributes.items()}}
            )
    return found


def _key(call: Invocation) -> tuple:
    return call.name, repr(sorted(map(str, call.attributes.items()))), tuple(a.shape for a in call.inputs)


def derivative_error(call: Invocation, training: bool, beside: float = 0.0) -> float:
    """How far an operator's gradient along a direction is from its central difference; 0 where neither can be had.

    Args:
        beside: how far from the inputs of the run it is measured.
    """
    floats = [i for i, a in enumerate(call.inputs) if np.dtype(a.dtype) == np.float64 and a.size]
    if not floats or call.name in (*UNIFORM, *NORMAL, *STEPPED):
        return 0.0
    rng = np.random.default_rng(5)
    values = [a.asnumpy() for a in call.inputs]
    ways = {i: rng.standard_normal(values[i].shape) for i in floats}
    for i in floats if beside else ():
        values[i] = values[i] + beside * rng.standard_normal(values[i].shape)
    try:
        with autograd.record(train_mode=training):
            inputs = list(_fresh(call, values, {}, 0.0))
            for i in floats:
                inputs[i].attach_grad()
            made = _heads(call, inputs)
            heads = [mx.nd.array(rng.standard_normal(a.shape), dtype=a.dtype) for a in made]
            weighted = sum((a.as_nd_ndarray() * h).sum() for a, h in zip(made, heads)) if made else None
        if weighted is None:
            return 0.0
        weighted.backward(train_mode=training)
        slope = sum(float((inputs[i].grad.asnumpy() * ways[i]).sum()) for i in floats)
        ends = []
        for sign in (1.0, -1.0):
            with autograd.record(train_mode=training):
                moved = _heads(call, list(_fresh(call, values, ways, sign * STEP)))
            ends.append(sum(float((a.asnumpy() * h.asnumpy()).sum()) for a, h in zip(moved, heads)))
    except (MXNetError, AttributeError):
        return 0.0
    difference = (ends[0] - ends[1]) / (2 * STEP)
    scale = max(abs(difference), abs(slope), 1e-6)
    return abs(slope - difference) / scale if np.isfinite([slope, difference]).all() else float("inf")


def _fresh(call: Invocation, values: list, ways: dict, step: float) -> Iterator[Any]:
    for i, value in enumerate(values):
        moved = value + step * ways[i] if i in ways else value
        yield call.array(moved, call.inputs[i].dtype)


def _heads(call: Invocation, inputs: list) -> list:
    made = call.run(inputs, call.attributes)
    made = made if isinstance(made, list) else [made]
    return [a for a in made if np.dtype(a.dtype) == np.float64 and a.size]

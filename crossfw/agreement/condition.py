"""How much a tensor's own computation magnifies rounding errors, measured on the reference.

The length of sums does not bound everything: 1 - h^2 of a saturated tanh has lost digits before anything is summed.
So the reference computes in float32 and in float64 from the same slightly moved weights, several times; the largest
error in units of float32's eps is the tensor's condition. It scales the bounds of both dtypes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from crossfw.agreement.compare import relative_error
from crossfw.agreement.shared import Shared
from crossfw.models import reference_class
from crossfw.weights.initial import round_to_float32

DRAWS = 8
RELATIVE_MOVE = 2.0**-10


def _compute(model: str, shared: Shared, parameters: dict[str, np.ndarray], dtype: str) -> dict[str, np.ndarray]:
    """The reference's forward and backward tensors by "stage/tensor"."""
    reference = reference_class(model)(shared.spec, dtype, "cpu")
    reference.parameters.update({name: value.astype(dtype) for name, value in parameters.items()})
    inputs = shared.inputs if shared.inputs.dtype.kind == "i" else shared.inputs.astype(dtype)
    state = shared.state.astype(dtype)
    activations, last = reference.forward(inputs, state)
    loss, gradients, d_state, _ = reference.backward(inputs, shared.targets, state)
    forward = {f"forward/{name}": value for name, value in {**activations, "state": last}.items()}
    backward = {"loss": loss, **gradients, "initial state": d_state}
    return {**forward, **{f"gradients/{name}": np.asarray(value) for name, value in backward.items()}}


def measure_condition(model: str, shared: Shared, seed: int = 0) -> dict[str, float]:
    """The condition of every tensor of the stages forward and gradients, by "stage/tensor"; at least 1."""
    rng = np.random.default_rng([seed, 4])
    condition: dict[str, float] = {}
    for _ in range(DRAWS):
        moved = {
            name: round_to_float32(value * (1 + RELATIVE_MOVE * rng.uniform(-1, 1, value.shape)))
            for name, value in shared.parameters.items()
        }
        exact, rounded = (_compute(model, shared, moved, dtype) for dtype in ("float64", "float32"))
        for key, value in exact.items():
            error = relative_error(rounded[key], value) / float(np.finfo(np.float32).eps)
            condition[key] = max(condition.get(key, 1.0), error)
    return condition


def condition_of(condition: dict[str, Any], stage: str, tensor: str) -> float:
    """The condition that scales the bound of a tensor; 0 where nothing beyond sums has to be allowed for.

    An update follows from the gradients, whose squares the optimizers keep: twice the worst of them.
    """
    if stage in ("update", "optimizer state", "trajectory"):
        return 2 * max((value for key, value in condition.items() if key.startswith("gradients/")), default=0.0)
    return condition.get(f"{stage}/{tensor.removesuffix(' by steps')}", 0.0)

"""How much a tensor's own computation magnifies rounding errors, measured on the reference.

The length of sums does not bound everything: 1 - h^2 of a saturated tanh has lost digits before anything is summed.
So the reference computes in float32 and in float64 from the same slightly moved weights, several times; the largest
error in units of float32's eps is the tensor's condition. It scales the bounds of both dtypes.
"""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

from crossfw.agreement.compare import relative_error
from crossfw.models import reference_class
from crossfw.models.initial import round_to_float32

DRAWS = 8
RELATIVE_MOVE = 2.0**-10


def _compute(model: str, spec: Any, parameters: dict, given: dict, dtype: str) -> dict[str, np.ndarray]:
    """The reference's tensors of forward, loss and gradients, by "stage/tensor"."""
    reference = reference_class(model)(spec, dtype, "cpu")
    reference.parameters.update(_map(parameters, lambda value: value.astype(dtype)))
    typed = _map(given, lambda value: value.astype(dtype))
    with np.errstate(all="ignore"):  # what overflows here is found by the caller
        both = reference.backward(typed["batch"], typed["state"])
        made_up = reference.loss(typed["output"], typed["batch"])
    forward = {f"forward/{name}": value for name, value in {**both.activations, **of_state("state", both.last)}.items()}
    backward = {"loss": both.loss, **both.gradients, **of_state("initial state", both.d_state)}
    found = {**forward, "loss/loss": made_up, **{f"gradients/{name}": value for name, value in backward.items()}}
    return {name: np.asarray(value) for name, value in found.items()}


def of_state(what: str, state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays of a state as tensors of a trace."""
    return {f"{what} {name}": value for name, value in state.items()}


def _map(arrays: Any, change: Callable[[np.ndarray], np.ndarray]) -> Any:
    """The same nested dict with every real array changed."""
    if isinstance(arrays, dict):
        return {name: _map(value, change) for name, value in arrays.items()}
    return change(arrays) if arrays.dtype.kind == "f" else arrays


def measure_condition(model: str, spec: Any, parameters: dict, given: dict, seed: int = 0) -> dict[str, float]:
    """The condition of every tensor of the stages forward, loss and gradients, by "stage/tensor"; at least 1.

    Args:
        parameters: by canonical name.
        given: `batch`, `state`, and `output` for the loss alone.
    """
    rng = np.random.default_rng([seed, 4])
    condition: dict[str, float] = {}

    def moved(value: np.ndarray) -> np.ndarray:
        """Other digits in a real number, so that no draw is lucky in the way of another; masks stay 0 and 1."""
        if np.isin(value, (0, 1)).all():
            return value
        return round_to_float32(value * (1 + RELATIVE_MOVE * rng.uniform(-1, 1, value.shape)))

    for _ in range(DRAWS):
        drawn = _map(parameters, moved), _map(given, moved)
        exact, rounded = (_compute(model, spec, *drawn, dtype) for dtype in ("float64", "float32"))
        for key, value in exact.items():
            error = relative_error(rounded[key], value) / float(np.finfo(np.float32).eps)
            condition[key] = max(condition.get(key, 1.0), error)
    return condition


def condition_of(condition: dict[str, float], stage: str, tensor: str) -> float:
    """The condition that scales the bound of a tensor; 0 where nothing beyond sums has to be allowed for.

    A whole training step follows from the gradients, whose squares the optimizers keep: twice the worst of them.
    """
    if "whole step" in tensor or stage == "trajectory":
        return 2 * max((value for key, value in condition.items() if key.startswith("gradients/")), default=0.0)
    plain = tensor.removesuffix(" by steps").removesuffix(" without dropout")
    return condition.get(f"{stage}/{plain}", 0.0)

"""How far apart two correct ports may be: derived from dtype, size and depth, never tuned.

In float64 the bound is 1e-10 (`crossfw.agreement.bounds.CEILING`): rounding stays a hundred times below it in sound
models, a fault does not come near. A tensor beyond it is measured once more with the weights one unit in the last place
away, on the MXNet side alone; where NOISE times that change covers the error, the tensor is ill-conditioned, and is
judged by that noise, but never forgiven more than the root of the dtype's ceiling (1e-5 in float64).

In float32 the error of either side against float64 is told; a tensor is different beyond

    SAFETY eps sqrt(terms) depth        terms: the longest sum; depth: layers in a row, times steps

or NOISE times what one unit in the last place of float32 does to it, and never within more than 1e-2.

After an update the step is compared, not the weight, and a step that is small beside its weight is known to the
weight's last place only. In float64 MXNet's operators of updates, which hold learning rate, momentum and betas as C
floats whatever the dtype, are computed exactly (`crossfw.ports.mxnet.exact_updates`), so that the bound is that of any
tensor. Where they round after all (float32, or an operator without an exact form) what is left of 1 - beta is rounded
with it, and a step is exact to eps(float32) (SAFETY + 1 / (1 - beta)) only. MXNet's BatchNorm holds momentum as a C
float too, so running statistics have the same bound.
"""

from __future__ import annotations

import numpy as np

from crossfw.agreement.bounds import CEILING, SAFETY
from crossfw.matching.units import Unit

NOISE = 100.0
EPS32 = float(np.finfo(np.float32).eps)


def longest_sum(units: list[Unit]) -> int:
    """Terms of the longest inner product in the model."""
    shapes = [slot.shape for unit in units for slot in unit.slots if len(slot.shape) > 1]
    return max([1, *(int(np.prod(shape[1:])) for shape in shapes)])


def rounding_bound(dtype: str, terms: int, depth: int) -> float:
    """The bound on a tensor of a forward or backward pass."""
    if dtype == "float64":
        return CEILING["float64"]
    return float(min(CEILING[dtype], SAFETY * np.finfo(dtype).eps * np.sqrt(terms) * max(depth, 1)))


def step_bound(dtype: str, decay: float, updates: int, rounding: float) -> float:
    """The bound on a step where the hyper-parameters are C floats on one side."""
    return min(CEILING["float32"], EPS32 * (SAFETY + 1.0 / (1.0 - decay)) * updates + rounding)

"""How far rounding alone may take two correct implementations apart: one table, derived, never tuned.

A sum of n rounded terms has a relative error of about eps sqrt(n) (Higham, "Accuracy and Stability of Numerical
Algorithms", 2002, section 2.6: the rule of thumb for random rounding errors), and a recurrence over T steps adds
up the errors of its steps. With SAFETY for the constants and for heavy tails:

    bound = SAFETY eps(dtype) max(sqrt(terms) depth, condition ELEMENTARY(dtype))      and at least eps(dtype) memory

`terms` is the longest sum on the way to the tensor and `depth` the number of sums that feed one another. `condition`
is what the reference itself was measured to lose in float32, in units of eps (`condition.py`); it computes exp, log and
tanh to within about one eps, and ELEMENTARY says how many eps a framework's own may be off. In float32 that is 30 for
MXNet 1.9.1 (its log_softmax on oneDNN: probabilities sum to 1 within 3.6e-6 only) and about 1 for torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

SAFETY = 8.0
ELEMENTARY = {"float64": 2.0, "float32": 32.0}
CEILING = {"float64": 1e-10, "float32": 1e-2}  # no bound is wider: a task that needs it is ill-conditioned
EXACT = ("self-agreement", "parameters")


@dataclass(frozen=True)
class Size:
    """What the bounds of a model and a batch depend on.

    Attributes:
        depth: sums that feed one another, T times the layers; positions: T N; longest_sum: terms of the longest inner
            product; parameters: how many numbers.
    """

    depth: int
    positions: int
    longest_sum: int
    parameters: int

    @classmethod
    def of(cls, spec: Any, batch: dict[str, np.ndarray]) -> Size:
        """The size of a model with one batch."""
        count = sum(int(np.prod(shape)) for shape in spec.shapes().values())
        return cls(spec.depth(batch), batch["inputs"].shape[0] * batch["inputs"].shape[1], spec.longest_sum(), count)


def bound(stage: str, dtype: str, size: Size, condition: float = 0.0, updates: int = 1, memory: float = 0.0) -> float:
    """The bound on max|a - b| / max|b| for a tensor of a stage.

    Args:
        condition: of the tensor.
        updates: multiplies the bound of a trajectory.
        memory: 1 / (1 - beta) of an optimizer: some hold beta in the dtype of the weights, and the eps that this costs
            is so many times more of 1 - beta.
    """
    if stage in EXACT:
        return 0.0
    through_time = max(size.longest_sum, size.positions), size.depth
    terms, depth = {
        "forward": (size.longest_sum, size.depth),
        "loss": (max(size.longest_sum, size.positions), 1),
        "gradients": through_time,
        "clipping": (size.parameters, 1),
        "update": through_time,
        "optimizer state": through_time,
        "trajectory": through_time,
    }[stage]
    rounding = SAFETY * float(np.finfo(dtype).eps) * max(np.sqrt(terms) * depth, condition * ELEMENTARY[dtype])
    rounding = max(rounding, float(np.finfo(dtype).eps) * memory)
    return float(min(rounding, CEILING[dtype]) * updates)

"""A language model must not see the future: a change of the inputs after t must not move outputs up to t."""

from __future__ import annotations

from typing import Any

import numpy as np

from crossfw.agreement.shared import Shared


def change_through_the_future(backend: Any, shared: Shared) -> float | None:
    """How far outputs in the first half of the steps move when the tokens of the second half are changed.

    Returns:
        max|change| / max|output|, exactly 0 for a causal model; None where there is no later step or no token.
    """
    steps = len(shared.inputs)
    if steps < 2 or shared.spec.inputs != "tokens":
        return None
    middle = steps // 2
    changed = shared.inputs.copy()
    changed[middle:] = (changed[middle:] + 1) % shared.spec.input_size
    before, after = (
        backend.call("forward", inputs=inputs, state=shared.state)["output"][:middle]
        for inputs in (shared.inputs, changed)
    )
    return float(np.abs(after - before).max() / np.abs(before).max())

"""A language model must not see the future: a change of the inputs after t must not move outputs up to t."""

from __future__ import annotations

from typing import Any

import numpy as np

from crossfw.agreement.shared import Shared


def change_through_the_future(backend: Any, shared: Shared) -> float | None:
    """How far outputs in the first half of the steps move when the tokens of the second half are changed.

    Returns:
        max|change| / max|output|, exactly 0 for a causal model; None for other models than language models, and where
        there is no later step.
    """
    inputs, spec = shared.batch["inputs"], shared.spec
    if len(inputs) < 2 or getattr(spec, "head", None) != "language model" or spec.inputs != "tokens":
        return None
    middle = len(inputs) // 2
    changed = inputs.copy()
    changed[middle:] = (changed[middle:] + 1) % spec.input_size
    before, after = (
        backend.call("forward", batch={**shared.batch, "inputs": tokens}, state=shared.state)["activations"]["output"]
        for tokens in (inputs, changed)
    )
    return float(np.abs(after[:middle] - before[:middle]).max() / np.abs(before[:middle]).max())

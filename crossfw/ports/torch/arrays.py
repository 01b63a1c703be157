"""Arrays of torch as leaves of a nest, and as NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch


def is_array(value: Any) -> bool:
    """Whether a value is one of the framework's arrays, or of NumPy's."""
    return isinstance(value, (torch.Tensor, np.ndarray, np.generic, int, float)) and not isinstance(value, bool)


def is_lazy(value: Any) -> bool:
    """Whether a parameter has no numbers before the first run."""
    return isinstance(value, torch.nn.parameter.UninitializedTensorMixin)


def to_numpy(value: Any) -> np.ndarray:
    """A NumPy array of any leaf."""
    if not isinstance(value, torch.Tensor):
        return np.asarray(value)
    value = value.detach().resolve_conj()
    return (value.float() if value.dtype is torch.bfloat16 else value).cpu().numpy()

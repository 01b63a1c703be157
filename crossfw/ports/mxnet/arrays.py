"""Arrays of MXNet as leaves of a nest, and as NumPy's."""

from __future__ import annotations

from typing import Any

import mxnet as mx
import numpy as np


def is_array(value: Any) -> bool:
    """Whether a value is one of the framework's arrays, or of NumPy's."""
    return isinstance(value, (mx.nd.NDArray, np.ndarray, np.generic, int, float)) and not isinstance(value, bool)


def to_numpy(value: Any) -> np.ndarray:
    """A NumPy array of any leaf."""
    if not isinstance(value, mx.nd.NDArray):
        return np.asarray(value)
    return (value if value.stype == "default" else value.tostype("default")).asnumpy()

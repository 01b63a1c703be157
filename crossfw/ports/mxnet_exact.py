"""Operators that MXNet 1.9.1 computes in float32 whatever the dtype, written exactly for float64.

`LeakyReLU` (also as PReLU and GELU) holds its slope as a C float and its GELU calls the float32 `erf`; `erf` itself has
a gradient of float32 accuracy (src/operator/leaky_relu-inl.h, mshadow_op.h). In float64, which decides what a model
means, they are replaced while a model runs; in float32 MXNet's own are used. A SymbolBlock keeps its own operators.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import autograd

from crossfw.ports.masks import Masks

NOTE = "MXNet computes {} in float32 whatever the dtype: in float64 an exact form stands in for it"
_erf = np.vectorize(math.erf, otypes=[np.float64])


class Exact(autograd.Function):
    """An elementwise function given by its values and its slopes, NumPy functions of NumPy arrays."""

    def __init__(self, value: Any, slope: Any):
        super().__init__()
        self.value, self.slope = value, slope

    def forward(self, x: Any) -> Any:
        """The function's values."""
        self.x = x
        return as_like(self.value(x.asnumpy()), x)

    def backward(self, dy: Any) -> Any:
        """The gradient of the argument."""
        return dy * as_like(self.slope(self.x.asnumpy()), dy)


def as_like(array: np.ndarray, model: Any) -> Any:
    """An array of the same interface and dtype."""
    make = mx.np.array if isinstance(model, mx.np.ndarray) else mx.nd.array
    return make(array, dtype=model.dtype)


def erf(x: Any) -> Any:
    """erf(x)."""
    return Exact(_erf, lambda a: 2 / math.sqrt(math.pi) * np.exp(-a * a))(x)


def gelu(x: Any) -> Any:
    """x Phi(x), Phi the normal distribution's."""

    def phi(a: np.ndarray) -> np.ndarray:
        return 0.5 * (1 + _erf(a / math.sqrt(2)))

    return Exact(lambda a: a * phi(a), lambda a: phi(a) + a * np.exp(-a * a / 2) / math.sqrt(2 * math.pi))(x)


def leaky(x: Any, slope: float) -> Any:
    """x where it is positive, slope x elsewhere."""
    return Exact(lambda a: np.where(a > 0, a, slope * a), lambda a: np.where(a > 0, 1.0, slope))(x)


def prelu(x: Any, alpha: Any) -> Any:
    """x where it is positive, alpha x elsewhere; alpha (1,) or one for each channel, the second axis."""
    relu = mx.npx.relu if isinstance(x, mx.np.ndarray) else mx.nd.relu
    alpha = alpha.reshape((1, -1) + (1,) * (x.ndim - 2)) if x.ndim > 1 else alpha
    if isinstance(x, mx.np.ndarray):
        return relu(x) - alpha * relu(-x)
    return relu(x) - mx.nd.broadcast_mul(relu(-x), alpha)


@contextlib.contextmanager
def exact_operators(masks: Masks) -> Iterator[None]:
    """Within it the imperative operators are exact for float64 arrays; `masks` keeps the remark."""
    plain = {"LeakyReLU": mx.nd.LeakyReLU, "leaky_relu": mx.npx.leaky_relu, "erf": mx.nd.erf, "np_erf": mx.npx.erf}

    def leaky_family(own: Any) -> Any:
        def operator(data: Any, gamma: Any = None, act_type: str = "leaky", slope: float = 0.25, **more: Any) -> Any:
            exact = {
                "leaky": lambda: leaky(data, slope),
                "prelu": lambda: prelu(data, gamma),
                "gelu": lambda: gelu(data),
            }
            if data.dtype != np.float64 or act_type not in exact:
                given = () if gamma is None else (gamma,)
                return own(data, *given, act_type=act_type, slope=slope, **more)
            masks.note(NOTE.format({"leaky": "LeakyReLU", "prelu": "PReLU", "gelu": "GELU"}[act_type]))
            return exact[act_type]()

        return operator

    def erf_operator(own: Any) -> Any:
        def operator(data: Any, **more: Any) -> Any:
            if data.dtype != np.float64:
                return own(data, **more)
            masks.note(NOTE.format("erf"))
            return erf(data)

        return operator

    legacy = {"LeakyReLU": leaky_family(plain["LeakyReLU"]), "erf": erf_operator(plain["erf"])}
    numpy = {"leaky_relu": leaky_family(plain["leaky_relu"]), "erf": erf_operator(plain["np_erf"])}
    places = [(mx.nd, legacy), (mx.nd.op, legacy), (mx.npx, numpy), (mx.nd.numpy_extension, numpy)]
    kept = [(m, name, getattr(m, name)) for m, new in places for name in new if hasattr(m, name)]
    try:
        for module, new in places:
            for name, operator in new.items():
                if hasattr(module, name):
                    setattr(module, name, operator)
        yield
    finally:
        for module, name, operator in kept:
            setattr(module, name, operator)

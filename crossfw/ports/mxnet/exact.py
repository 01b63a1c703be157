"""Operators that MXNet 1.9.1 computes in float32 whatever the dtype, written exactly for float64.

`LeakyReLU` (also as PReLU, ELU, SELU and GELU) holds its slope as a C float and its GELU calls the float32 `erf`;
`erf`, `erfinv`, `gamma` and `gammaln` have gradients of float32 accuracy (src/operator/leaky_relu-inl.h,
mshadow_op.h); `clip` and `hard_sigmoid` hold their constants as C floats (tensor/matrix_op-inl.h,
elemwise_unary_op.h); BatchNorm's own default of epsilon is one; `BilinearResize2D` computes its weights in float32
(contrib/bilinear_resize-inl.h); `RNN` with relu rounds its states (rnn_impl.h). In float64, which decides what a model
means, they are replaced while a model runs; in float32 MXNet's own are used.
"""

from __future__ import annotations

import math
from typing import Any, Callable, Optional

import mxnet as mx
import numpy as np
from mxnet import autograd

from crossfw.ports.mxnet.invoke import Invocation
from crossfw.ports.mxnet.resize import resized
from crossfw.ports.mxnet.rnn import relu_network

NOTE = "MXNet computes {} in float32 whatever the dtype: in float64 an exact form stands in for it"
SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
DEFAULT_EPS = 1e-3  # of BatchNorm
Form = Callable[[Invocation], Optional[tuple]]  # (what is replaced, the result); None where MXNet's own is exact
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


def digamma(a: np.ndarray) -> np.ndarray:
    """The slope of log gamma, by its recurrence, by reflection and by its series at large arguments."""
    up = np.where(a > 0, a, 1 - a)
    found = np.zeros_like(up)
    for _ in range(10):
        found, up = found - 1 / up, up + 1
    terms = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
    found += np.log(up) - 1 / (2 * up) - sum(c / up ** (2 * k + 2) for k, c in enumerate(terms))
    return np.where(a > 0, found, found - math.pi / np.tan(math.pi * np.where(a > 0, 0.5, a)))


def with_slope(slope: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Form:
    """MXNet's own values with another slope, a function of argument and value."""

    def form(call: Invocation) -> tuple:
        with autograd.pause():
            y = call.plain()
        values = (y[0] if isinstance(y, list) else y).asnumpy()
        made = Exact(lambda a: values, lambda a: slope(a, values))
        return f"the gradient of {call.name.removeprefix('_npx_')}", made(call.inputs[0])

    return form


def gelu(x: Any) -> Any:
    """x Phi(x), Phi the normal distribution's."""

    def phi(a: np.ndarray) -> np.ndarray:
        return 0.5 * (1 + _erf(a / math.sqrt(2)))

    return Exact(lambda a: a * phi(a), lambda a: phi(a) + a * np.exp(-a * a / 2) / math.sqrt(2 * math.pi))(x)


def leaky(x: Any, slope: float) -> Any:
    """x where it is positive, slope x elsewhere."""
    return Exact(lambda a: np.where(a > 0, a, slope * a), lambda a: np.where(a > 0, 1.0, slope))(x)


def elu(x: Any, alpha: float, scale: float = 1.0) -> Any:
    """scale x where it is positive, scale alpha (exp(x) - 1) elsewhere."""

    def value(a: np.ndarray) -> np.ndarray:
        return scale * np.where(a > 0, a, alpha * np.expm1(np.minimum(a, 0)))

    return Exact(value, lambda a: scale * np.where(a > 0, 1.0, alpha * np.exp(np.minimum(a, 0))))(x)


def prelu(x: Any, alpha: Any) -> Any:
    """x where it is positive, alpha x elsewhere; alpha (1,) or one for each channel, the second axis."""
    relu = mx.npx.relu if isinstance(x, mx.np.ndarray) else mx.nd.relu
    if alpha.ndim == 1 or alpha.ndim != x.ndim:
        alpha = alpha.reshape((1, -1) + (1,) * (x.ndim - 2)) if x.ndim > 1 else alpha
    if isinstance(x, mx.np.ndarray):
        return relu(x) - alpha * relu(-x)
    return relu(x) - mx.nd.broadcast_mul(relu(-x), alpha)


def _leaky_family(call: Invocation) -> tuple | None:
    kind, slope = call.attribute("act_type", "leaky"), call.attribute("slope", 0.25)
    data = call.inputs[0]
    forms: dict[str, tuple[str, Callable[[], Any]]] = {
        "leaky": ("LeakyReLU", lambda: leaky(data, slope)),
        "elu": ("ELU", lambda: elu(data, slope)),
        "selu": ("SELU", lambda: elu(data, SELU_ALPHA, SELU_SCALE)),
        "gelu": ("GELU", lambda: gelu(data)),
        "prelu": ("PReLU", lambda: prelu(data, call.inputs[1])),
    }
    return (forms[kind][0], forms[kind][1]()) if kind in forms else None


def _clip(call: Invocation) -> tuple | None:
    low, high = (call.attribute(name, None) for name in ("a_min", "a_max"))
    if all(bound is None or float(np.float32(bound)) == bound for bound in (low, high)):
        return None
    low, high = (-np.inf if low is None else low), (np.inf if high is None else high)
    inside = Exact(lambda a: np.clip(a, low, high), lambda a: ((a >= low) & (a <= high)).astype(a.dtype))
    return "clip", inside(call.inputs[0])


def _hard_sigmoid(call: Invocation) -> tuple:
    slope, shift = call.attribute("alpha", 0.2), call.attribute("beta", 0.5)

    def slopes(a: np.ndarray) -> np.ndarray:
        y = slope * a + shift
        return np.where((y > 0) & (y < 1), slope, 0.0)

    return "hard_sigmoid", Exact(lambda a: np.clip(slope * a + shift, 0, 1), slopes)(call.inputs[0])


def _batch_norm(call: Invocation) -> tuple | None:
    if "eps" in call.attributes:
        return None
    return "BatchNorm's default epsilon, 1e-3,", call.given(eps=DEFAULT_EPS).plain()


def _resize(call: Invocation) -> tuple | None:
    made = resized(call)
    return None if made is None else ("BilinearResize2D", made)


def _rnn(call: Invocation) -> tuple | None:
    if call.attribute("mode", "") != "rnn_relu" or len(call.inputs) > 3:
        return None
    return "RNN with relu", relu_network(call)


FORMS: dict[str, Form] = {
    "LeakyReLU": _leaky_family,
    "erf": lambda call: ("erf", erf(call.inputs[0])),
    "_npx_erf": lambda call: ("erf", erf(call.inputs[0])),
    **dict.fromkeys(("erfinv", "_npx_erfinv"), with_slope(lambda a, y: math.sqrt(math.pi) / 2 * np.exp(y * y))),
    **dict.fromkeys(("gamma", "_npx_gamma"), with_slope(lambda a, y: y * digamma(a))),
    **dict.fromkeys(("gammaln", "_npx_gammaln"), with_slope(lambda a, y: digamma(a))),
    "clip": _clip,
    "_npi_clip": _clip,
    "hard_sigmoid": _hard_sigmoid,
    "BatchNorm": _batch_norm,
    "_contrib_SyncBatchNorm": _batch_norm,
    "_contrib_BilinearResize2D": _resize,
    "RNN": _rnn,
}


def exact(call: Invocation) -> tuple | None:
    """(what is replaced, the result) of an exact form of a float64 operator; None where there is none."""
    form = FORMS.get(call.name)
    if form is None or not call.inputs or call.inputs[0].dtype != np.float64:
        return None
    made = form(call)
    if made is None:
        return None
    what, result = made
    return what, (result if isinstance(result, (list, tuple)) else call.one(result))

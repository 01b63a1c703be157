"""MXNet's operators that update weights, exact in float64.

Their scalars (learning rate, momentum, betas, ...) are C floats whatever the dtype of the weights, so that a step is
off by 1e-7 and an average of squares by 1e-5 (src/operator/optimizer_op-inl.h, contrib/multi_lamb-inl.h, adamw-inl.h of
1.9.1). While a user's clipping or Trainer steps in float64, every call of such an operator is computed here instead, in
the same form and with the same order of clipping and decay. All calls from Python pass `_imperative_invoke`, those of a
user's own optimizer too, whatever name it imported.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Callable

import mxnet as mx
import numpy as np
from mxnet import base
from mxnet.ndarray import register

NOTE = "MXNet holds {} as C floats whatever the dtype: in float64 an exact form stands in for it"
SCALARS = "the scalars of its optimizers"


def _clipped(x: np.ndarray, limit: float) -> np.ndarray:
    return np.clip(x, -limit, limit) if limit >= 0 else x


def _gradient(w: np.ndarray, g: np.ndarray, s: dict) -> np.ndarray:
    """Rescaled, clipped, then decayed."""
    return _clipped(s.get("rescale_grad", 1.0) * g, s.get("clip_gradient", -1.0)) + s.get("wd", 0.0) * w


def _decayed(w: np.ndarray, g: np.ndarray, s: dict) -> np.ndarray:
    """Rescaled, decayed, then clipped."""
    return _clipped(s.get("rescale_grad", 1.0) * g + s.get("wd", 0.0) * w, s.get("clip_gradient", -1.0))


def _sgd(s: dict, w: np.ndarray, g: np.ndarray) -> tuple:
    return (w - s["lr"] * _gradient(w, g, s),)


def _sgd_mom(s: dict, w: np.ndarray, g: np.ndarray, m: np.ndarray) -> tuple:
    m = s.get("momentum", 0.0) * m - s["lr"] * _gradient(w, g, s)
    return w + m, m


def _nag_mom(s: dict, w: np.ndarray, g: np.ndarray, m: np.ndarray) -> tuple:
    """The buffer is decayed with the weight that has just been written."""
    mu, rescaled = s.get("momentum", 0.0), _gradient(w, g, {**s, "wd": 0.0})
    m = mu * m
    new = w - m + (mu + 1) * (m - s["lr"] * (rescaled + s.get("wd", 0.0) * w))
    return new, m - s["lr"] * (rescaled + s.get("wd", 0.0) * new)


def _averages(s: dict, g: np.ndarray, m: np.ndarray, v: np.ndarray) -> tuple:
    b1, b2 = s.get("beta1", 0.9), s.get("beta2", 0.999)
    return b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g


def _adam(s: dict, w: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray) -> tuple:
    m, v = _averages(s, _decayed(w, g, s), m, v)
    return w - s["lr"] * m / (np.sqrt(v) + s.get("epsilon", 1e-8)), m, v


def _adamw(s: dict, w: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray, scale: np.ndarray) -> tuple:
    m, v = _averages(s, _clipped(scale * g, s.get("clip_gradient", -1.0)), m, v)
    step = s["lr"] * m / (np.sqrt(v) + s.get("epsilon", 1e-8)) + s.get("wd", 0.0) * w
    return w - s["eta"] * step, m, v


def _rmsprop(s: dict, w: np.ndarray, g: np.ndarray, n: np.ndarray) -> tuple:
    g, rho = _decayed(w, g, s), s.get("gamma1", 0.95)
    n = (1 - rho) * g * g + rho * n
    new = w - s["lr"] * g / np.sqrt(n + s.get("epsilon", 1e-8))
    return _clipped(new, s.get("clip_weights", -1.0)), n


def _rmspropalex(s: dict, w: np.ndarray, g: np.ndarray, n: np.ndarray, a: np.ndarray, d: np.ndarray) -> tuple:
    g, rho = _decayed(w, g, s), s.get("gamma1", 0.95)
    n, a = (1 - rho) * g * g + rho * n, (1 - rho) * g + rho * a
    d = s.get("gamma2", 0.9) * d - s["lr"] * g / np.sqrt(n - a * a + s.get("epsilon", 1e-8))
    return _clipped(w + d, s.get("clip_weights", -1.0)), n, a, d


def _ftrl(s: dict, w: np.ndarray, g: np.ndarray, z: np.ndarray, n: np.ndarray) -> tuple:
    g, lr, lamda = _gradient(w, g, {**s, "wd": 0.0}), s["lr"], s.get("lamda1", 0.01)
    z = z + g - (np.sqrt(n + g * g) - np.sqrt(n)) * w / lr
    n = n + g * g
    d = -np.sign(z) * np.maximum(np.abs(z) - lamda, 0.0)
    return d / ((s.get("beta", 1.0) + np.sqrt(n)) / lr + s.get("wd", 0.0)), z, n


def _ftml(s: dict, w: np.ndarray, g: np.ndarray, d: np.ndarray, v: np.ndarray, z: np.ndarray) -> tuple:
    b1, b2, t = s.get("beta1", 0.6), s.get("beta2", 0.999), s["t"]
    g = _decayed(w, g, {**s, "clip_gradient": s.get("clip_grad", -1.0)})
    v = b2 * v + (1 - b2) * g * g
    now = (1 - b1**t) / s["lr"] * (np.sqrt(v / (1 - b2**t)) + s.get("epsilon", 1e-8))
    z = b1 * z + (1 - b1) * g - (now - b1 * d) * w
    return -z / now, now, v, z


def _signsgd(s: dict, w: np.ndarray, g: np.ndarray) -> tuple:
    return ((1 - s["lr"] * s.get("wd", 0.0)) * w - s["lr"] * np.sign(g),)


def _signum(s: dict, w: np.ndarray, g: np.ndarray, m: np.ndarray) -> tuple:
    mu = s.get("momentum", 0.0)
    m = mu * m - (1 - mu) * _gradient(w, g, s)
    return (1 - s["lr"] * s.get("wd_lh", 0.0)) * w + s["lr"] * np.sign(m), m


def _lamb_direction(s: dict, w: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray) -> tuple:
    m, v = _averages(s, _clipped(s.get("rescale_grad", 1.0) * g, s.get("clip_gradient", -1.0)), m, v)
    mean, square = m, v
    if s.get("bias_correction", True):
        mean, square = m / (1 - s.get("beta1", 0.9) ** s["t"]), v / (1 - s.get("beta2", 0.999) ** s["t"])
    return mean / (np.sqrt(square) + s.get("epsilon", 1e-6)) + s.get("wd", 0.0) * w, m, v


def _lamb_step(s: dict, w: np.ndarray, u: np.ndarray, norm: np.ndarray, other: np.ndarray) -> tuple:
    norm, other = float(norm.reshape(-1)[0]), float(other.reshape(-1)[0])
    if s.get("lower_bound", -1.0) >= 0:
        norm = max(norm, s["lower_bound"])
    if s.get("upper_bound", -1.0) >= 0:
        norm = min(norm, s["upper_bound"])
    return (w - s["lr"] * (norm / other if norm and other else 1.0) * u,)


def _lamb(s: dict, w: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray) -> tuple:
    u, m, v = _lamb_direction(s, w, g, m, v)
    return *_lamb_step(s, w, u, np.asarray(np.linalg.norm(w)), np.asarray(np.linalg.norm(u))), m, v


@dataclass(frozen=True)
class Operator:
    """An operator that updates weights.

    Attributes:
        rule: (scalars, weight, gradient, states and what is shared) -> (new weight, new states).
        arrays: of one weight among the operator's arguments: itself, its gradient, its states.
        lists: the name of a list of scalars, one for each weight, by the rule's name of the scalar.
        shared: arrays at the end, for all weights.
    """

    rule: Callable
    arrays: int
    lists: dict = field(default_factory=dict)
    shared: int = 0

    def run(self, scalars: dict, given: list, out: Any) -> Any:
        """What MXNet's call gives; states are written in place."""
        outs = list(out) if isinstance(out, (list, tuple)) else [out]
        more = [_numpy(a) for a in given[len(given) - self.shared :]]
        found = []
        for i in range((len(given) - self.shared) // self.arrays):
            own = given[i * self.arrays : (i + 1) * self.arrays]
            mine = {**scalars, **{name: float(scalars[key][i]) for name, key in self.lists.items()}}
            new, *states = self.rule(mine, *map(_numpy, own), *more)
            for array, value in zip(own[2:], states):
                array[:] = value
            found.append(mx.nd.array(new, dtype=np.float64) if outs[i] is None else outs[i])
            found[-1][:] = new
        return found[0] if out is None else out


EACH = {"lr": "lrs", "wd": "wds"}
OPERATORS = {
    "sgd_update": Operator(_sgd, 2),
    "sgd_mom_update": Operator(_sgd_mom, 3),
    "multi_sgd_update": Operator(_sgd, 2, EACH),
    "multi_sgd_mom_update": Operator(_sgd_mom, 3, EACH),
    "nag_mom_update": Operator(_nag_mom, 3),
    "adam_update": Operator(_adam, 4),
    "_adamw_update": Operator(_adamw, 4, shared=1),
    "_multi_adamw_update": Operator(_adamw, 4, {**EACH, "eta": "etas"}, shared=1),
    "rmsprop_update": Operator(_rmsprop, 3),
    "rmspropalex_update": Operator(_rmspropalex, 5),
    "ftrl_update": Operator(_ftrl, 4),
    "ftml_update": Operator(_ftml, 5),
    "signsgd_update": Operator(_signsgd, 2),
    "signum_update": Operator(_signum, 3),
    "lamb_update_phase1": Operator(_lamb_direction, 4),
    "lamb_update_phase2": Operator(_lamb_step, 4),
    "_multi_lamb_update": Operator(_lamb, 4, {"lr": "learning_rates", "wd": "wds", "t": "step_count"}),
}
INEXACT = (
    "preloaded_multi_sgd_update",
    "preloaded_multi_sgd_mom_update",
    "multi_lars",
    "_sparse_adagrad_update",
    "_contrib_group_adagrad_update",
)


@lru_cache(maxsize=1)
def _handles(names: tuple) -> dict[int, str]:
    """Operators by the handle that a call of theirs passes."""
    found = {}
    for name in names:
        handle = ctypes.c_void_p()
        if base._LIB.NNGetOpHandle(base.c_str(name), ctypes.byref(handle)) == 0:
            found[handle.value] = name
    return found


def _numpy(array: Any) -> np.ndarray:
    return array.asnumpy().astype(np.float64)


def _scalars(keys: Any, values: Any) -> dict:
    """The scalars of a call as Python's numbers."""
    return {k: v if isinstance(v, (bool, list, tuple)) else float(v) for k, v in zip(keys, values) if v is not None}


class ExactUpdates:
    """Stands in for MXNet's operators of updates; see the module.

    Attributes:
        notes: remarks on what it stood in for.
        rounded: names of operators that rounded after all.
    """

    def __init__(self) -> None:
        self.names = _handles(("clip", *OPERATORS, *INEXACT))
        self.notes: list[str] = []
        self.rounded: list[str] = []

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Within it float64 arrays are updated exactly, and float32 arrays that meet them are taken as float64."""
        own = register._imperative_invoke

        def invoke(handle: Any, given: Any, keys: Any, values: Any, out: Any, *more: Any) -> Any:
            dtypes = {np.dtype(array.dtype) for array in given}
            if np.dtype(np.float64) not in dtypes:
                return own(handle, given, keys, values, out, *more)
            name = self.names.get(handle)
            dense = all(array.stype == "default" for array in given)
            if name in OPERATORS and dense:
                self.note(NOTE.format(SCALARS))
                return OPERATORS[name].run(_scalars(keys, values), given, out)
            if name == "clip" and dense:
                self.note(NOTE.format("the bounds of clip"))
                return _clip(given[0], dict(zip(keys, values)), out, like=more[0])
            if name is not None:
                self.rounded += [name] * (name not in self.rounded)
            elif np.dtype(np.float32) in dtypes and out is None:
                given = [a.astype(np.float64) if a.dtype == np.float32 else a for a in given]
            return own(handle, given, keys, values, out, *more)

        register._imperative_invoke = invoke
        try:
            yield
        finally:
            register._imperative_invoke = own

    def note(self, text: str) -> None:
        """Keep a remark, once."""
        if text not in self.notes:
            self.notes.append(text)


def _clip(array: Any, bounds: dict, out: Any, like: bool) -> Any:
    """`clip` with bounds that are doubles; `like`: of NumPy's interface."""
    low, high = (bounds.get(name) for name in ("a_min", "a_max"))
    value = np.clip(_numpy(array), None if low is None else float(low), None if high is None else float(high))
    if out is None:
        return (mx.np if like else mx.nd).array(value, dtype=np.float64)
    out[:] = value
    return out

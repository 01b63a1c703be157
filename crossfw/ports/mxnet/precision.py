"""float64 where MXNet has it, float32 where it has not, each operator by itself.

An operator without float64 is computed in float32 between two casts, so that all around it stays sharp. Library code
that makes float32 arrays beside float64 ones (`clip_global_norm`, `unroll` without begin_state, casts in a user's code)
is carried on in float64.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import autograd
from mxnet.base import MXNetError

from crossfw.ports.decimals import LARGEST, widened
from crossfw.ports.masks import Masks
from crossfw.ports.mxnet.invoke import Invocation

NOTE = "{} has no float64 in MXNet: computed in float32 at its own place, all else in float64"
CASTS = ("Cast", "amp_cast", "_npi_cast", "_npx_cast")
CREATION = ("_full", "_arange", "_linspace", "one_hot", "_npi_full", "_npi_arange", "_npi_linspace")
EPS32 = float(np.finfo(np.float32).eps)


class Precision:
    """How operators run where arrays are float64.

    Attributes:
        without: names of operators that have no float64, as far as they were met.
        shake: moves what goes into and out of them by one unit in the last place of float32, where it is set: a seed.
    """

    def __init__(self) -> None:
        self.without: set[str] = set()
        self.shake: int | None = None
        self._inside = False
        self._proven: set[tuple] = set()
        self._seen: dict[tuple, Invocation] | None = None

    def run(self, call: Invocation, masks: Masks) -> Any:
        """What an operator gives."""
        if self._inside:
            return call.plain()
        if call.name in CASTS and call.attribute("dtype", "") == "float32" and call.inputs[0].dtype != np.float16:
            return call.given(dtype="float64").plain()
        if call.name in CASTS and call.attribute("dtype", "") == "float64" and call.inputs[0].dtype == np.float32:
            return call.one(_widened(call.inputs[0])) if call.inputs[0].size <= LARGEST else call.plain()
        if call.name in CREATION and call.attribute("dtype", "float32") in ("float32", None):
            return call.given(dtype="float64").plain()
        dtypes = tuple(str(np.dtype(a.dtype)) for a in call.inputs)
        if "float64" not in dtypes:
            return call.plain()
        if call.name in self.without:
            return self._in_float32(call, masks)
        if self._seen is not None:
            self._seen.setdefault((call.name, dtypes, tuple(a.shape for a in call.inputs)), call)
        try:
            return self._proved(call, (call.name, dtypes))
        except MXNetError as error:
            for other in (self._in_float64, self._in_float32):
                try:
                    return other(call, masks)
                except MXNetError:
                    continue
            raise error

    def _proved(self, call: Invocation, key: tuple) -> Any:
        """As it is; waited for until it worked once, because kernels complain late."""
        made = call.plain()
        if key not in self._proven:
            _wait(made)
            self._proven.add(key)
        return made

    def _in_float64(self, call: Invocation, _: Masks) -> Any:
        """With the smaller floats among its inputs widened."""
        if all(np.dtype(a.dtype) == np.float64 for a in call.inputs):
            raise MXNetError("no smaller floats")
        wide = [_widened(a) for a in call.inputs]
        moved = [a if a is b else self._out(a, i) for i, (a, b) in enumerate(zip(wide, call.inputs))]
        made = call.run(moved, call.attributes)
        _wait(made)
        return made

    def _in_float32(self, call: Invocation, masks: Masks) -> Any:
        """Between two casts."""
        self._inside = True
        try:
            inputs = [_cast(self._shaken(a, i), "float32") for i, a in enumerate(call.inputs)]
            made = call.run(inputs, call.attributes)
            if call.name not in self.without:
                _wait(made)
                self.without.add(call.name)
            wide = [self._out(a, i) for i, a in enumerate(made)] if isinstance(made, list) else self._out(made, 0)
        finally:
            self._inside = False
        masks.note(NOTE.format(call.name.removeprefix("_contrib_")))
        return wide

    def _out(self, array: Any, number: int) -> Any:
        """What was in float32 in float64, moved: it may depend on nothing else; whole numbers may be indices."""
        wide = _cast(array, "float64")
        whole = self.shake is None or (wide.asnumpy() == np.round(wide.asnumpy())).all()
        return wide if whole else self._shaken(wide, -1 - number)

    def _shaken(self, array: Any, number: int) -> Any:
        if self.shake is None or np.dtype(array.dtype) != np.float64:
            return array
        signs = np.random.default_rng([self.shake, number % 1000]).choice([-1.0, 1.0], array.shape)
        make = mx.np.array if isinstance(array, mx.np.ndarray) else mx.nd.array
        return array * make(1 + EPS32 * signs, dtype="float64")

    def watch(self) -> None:
        """From now on remember the operators that run, to be probed after a backward pass that failed."""
        self._seen = {}

    def probe(self) -> bool:
        """Whether some of the remembered operators turn out to have no float64 gradient."""
        seen, self._seen = self._seen or {}, None
        found = [call.name for call in seen.values() if not _has_gradient(call)]
        self.without |= set(found)
        return bool(found)


def _wait(made: Any) -> None:
    for array in made if isinstance(made, (list, tuple)) else [made]:
        array.wait_to_read()


def _widened(array: Any) -> Any:
    """A smaller float array in float64, by the decimals that it stands for."""
    if np.dtype(array.dtype) != np.float32 or array.size > LARGEST:
        return _cast(array, "float64")
    make = mx.np.array if isinstance(array, mx.np.ndarray) else mx.nd.array
    return make(widened(array.asnumpy()), dtype="float64")


ASTYPE = {kind: kind.astype for kind in (mx.nd.NDArray, mx.np.ndarray)}  # which call no operator that could be seen


@contextlib.contextmanager
def kept_wide() -> Iterator[None]:
    """Within it `astype` does not lead from float64 back to float32."""

    def wide(own: Any) -> Any:
        def astype(self: Any, dtype: Any, *args: Any, **more: Any) -> Any:
            narrows = self.dtype == np.float64 and np.dtype(dtype) == np.float32
            return own(self, "float64" if narrows else dtype, *args, **more)

        return astype

    try:
        for kind, own in ASTYPE.items():
            kind.astype = wide(own)
        yield
    finally:
        for kind, own in ASTYPE.items():
            kind.astype = own


def _cast(array: Any, dtype: str) -> Any:
    floats = np.dtype(array.dtype) in (np.float32, np.float64)
    own = ASTYPE.get(type(array), ASTYPE[mx.nd.NDArray])
    return own(array, dtype) if floats and array.dtype != np.dtype(dtype) else array


def _has_gradient(call: Invocation) -> bool:
    """Whether an operator runs forwards and backwards, by itself, on copies of its inputs."""
    inputs = [a.detach().copy() for a in call.inputs]
    for array in inputs:
        if np.dtype(array.dtype).kind == "f":
            array.attach_grad()
    try:
        with autograd.record():
            made = call.run(inputs, call.attributes)
        heads = [a for a in (made if isinstance(made, list) else [made]) if np.dtype(a.dtype).kind == "f"]
        if heads:
            autograd.backward(heads)
        mx.nd.waitall()
    except MXNetError:
        return False
    return True

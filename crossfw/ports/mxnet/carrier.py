"""How the operators of a user's MXNet model are carried out while it is verified."""

from __future__ import annotations

from typing import Any

import mxnet as mx
import numpy as np
from mxnet import autograd

from crossfw.ports.masks import Masks
from crossfw.ports.mxnet.exact import NOTE, exact
from crossfw.ports.mxnet.invoke import Invocation
from crossfw.ports.mxnet.precision import Precision

UNIFORM = {"_random_uniform": "shape", "_random_uniform_like": "", "_npi_uniform": "size"}
NORMAL = {"_random_normal": "shape", "_random_normal_like": "", "_npi_normal": "size"}
RECURRENT = "dropout inside recurrent layers is switched off, its rates are compared"


class Carrier:
    """Gives what operators give: shared random numbers; in float64 exact forms, and float32 where there is no float64.

    Args:
        masks: the random numbers of the run.
        precision: of the side.
        float64: whether the model runs in float64.
    """

    def __init__(self, masks: Masks, precision: Precision, float64: bool):
        self.masks, self.precision, self.float64 = masks, precision, float64

    def __call__(self, call: Invocation) -> Any:
        """What the operator gives."""
        if call.name == "Dropout":
            return call.one(self.dropout(call))
        if call.name in UNIFORM or call.name in NORMAL:
            return self.random(call)
        if call.name == "RNN" and call.attribute("p", 0):
            if autograd.is_training():
                self.masks.note(RECURRENT)
            call = call.given(p=0)
        if not self.float64:
            return call.plain()
        made = exact(call)
        if made is not None:
            self.masks.note(NOTE.format(made[0]))
            return made[1]
        return self.precision.run(call, self.masks)

    def dropout(self, call: Invocation) -> Any:
        """The array with units dropped that the other side drops too."""
        (data,) = call.inputs
        p, axes = call.attribute("p", 0.5), call.attribute("axes", ()) or ()
        if p == 0 or not (autograd.is_training() or call.attribute("mode", "training") == "always"):
            return data
        shape = tuple(1 if axis in axes else size for axis, size in enumerate(data.shape))
        mask = call.array(self.masks.draw(data.asnumpy(), shape, p), data.dtype)
        return data * mask if call.numpy else mx.nd.broadcast_mul(data, mask)

    def random(self, call: Invocation) -> Any:
        """Uniform and normal numbers that the other side draws too; what has arrays for parameters is left alone."""
        made = call.plain()
        kind = "uniform" if call.name in UNIFORM else "normal"
        if isinstance(made, list):
            (array,) = made
        else:
            array = made
        if call.inputs and not call.name.endswith("_like"):
            return made
        numbers = self.masks.random(kind, array.shape)
        if kind == "uniform":
            low, high = call.attribute("low", 0.0), call.attribute("high", 1.0)
            numbers = low + (high - low) * numbers
        else:
            numbers = call.attribute("loc", 0.0) + call.attribute("scale", 1.0) * numbers
        dtype = np.float64 if self.float64 and array.dtype == np.float32 else array.dtype
        return call.one(call.array(numbers, dtype))

"""The MXNet side of a pair: the user's block, run stage by stage with arrays that come from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import gluon

from crossfw.errors import CrossfwError
from crossfw.ports.decimals import widened
from crossfw.ports.mxnet import (
    module as mxnet_module,
)
from crossfw.ports.mxnet import (
    passes as mxnet_passes,
)
from crossfw.ports.mxnet import (
    record as mxnet_record,
)
from crossfw.ports.mxnet import (
    training as mxnet_training,
)
from crossfw.ports.mxnet.arrays import is_array, to_numpy
from crossfw.ports.mxnet.precision import Precision
from crossfw.ports.mxnet.units import Names, units_of, walk
from crossfw.ports.nest import leaves, transform
from crossfw.ports.portfile import Port
from crossfw.ports.record import bytes_held, positions
from crossfw.ports.side import OUTPUTS, PlainSide


class Side(mxnet_passes.Passes, mxnet_training.Training, mxnet_record.Recording, PlainSide):
    """A Gluon block under the verifier's control; the methods are those of `torch_model.Side`."""

    framework = "mxnet"

    def __init__(self, port: Port):
        super().__init__(port)
        self.model = self.call("mxnet_model()", self.require_model)
        self.dtype, self.precision, self.recorder, self.as_graphs = "float32", Precision(), None, False
        self.trainer: Any = None

    def remember(self) -> None:
        """Keep how the model stands, for `restore`: the values that it has, and which blocks are hybridized."""
        state = {name: (p.data().copy(), p.dtype) for name, p in self.arrays().items() if p._data is not None}
        self.found = {"state": state, "active": self.active}

    def restore(self) -> None:
        """Put the model back as it was found; what was not initialised then stays float32."""
        dtypes = {np.dtype(dtype).name for _, dtype in self.found["state"].values()}
        self.model.cast(dtypes.pop() if len(dtypes) == 1 else "float32")
        arrays = self.arrays()
        for name, (value, _) in self.found["state"].items():
            arrays[name].set_data(value)
        for block, active in self.found["active"]:
            block._active = active

    def require_model(self) -> gluon.Block:
        """The user's block.

        Raises:
            CrossfwError: the function gives something else.
        """
        function = self.port.of("mxnet", "model")
        self.require_function(function, gluon.Block)
        model = self.block(function())
        if not isinstance(model, gluon.Block):
            raise self.wrong_kind(model, "a gluon.Block, a symbol, or the prefix of a symbol and its checkpoint")
        self.active = []
        for _, block in walk(model):
            if isinstance(block, gluon.HybridBlock) and not isinstance(block, gluon.SymbolBlock):
                self.active.append((block, block._active))
                block._active = False  # hooks and dropout need the plain calls
                block._clear_cached_op()
        self.initialize(model)
        return model

    def block(self, model: Any) -> Any:
        """A symbol, or the prefix of one and its checkpoint, as a block; anything else as it is."""
        folder, named = Path(self.port.origin).resolve().parent, self.port.of("mxnet", "checkpoint")
        if isinstance(model, (str, Path)):
            symbol, params = mxnet_module.checkpoint_of(str(model), folder)
            if named is None:
                self.port.values["mxnet_checkpoint"] = str(params)
            model, named = mx.sym.load(str(symbol)), named or str(params)
        if not isinstance(model, mx.sym.Symbol):
            return model
        names = mxnet_module.input_names(self.draw(0, self.port.sizes[0])[0])
        return mxnet_module.block_of(model, folder / named if named else None, names)

    @staticmethod
    def initialize(model: gluon.Block) -> None:
        """Initialise what the user did not."""
        for parameter in model.collect_params().values():
            if parameter._data is None and not parameter._deferred_init:
                parameter.initialize()
            if parameter.shape is None and parameter._data is not None:  # loaded by SymbolBlock.imports
                parameter._shape = parameter.data().shape
            if mx.util.is_np_array() and not isinstance((parameter._data or [None])[0], (mx.np.ndarray, type(None))):
                parameter._data = [array.as_np_ndarray() for array in parameter._data]  # loaded in the other interface
                parameter._init_grad()

    def set_dtype(self, dtype: str) -> None:
        """Turn all floating-point arrays into `dtype`."""
        self.complete()
        constants = [p for p in self.arrays().values() if isinstance(p, gluon.Constant)]
        held = (
            [p.data().asnumpy() for p in constants]
            if dtype == "float64" and not self.port.of("mxnet", "checkpoint")
            else []
        )
        self.dtype = dtype
        self.model.cast(dtype)
        for parameter, array in zip(constants, held):
            if array.dtype == np.float32:
                parameter.set_data(self.new(widened(array), parameter.dtype))

    def complete(self) -> None:
        """End deferred initialisation by a run before a cast: in NumPy mode initialisers draw float32 alone."""
        if any(p._deferred_init for p in self.model.collect_params().values()):
            with self.mode(False, 0):
                self.run(self.feed(self.draw(0, self.port.sizes[0])[0], "inputs"))

    def new(self, array: np.ndarray, dtype: str) -> Any:
        """An array of the interface that is switched on: mx.nd or mx.np."""
        make = mx.np.array if mx.util.is_np_array() else mx.nd.array
        return make(array, dtype=dtype)

    def feed(self, nest: Any, name: str, gradients: bool = False) -> Any:
        """A nest of NumPy arrays as MXNet's; floats in the dtype under test, integers int32."""

        def change(_: str, value: Any) -> mx.nd.NDArray:
            array = np.asarray(value)
            if array.dtype.kind != "f":
                return self.new(array, "bool" if array.dtype.kind == "b" else "int32")
            fed = self.new(self.given(name, array), self.dtype)
            if gradients:
                fed.attach_grad()
            return fed

        return transform(nest, name, is_array, change)

    def describe(self, seed: int, size: Any) -> dict:
        """Units, tree and outputs, after a trial run that completes deferred initialisation.

        Raises:
            CrossfwError: a parameter's shape is still unknown after it.
        """
        calls, output = self.recorded_run(seed, size, training=False), self.last_output
        order: dict[str, int] = {}
        for call in calls:
            order.setdefault(call.path, call.start)
        self.require_complete()
        units, listing = [unit.to_json() for unit in units_of(self.model, order)], mxnet_record.listing(calls)
        return {
            "units": units,
            "modules": mxnet_record.tree(self.model),
            "positions": positions(listing),
            "bytes": bytes_held(units, listing),
            "outputs": {name: list(to_numpy(a).shape) for name, a in self.leaves(output).items()},
            "real": [to_numpy(a).dtype.kind == "f" for a in self.leaves(output).values()],
            "version": mx.__version__,
        }

    def require_complete(self) -> None:
        """Raise CrossfwError where a parameter was never completed."""
        names = Names(self.model).arrays
        open_ones = [name for name, p in names.items() if p._data is None]
        if open_ones:
            raise CrossfwError(
                f"the parameters of mxnet_model() of {self.port.origin}",
                f"the shape of {', '.join(open_ones)} is still unknown after a forward pass (deferred initialisation)",
                "use these layers in forward, give them their sizes (in_units, in_channels), or leave them out",
            )

    def run(self, inputs: Any) -> Any:
        """The model's output for its positional arguments; errors of the asynchronous engine show here."""
        arguments = self.arguments(inputs)

        def forward() -> Any:
            output = self.model(*arguments)
            mx.nd.waitall()
            return output

        return self.call_model("MXNet", arguments, forward)

    def leaves(self, output: Any) -> dict[str, mx.nd.NDArray]:
        """The arrays of an output by name."""
        return self.call("the MXNet model's output", lambda: leaves(output, "output", is_array), remedy=OUTPUTS)

    def layers(self) -> list[tuple[str, gluon.Block]]:
        """Path and block of the whole tree."""
        return list(walk(self.model))

    def arrays(self) -> dict[str, Any]:
        """Parameters and running statistics by name."""
        return Names(self.model).arrays

    def other_names(self) -> dict[str, str]:
        """The names of arrays by those that MXNet's checkpoints may have: with the model's prefix, and without."""
        found: dict[str, str] = {}
        for name, parameter in self.arrays().items():
            for other in (parameter.name, parameter.name.removeprefix(self.model.prefix)):
                found.setdefault(other, name)
        return found

    def export(self) -> dict[str, np.ndarray]:
        """All arrays that travel, by name."""
        return {name: np.array(to_numpy(parameter.data())) for name, parameter in self.arrays().items()}

    def load(self, values: dict[str, np.ndarray], shake: int | None = None) -> None:
        """Put values into the model's arrays, in place; `shake` also moves what is rounded in its runs, see `feed`."""
        self.shake = self.precision.shake = shake
        self.put(values)

    def put(self, values: dict[str, np.ndarray]) -> None:
        """The same, and nothing else."""
        arrays = self.arrays()
        for name, value in values.items():
            if self.dtype == "float32":
                arrays[name].cast("float32")  # oneDNN may have put it into a layout of its own, which cannot be written
            arrays[name].set_data(self.new(np.asarray(value), arrays[name].dtype))

    def load_checkpoint(self, path: str) -> None:
        """Load a `.params` file, by its structural names or by those of `collect_params().save`."""
        from crossfw.ports.mxnet.checkpoint import load_params

        load_params(self.model, path)

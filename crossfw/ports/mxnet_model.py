"""The MXNet side of a pair: the user's block, run stage by stage with arrays that come from outside."""

from __future__ import annotations

import contextlib
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon

from crossfw.errors import CrossfwError
from crossfw.ports import mxnet_record, mxnet_training
from crossfw.ports.masks import Masks
from crossfw.ports.mxnet_arrays import is_array, to_numpy
from crossfw.ports.mxnet_dropout import shared_dropout
from crossfw.ports.mxnet_exact import exact_operators
from crossfw.ports.mxnet_units import Names, units_of, walk
from crossfw.ports.nest import leaves, transform
from crossfw.ports.portfile import Port
from crossfw.ports.record import positions
from crossfw.ports.side import PlainSide, linear_weights


class Side(mxnet_training.Training, mxnet_record.Recording, PlainSide):
    """A Gluon block under the verifier's control; the methods are those of `torch_model.Side`."""

    framework = "mxnet"

    def __init__(self, port: Port):
        super().__init__(port)
        self.model = self.call("mxnet_model()", self.require_model)
        self.dtype = "float32"
        self.trainer: Any = None
        self.found = self.standing()

    def standing(self) -> dict:
        """How the model stands: the values that it has, with their dtypes, and which blocks are hybridized."""
        state = {name: (p.data().copy(), p.dtype) for name, p in self.arrays().items() if p._data is not None}
        return {"state": state, "active": self.active}

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
        model = self.port.of("mxnet", "model")()
        if not isinstance(model, gluon.Block):
            raise self.wrong_kind(model, "a gluon.Block")
        self.active = []
        for _, block in walk(model):
            if isinstance(block, gluon.HybridBlock) and not isinstance(block, gluon.SymbolBlock):
                self.active.append((block, block._active))
                block._active = False  # hooks and dropout need the plain calls
                block._clear_cached_op()
        self.initialize(model)
        return model

    @staticmethod
    def initialize(model: gluon.Block) -> None:
        """Initialise what the user did not."""
        bare = [p for p in model.collect_params().values() if p._data is None and not p._deferred_init]
        for parameter in bare:
            parameter.initialize()

    def set_dtype(self, dtype: str) -> None:
        """Turn all floating-point arrays into `dtype`."""
        self.complete()
        self.dtype = dtype
        self.model.cast(dtype)

    def complete(self) -> None:
        """End deferred initialisation by a run before a cast: in NumPy mode initialisers draw float32 alone."""
        if any(p._deferred_init for p in self.model.collect_params().values()):
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
            fed = self.new(array, self.dtype)
            if gradients:
                fed.attach_grad()
            return fed

        return transform(nest, name, is_array, change)

    def describe(self, seed: int, size: Any) -> dict:
        """Units, tree and outputs, after a trial run that completes deferred initialisation.

        Raises:
            CrossfwError: a parameter's shape is still unknown after it.
        """
        with mxnet_record.recorded(self.model) as calls:
            output = self.run(self.feed(self.draw(seed, size)[0], "inputs"))
        order: dict[str, int] = {}
        for call in calls:
            order.setdefault(call.path, call.start)
        self.require_complete()
        return {
            "units": [unit.to_json() for unit in units_of(self.model, order)],
            "modules": mxnet_record.tree(self.model),
            "positions": positions(mxnet_record.listing(calls)),
            "outputs": {name: list(to_numpy(a).shape) for name, a in self.leaves(output).items()},
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

        return self.call("the MXNet model's forward", forward)

    def leaves(self, output: Any) -> dict[str, mx.nd.NDArray]:
        """The arrays of an output by name."""
        return self.call("the MXNet model's output", lambda: leaves(output, "output", is_array))

    def arrays(self) -> dict[str, Any]:
        """Parameters and running statistics by name."""
        return Names(self.model).arrays

    def export(self) -> dict[str, np.ndarray]:
        """All arrays that travel, by name."""
        return {name: np.array(to_numpy(parameter.data())) for name, parameter in self.arrays().items()}

    def load(self, values: dict[str, np.ndarray]) -> None:
        """Put values into the model's arrays, in place."""
        arrays = self.arrays()
        for name, value in values.items():
            if self.dtype == "float32":
                arrays[name].cast("float32")  # oneDNN may have put it into a layout of its own, which cannot be written
            arrays[name].set_data(self.new(np.asarray(value), arrays[name].dtype))

    def load_checkpoint(self, path: str) -> None:
        """Load a `.params` file, by its structural names or by those of `collect_params().save`."""
        from crossfw.ports.mxnet_checkpoint import load_params

        load_params(self.model, path)

    @contextlib.contextmanager
    def mode(self, training: bool, seed: int) -> Any:
        """Training or inference, with shared dropout; what is computed within is recorded for `backward`."""
        masks = Masks(seed)
        self.masks = masks
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.without_recurrent_dropout())
            stack.enter_context(shared_dropout(masks))
            stack.enter_context(exact_operators(masks))
            stack.enter_context(autograd.record(train_mode=training))
            yield

    @contextlib.contextmanager
    def without_recurrent_dropout(self) -> Any:
        """Fused recurrent layers draw their own masks: their dropout is switched off."""
        layers = [b for _, b in walk(self.model) if isinstance(b, gluon.rnn.rnn_layer._RNNLayer) and b._dropout]
        rates = [layer._dropout for layer in layers]
        for layer in layers:
            layer._dropout = 0
        try:
            yield
        finally:
            for layer, rate in zip(layers, rates):
                layer._dropout = rate
        if layers:
            self.masks.note("dropout inside recurrent layers is switched off, its rates are compared")

    def forward(self, seed: int, size: Any, training: bool) -> dict:
        """Outputs by name; in training mode the running statistics after it too. Parameters are left as they were.

        MXNet moves running statistics in the backward pass, so that one is run in training mode; the inputs ask for
        gradients, so that it reaches a first BatchNorm that has nothing to learn.
        """
        kept = self.statistics()
        with self.mode(training, seed):
            output = self.run(self.feed(self.draw(seed, size)[0], "inputs", gradients=training))
            parts = [a for a in self.leaves(output).values() if isinstance(a, mx.nd.NDArray)]
        found = {name: to_numpy(array) for name, array in self.leaves(output).items()}
        if training and kept:
            floats = [a for a in parts if np.dtype(a.dtype).kind == "f"]
            self.call("the MXNet model's backward", lambda: (autograd.backward(floats), mx.nd.waitall()))
        moved = self.statistics()
        self.load(kept)
        return {
            "outputs": found,
            "statistics": moved if training else {},
            "dropout": self.masks.calls,
            "notes": self.masks.notes,
        }

    def statistics(self) -> dict[str, np.ndarray]:
        """Copies of the arrays that no gradient moves: running means and variances."""
        running = ("running_mean", "running_var", "moving_mean", "moving_var")
        return {
            name: np.array(to_numpy(p.data()))
            for name, p in self.arrays().items()
            if p.grad_req == "null" and name.endswith(running)
        }

    def loss_of(self, output: Any, seed: int, size: Any) -> Any:
        """The user's loss, or a fixed linear function of the outputs; a vector's mean."""
        function, targets = self.port.of("mxnet", "loss"), self.draw(seed, size)[1]
        if function is None:
            parts = [a for a in self.leaves(output).values() if np.dtype(a.dtype).kind == "f"]
            weights = linear_weights([tuple(a.shape) for a in parts])
            return sum((a * self.new(w, a.dtype)).sum() for a, w in zip(parts, weights))
        arguments = (output,) if targets is None else (output, self.feed(targets, "targets"))
        loss = self.call("mxnet_loss", lambda: function(*arguments))
        if not isinstance(loss, mx.nd.NDArray):
            raise self.wrong_kind(loss, "an NDArray", "mxnet_loss")
        return loss.mean() if loss.size > 1 else loss

    def loss(self, outputs: dict[str, np.ndarray], seed: int, size: Any) -> np.ndarray:
        """The loss of given outputs (in the structure that the model gives)."""
        output = self.run(self.feed(self.draw(seed, size)[0], "inputs"))
        given = iter(outputs.values())
        fed = transform(output, "output", is_array, lambda _, a: self.new(next(given).reshape(a.shape), a.dtype))
        return self.scalar(self.loss_of(fed, seed, size))

    def scalar(self, loss: Any) -> np.ndarray:
        """A loss as a number; here the errors of the engine show."""
        return np.asarray(self.call("mxnet_loss", lambda: to_numpy(loss))).reshape(())

    def gradients(self, seed: int, size: Any, training: bool) -> dict:
        """The loss and its gradients: of all parameters that learn, and of the inputs that are floats."""
        kept = self.statistics()
        learning = {name: p for name, p in self.arrays().items() if p.grad_req != "null"}
        self.set_gradients({name: np.zeros(p.shape) for name, p in learning.items()})
        with self.mode(training, seed):
            inputs = self.feed(self.draw(seed, size)[0], "inputs", gradients=True)
            loss = self.loss_of(self.run(inputs), seed, size)
        self.backward(loss, training)
        self.load(kept)
        fed = leaves(inputs, "inputs", is_array)
        return {
            "loss": self.scalar(loss),
            "parameters": {name: to_numpy(p.grad()) for name, p in learning.items()},
            "inputs": {name: to_numpy(a.grad) for name, a in fed.items() if a.grad is not None},
        }

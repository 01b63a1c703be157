"""The torch side of a pair: the user's module, run stage by stage with arrays that come from outside."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn.modules.batchnorm import _NormBase

from crossfw.errors import CrossfwError
from crossfw.ports.decimals import widened
from crossfw.ports.nest import leaves, transform
from crossfw.ports.portfile import Port
from crossfw.ports.record import bytes_held, positions
from crossfw.ports.side import OUTPUTS, PlainSide
from crossfw.ports.torch import passes as torch_passes
from crossfw.ports.torch import record as torch_record
from crossfw.ports.torch import training as torch_training
from crossfw.ports.torch.arrays import is_array, is_lazy, to_numpy
from crossfw.ports.torch.checkpoint import state_dict
from crossfw.ports.torch.units import Names, units_of


class Side(torch_passes.Passes, torch_training.Training, torch_record.Recording, PlainSide):
    """A torch module under the verifier's control; the methods are those of `mxnet_model.Side`."""

    framework = "torch"

    def __init__(self, port: Port):
        super().__init__(port)
        self.model = self.call("torch_model()", self.require_model)
        self.dtype = torch.float32
        self.optimizer: Any = None

    def remember(self) -> None:
        """Keep how the model stands, for `restore`: values with their dtypes, and the mode of every module."""
        modes = {path: module.training for path, module in self.model.named_modules()}
        state = {name: array.detach().clone() for name, array in self.model.state_dict().items() if not is_lazy(array)}
        self.found = {"state": state, "modes": modes}

    def restore(self) -> None:
        """Put the model back as it was found."""
        floats = {a.dtype for a in self.found["state"].values() if a.is_floating_point()}
        if len(floats) == 1:
            self.turn(floats.pop())
        self.model.zero_grad(set_to_none=True)
        now = self.model.state_dict()
        moved = {n: value for n, value in self.found["state"].items() if n in now and not torch.equal(now[n], value)}
        self.model.load_state_dict(moved, strict=False)
        for path, module in self.model.named_modules():
            module.training = self.found["modes"].get(path, module.training)

    def require_model(self) -> torch.nn.Module:
        """The user's module.

        Raises:
            CrossfwError: the function gives something else.
        """
        function = self.port.of("torch", "model")
        self.require_function(function, torch.nn.Module)
        model = function()
        if not isinstance(model, torch.nn.Module):
            raise self.wrong_kind(model, "a torch.nn.Module")
        return model

    def set_dtype(self, dtype: str) -> None:
        """Turn all floating-point arrays into `dtype`."""
        self.dtype = getattr(torch, dtype)
        self.turn(self.dtype)

    def turn(self, dtype: torch.dtype) -> None:
        """Give the model's floating-point arrays a dtype; `Module.to` would take the imaginary part of complex ones."""

        statistics = {id(b) for m in self.model.modules() if isinstance(m, _NormBase) for b in m.buffers(recurse=False)}
        decimal = dtype is torch.float64 and self.port.of("torch", "checkpoint") is None

        def change(array: torch.Tensor) -> torch.Tensor:
            constant = not isinstance(array, torch.nn.Parameter) and id(array) not in statistics
            if decimal and constant and array.dtype is torch.float32:
                return torch.as_tensor(widened(array.cpu().numpy()), device=array.device)
            if array.is_floating_point():
                return array.to(dtype)
            return array.to(torch.promote_types(dtype, torch.complex32)) if array.is_complex() else array

        self.model._apply(change)

    def feed(self, nest: Any, name: str, gradients: bool = False) -> Any:
        """A nest of NumPy arrays as tensors; floats in the dtype under test, integers int64."""

        def change(_: str, value: Any) -> torch.Tensor:
            array = np.asarray(value)
            if array.dtype.kind == "f":
                return torch.tensor(self.given(name, array), dtype=self.dtype, requires_grad=gradients)
            return torch.tensor(array, dtype=torch.bool if array.dtype.kind == "b" else torch.int64)

        return transform(nest, name, is_array, change)

    def describe(self, seed: int, size: Any) -> dict:
        """Units, tree and outputs, after a trial run that completes lazy layers.

        Raises:
            CrossfwError: a lazy layer is still without numbers after it.
        """
        recorded = torch_record.recorded(self.model, keep=torch_record.shapes)
        with self.mode(False, seed), recorded as calls, torch.no_grad():
            output = self.run(self.feed(self.draw(seed, size)[0], "inputs"))
        order: dict[str, int] = {}
        for call in calls:
            order.setdefault(call.path, call.start)
        self.require_complete()
        units, listing = [unit.to_json() for unit in units_of(self.model, order)], torch_record.listing(calls)
        return {
            "units": units,
            "modules": torch_record.tree(self.model),
            "positions": positions(listing),
            "bytes": bytes_held(units, listing),
            "outputs": {name: list(to_numpy(a).shape) for name, a in self.leaves(output).items()},
            "real": [to_numpy(a).dtype.kind == "f" for a in self.leaves(output).values()],
            "version": torch.__version__,
        }

    def require_complete(self) -> None:
        """Raise CrossfwError where a lazy parameter was never completed."""
        open_ones = [name for name, array in self.arrays().items() if is_lazy(array)]
        if open_ones:
            raise CrossfwError(
                f"the parameters of torch_model() of {self.port.origin}",
                f"the shape of {', '.join(open_ones)} is still unknown after a forward pass (lazy layers)",
                "use these layers in forward, make them with their sizes, or leave them out",
            )

    def run(self, inputs: Any) -> Any:
        """The model's output for its positional arguments."""
        arguments = self.arguments(inputs)
        return self.call_model("torch", arguments, lambda: self.model(*arguments))

    def leaves(self, output: Any) -> dict[str, torch.Tensor]:
        """The arrays of an output by name."""
        return self.call("the torch model's output", lambda: leaves(output, "output", is_array), remedy=OUTPUTS)

    def layers(self) -> list[tuple[str, torch.nn.Module]]:
        """Path and module of the whole tree."""
        return list(self.model.named_modules())

    def arrays(self) -> dict[str, torch.Tensor]:
        """Parameters and running statistics by name."""
        return Names(self.model).arrays

    def export(self) -> dict[str, np.ndarray]:
        """All arrays that travel, by name."""
        return {name: np.array(to_numpy(array)) for name, array in self.arrays().items()}

    def load(self, values: dict[str, np.ndarray], shake: int | None = None) -> None:
        """Put values into the model's arrays, in place; `shake` also moves the inputs of its runs."""
        self.shake = shake
        self.put(values)

    def put(self, values: dict[str, np.ndarray]) -> None:
        """The same, and nothing else."""
        arrays = self.arrays()
        with torch.no_grad():
            for name, value in values.items():
                given = torch.as_tensor(np.array(value)).to(arrays[name].device)
                if isinstance(arrays[name], torch.nn.Parameter) or not torch.equal(arrays[name], given):
                    arrays[name].copy_(given)  # a buffer may be a view with numbers that stand there once only

    def load_checkpoint(self, path: str) -> None:
        """Load a state dict from a `.safetensors` file or from one that `torch.save` wrote."""
        self.model.load_state_dict(state_dict(path))

"""The torch side of a pair: the user's module, run stage by stage with arrays that come from outside."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import torch

from crossfw.ports import torch_batch_norm, torch_record, torch_training
from crossfw.ports.masks import Masks
from crossfw.ports.nest import leaves, transform
from crossfw.ports.portfile import Port
from crossfw.ports.record import positions
from crossfw.ports.side import PlainSide, linear_weights
from crossfw.ports.torch_arrays import is_array, is_lazy, to_numpy
from crossfw.ports.torch_constants import float_epsilons
from crossfw.ports.torch_dropout import shared_dropout
from crossfw.ports.torch_units import Names, units_of


class Side(torch_training.Training, torch_record.Recording, PlainSide):
    """A torch module under the verifier's control; the methods are those of `mxnet_model.Side`."""

    framework = "torch"

    def __init__(self, port: Port):
        super().__init__(port)
        self.model = self.call("torch_model()", self.require_model)
        self.dtype = torch.float32
        self.optimizer: Any = None
        self.found = self.standing()

    def standing(self) -> dict:
        """How the model stands: values with their dtypes, and the mode of every module."""
        modes = {path: module.training for path, module in self.model.named_modules()}
        state = {name: array.detach().clone() for name, array in self.model.state_dict().items() if not is_lazy(array)}
        return {"state": state, "modes": modes}

    def restore(self) -> None:
        """Put the model back as it was found."""
        floats = {a.dtype for a in self.found["state"].values() if a.is_floating_point()}
        if len(floats) == 1:
            self.model.to(floats.pop())
        self.model.zero_grad(set_to_none=True)
        self.model.load_state_dict(self.found["state"], strict=False)
        for path, module in self.model.named_modules():
            module.training = self.found["modes"].get(path, module.training)

    def require_model(self) -> torch.nn.Module:
        """The user's module.

        Raises:
            CrossfwError: the function gives something else.
        """
        model = self.port.of("torch", "model")()
        if not isinstance(model, torch.nn.Module):
            raise self.wrong_kind(model, "a torch.nn.Module")
        return model

    def set_dtype(self, dtype: str) -> None:
        """Turn all floating-point arrays into `dtype`."""
        self.dtype = getattr(torch, dtype)
        self.model.to(self.dtype)

    def feed(self, nest: Any, name: str, gradients: bool = False) -> Any:
        """A nest of NumPy arrays as tensors; floats in the dtype under test, integers int64."""

        def change(_: str, value: Any) -> torch.Tensor:
            array = np.asarray(value)
            if array.dtype.kind == "f":
                return torch.tensor(array, dtype=self.dtype, requires_grad=gradients)
            return torch.tensor(array, dtype=torch.bool if array.dtype.kind == "b" else torch.int64)

        return transform(nest, name, is_array, change)

    def describe(self, seed: int, size: Any) -> dict:
        """Units, tree and outputs, after a trial run that completes lazy layers."""
        self.model.eval()
        with torch_record.recorded(self.model) as calls, torch.no_grad():
            output = self.run(self.feed(self.draw(seed, size)[0], "inputs"))
        order: dict[str, int] = {}
        for call in calls:
            order.setdefault(call.path, call.start)
        return {
            "units": [unit.to_json() for unit in units_of(self.model, order)],
            "modules": torch_record.tree(self.model),
            "positions": positions(torch_record.listing(calls)),
            "outputs": {name: list(to_numpy(a).shape) for name, a in self.leaves(output).items()},
            "version": torch.__version__,
        }

    def run(self, inputs: Any) -> Any:
        """The model's output for its positional arguments."""
        arguments = self.arguments(inputs)
        return self.call("the torch model's forward", lambda: self.model(*arguments))

    def leaves(self, output: Any) -> dict[str, torch.Tensor]:
        """The arrays of an output by name."""
        return self.call("the torch model's output", lambda: leaves(output, "output", is_array))

    def arrays(self) -> dict[str, torch.Tensor]:
        """Parameters and running statistics by name."""
        return Names(self.model).arrays

    def export(self) -> dict[str, np.ndarray]:
        """All arrays that travel, by name."""
        return {name: np.array(to_numpy(array)) for name, array in self.arrays().items()}

    def load(self, values: dict[str, np.ndarray]) -> None:
        """Put values into the model's arrays, in place."""
        arrays = self.arrays()
        with torch.no_grad():
            for name, value in values.items():
                arrays[name].copy_(torch.as_tensor(np.array(value)))

    def load_checkpoint(self, path: str) -> None:
        """Load a state dict from a `.safetensors` file or from one that `torch.save` wrote."""
        if path.endswith(".safetensors"):
            from safetensors.torch import load_file

            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
        self.model.load_state_dict(state)

    @contextlib.contextmanager
    def mode(self, training: bool, seed: int) -> Any:
        """Training or inference, with shared dropout and MXNet's running variance."""
        self.model.train(training)
        masks = Masks(seed)
        self.masks = masks
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.without_recurrent_dropout())
            stack.enter_context(shared_dropout(masks))
            stack.enter_context(torch_batch_norm.biased(self.model, masks))
            stack.enter_context(float_epsilons(self.model))
            try:
                yield
            finally:
                self.model.eval()

    @contextlib.contextmanager
    def without_recurrent_dropout(self) -> Any:
        """Fused recurrent layers draw their own masks: their dropout is switched off."""
        layers = [m for m in self.model.modules() if isinstance(m, torch.nn.RNNBase) and m.dropout]
        rates = [layer.dropout for layer in layers]
        for layer in layers:
            layer.dropout = 0.0
        try:
            yield
        finally:
            for layer, rate in zip(layers, rates):
                layer.dropout = rate
        if layers:
            self.masks.note("dropout inside recurrent layers is switched off, its rates are compared")

    def forward(self, seed: int, size: Any, training: bool) -> dict:
        """Outputs by name; in training mode the running statistics after it too. Parameters are left as they were."""
        kept = self.statistics()
        with torch.no_grad(), self.mode(training, seed):
            output = self.run(self.feed(self.draw(seed, size)[0], "inputs"))
            found = {name: to_numpy(array) for name, array in self.leaves(output).items()}
        moved = self.statistics()
        self.load(kept)
        return {
            "outputs": found,
            "statistics": moved if training else {},
            "dropout": self.masks.calls,
            "notes": self.masks.notes,
        }

    def statistics(self) -> dict[str, np.ndarray]:
        """Copies of the arrays that no gradient moves."""
        return {n: np.array(to_numpy(a)) for n, a in self.arrays().items() if not isinstance(a, torch.nn.Parameter)}

    def loss_of(self, output: Any, seed: int, size: Any) -> torch.Tensor:
        """The user's loss, or a fixed linear function of the outputs; a vector's mean."""
        function, targets = self.port.of("torch", "loss"), self.draw(seed, size)[1]
        if function is None:
            parts = [a for a in self.leaves(output).values() if isinstance(a, torch.Tensor) and a.is_floating_point()]
            weights = linear_weights([tuple(a.shape) for a in parts])
            return sum((a * torch.as_tensor(w, dtype=a.dtype)).sum() for a, w in zip(parts, weights))
        arguments = (output,) if targets is None else (output, self.feed(targets, "targets"))
        loss = self.call("torch_loss", lambda: function(*arguments))
        if not isinstance(loss, torch.Tensor):
            raise self.wrong_kind(loss, "a tensor", "torch_loss")
        return loss.mean() if loss.dim() else loss

    def loss(self, outputs: dict[str, np.ndarray], seed: int, size: Any) -> np.ndarray:
        """The loss of given outputs (in the structure that the model gives)."""
        with torch.no_grad():
            output = self.run(self.feed(self.draw(seed, size)[0], "inputs"))
            given = iter(outputs.values())
            fed = transform(
                output, "output", is_array, lambda _, a: torch.tensor(next(given)).to(a.dtype).reshape(a.shape)
            )
            return to_numpy(self.loss_of(fed, seed, size))

    def gradients(self, seed: int, size: Any, training: bool) -> dict:
        """The loss and its gradients: of all parameters that learn, and of the inputs that are floats."""
        kept = self.statistics()
        self.model.zero_grad(set_to_none=True)
        with self.mode(training, seed):
            inputs = self.feed(self.draw(seed, size)[0], "inputs", gradients=True)
            loss = self.loss_of(self.run(inputs), seed, size)
            self.call("the torch model's backward", loss.backward)
        self.load(kept)
        fed = leaves(inputs, "inputs", is_array)
        return {
            "loss": to_numpy(loss),
            "parameters": {n: to_numpy(self.gradient(p)) for n, p in self.arrays().items() if p.requires_grad},
            "inputs": {n: to_numpy(self.gradient(a)) for n, a in fed.items() if a.requires_grad},
        }

    @staticmethod
    def gradient(array: torch.Tensor) -> torch.Tensor:
        """Its gradient; zeros where none reached it."""
        if array.grad is None:
            return torch.zeros_like(array)
        return array.grad.to_dense() if array.grad.is_sparse else array.grad

    def set_gradients(self, gradients: dict[str, np.ndarray]) -> None:
        """Put given gradients where `backward` would have left its own."""
        arrays = self.arrays()
        for name, value in gradients.items():
            arrays[name].grad = torch.tensor(value, dtype=arrays[name].dtype)

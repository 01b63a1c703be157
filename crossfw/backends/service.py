"""What a backend does, for callers that speak NumPy: the one interface of in-process and worker backends."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from crossfw.backends import environment, loading
from crossfw.models import Implementation, spec_class
from crossfw.optimizers.spec import OptimizerSpec
from crossfw.throughput.timing import Stopwatch
from crossfw.training import epoch, generation

Arrays = dict  # dict[str, np.ndarray]; an alias at run time must suit Python 3.9


class Service:
    """One implementation of one model. Every public method can be called from the other end of the pipe.

    Arrays are NumPy's: tokens int64 (T, N), features and states of the built dtype. Scalars are arrays of
    shape ().
    """

    def __init__(self, name: str, file: str | None = None):
        self.implementation = Implementation(name, file)
        self.backend: Any = None

    def build(self, model: str, spec: dict, dtype: str, device: str) -> dict:
        """Make the model, all parameters zero; facts about it: notes, native names, shapes of what learns."""
        self.parts = loading.Parts(self.implementation, model)
        self.spec = spec_class(model)(**spec)
        self.dtype = dtype
        native_model = self.parts.Model(self.spec, dtype, device)
        self.backend = self.parts.Backend(native_model, device)
        self.backend.clip_global_norm = self.parts.clip_global_norm
        learning = native_model.native_parameters()
        return {
            "notes": list(native_model.notes),
            "native_names": dict(native_model.native_names),
            "native_shapes": {name: [int(size) for size in p.shape] for name, p in learning.items()},
        }

    def environment(self) -> dict:
        """Versions and threads of this process, as it reads them back."""
        return environment.describe(self.implementation.framework, type(self.backend))

    def load(self, parameters: Arrays) -> None:
        """Set parameters by canonical name.

        Raises:
            ValueError: for another shape, which every framework's assignment would broadcast silently.
        """
        for name, value in parameters.items():
            expected = tuple(self.backend.model.parameters[name].shape)
            if value.shape != expected:
                raise ValueError(f"{name}: shape {value.shape}, expected {expected}")
        self.backend.assign({name: self._native(value) for name, value in parameters.items()})

    def export(self) -> Arrays:
        """All parameters by canonical name."""
        return self._numpy(self.backend.model.parameters)

    def configure_optimizer(self, spec: dict) -> None:
        """A fresh optimizer."""
        self.backend.optimizer = self.parts.Optimizer(OptimizerSpec(**spec), self.backend.model)

    def load_optimizer(self, state: dict, updates: int) -> None:
        """Set the optimizer's state: name -> parameter -> array."""
        native = {name: {key: self._native(a) for key, a in arrays.items()} for name, arrays in state.items()}
        self.backend.optimizer.load(native, updates)

    def export_optimizer(self) -> dict:
        """The optimizer's `state` and its number of `updates`."""
        state, updates = self.backend.optimizer.export()
        return {"state": {name: self._numpy(arrays) for name, arrays in state.items()}, "updates": updates}

    def initial_state(self, batch_size: int) -> np.ndarray:
        """The state that a text starts from, (N, H)."""
        return self.backend.numpy(self.backend.model.initial_state(batch_size))

    def forward(self, inputs: np.ndarray, state: np.ndarray) -> Arrays:
        """All activations, and the last state as `state`."""
        activations, last = self.backend.forward(self._native(inputs), self._native(state))
        return self._numpy({**activations, "state": last})

    def forward_by_steps(self, inputs: np.ndarray, state: np.ndarray) -> Arrays:
        """`output` (T, N, Q), `hidden` (T, N, H) and `state` (N, H), by the cell in a loop."""
        outputs, states, native_state = [], [], self._native(state)
        for step in inputs:
            output, native_state = self.backend.single_step(self._native(step), native_state)
            outputs.append(self.backend.numpy(output))
            states.append(self.backend.numpy(native_state))
        return {"output": np.stack(outputs), "hidden": np.stack(states), "state": states[-1]}

    def loss(self, output: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Loss of given outputs."""
        return self._scalar(self.backend.loss(self._native(output), self._native(targets)))

    def gradients(self, inputs: np.ndarray, targets: np.ndarray, state: np.ndarray) -> dict:
        """`loss`, `gradients` by parameter, and the initial state's as `state_gradient`."""
        loss, d_state = self.backend.backward_with_state(*map(self._native, (inputs, targets, state)))
        return {
            "loss": self._scalar(loss),
            "gradients": self._numpy(self.backend.gradients()),
            "state_gradient": self.backend.numpy(d_state),
        }

    def clip(self, gradients: Arrays, theta: float) -> dict:
        """`norm` of all gradients as one vector, and the clipped `gradients`."""
        native = {name: self._native(value) for name, value in gradients.items()}
        norm = self.backend.clip_global_norm(list(native.values()), theta)
        return {"norm": self._scalar(norm), "gradients": self._numpy(native)}

    def update(self, gradients: Arrays) -> None:
        """One update of the optimizer alone, from given gradients."""
        self.backend.set_gradients({name: self._native(value) for name, value in gradients.items()})
        self.backend.optimizer.step()

    def step(self, inputs: np.ndarray, targets: np.ndarray, state: np.ndarray) -> dict:
        """One training step; `loss` and last `state`."""
        loss, last = self.backend.step(*map(self._native, (inputs, targets, state)))
        return {"loss": self._scalar(loss), "state": self.backend.numpy(last)}

    def train(self, batches: list, carry_state: bool) -> dict:
        """One epoch over `[inputs, targets]` pairs; see `crossfw.training.epoch.train`."""
        return dataclasses.asdict(epoch.train(self.backend, batches, carry_state))

    def evaluate(self, batches: list, carry_state: bool) -> dict:
        """Negative log-likelihood of a text without training; see `crossfw.training.epoch.evaluate`."""
        return dataclasses.asdict(epoch.evaluate(self.backend, batches, carry_state))

    def generate(self, prefix: np.ndarray, count: int, temperature: float, seed: int) -> np.ndarray:
        """`count` tokens after a prefix; see `crossfw.training.generation.generate`."""
        return generation.generate(self.backend, prefix, count, temperature, seed)

    def prepare_timing(self, inputs: np.ndarray, targets: np.ndarray) -> None:
        """Put a batch where the framework wants it, so that only steps are timed."""
        self.stopwatch = Stopwatch(self.backend, inputs, targets)

    def time(self, mode: str, repeats: int) -> float:
        """Seconds that `repeats` steps take, synchronised; mode is "train" or "infer"."""
        return self.stopwatch.time(mode, repeats)

    def matrix_rate(self, size: int, repeats: int) -> float:
        """Floating-point operations per second of a large product, the best of `repeats`."""
        return self.stopwatch.matrix_rate(size, repeats, self.dtype)

    def peak_memory(self, mode: str, steps: int) -> dict:
        """Bytes resident before (`idle`) and at the peak of some steps (`peak`)."""
        return self.stopwatch.peak_memory(mode, steps)

    def _native(self, array: np.ndarray) -> Any:
        if array.dtype.kind == "f":
            array = array.astype(self.dtype)
        return self.backend.native(array)

    def _numpy(self, arrays: dict) -> Arrays:
        return {name: self.backend.numpy(value) for name, value in arrays.items()}

    def _scalar(self, value: Any) -> np.ndarray:
        return self.backend.numpy(value).reshape(())

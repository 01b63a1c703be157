"""What a backend does, for callers that speak NumPy: the one interface of in-process and worker backends."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np

from crossfw.frameworks import environment, loading
from crossfw.models import Implementation, spec_class
from crossfw.models.settings import check_indices, check_mask, check_shape
from crossfw.optimizers.spec import OptimizerSpec
from crossfw.throughput import waiting
from crossfw.throughput.timing import Stopwatch, machine_rates
from crossfw.training import decoding, epoch, generation

Arrays = dict  # dict[str, np.ndarray]; an alias at run time must suit Python 3.9


class Service:
    """One implementation of one model. Every public method can be called from the other end of the pipe.

    Arrays are NumPy's; a batch is a dict of them (`inputs`, `targets`, ...; see `crossfw.data.batches`), and so is a
    state. Integers are tokens, reals are brought to the built dtype. Scalars are arrays of shape ().
    """

    def __init__(self, name: str, file: str = ""):
        self.implementation = Implementation(name, file or None)
        self.backend: Any = None
        self.held: tuple[dict, list] = ({}, [])
        self.product_is_waited_for = False

    def build(self, model: str, spec: dict, dtype: str, device: str) -> dict:
        """Make the model, all parameters zero; facts about it: native names, shapes of what learns."""
        self.parts = loading.Parts(self.implementation, model)
        self.spec = spec_class(model)(**spec)
        self.dtype = dtype
        start = time.perf_counter()
        native_model = self.parts.Model(self.spec, dtype, device)
        self.built_in = time.perf_counter() - start
        self.held = ({}, [])
        self.backend = self.parts.Backend(native_model, device, dtype)
        self.backend.clip_global_norm = self.parts.clip_global_norm
        learning = native_model.native_parameters()
        return {
            "native_names": dict(native_model.native_names),
            "native_shapes": {name: [int(size) for size in p.shape] for name, p in learning.items()},
        }

    def notes(self) -> list[str]:
        """What a reader of the report must know about the model and the optimizer, as far as they have been used."""
        optimizer = getattr(self.backend.optimizer, "notes", ())
        return [*self.backend.model.notes, *optimizer]

    def steps_cells(self) -> bool:
        """Whether the model, as far as it was used, steps cells one by one instead of the library's whole layers."""
        return getattr(self.backend.model, "steps_cells", False)

    def environment(self) -> dict:
        """Versions and threads of this process, and its card, as it reads them back."""
        return environment.describe(self.implementation.framework, self.backend)

    def load(self, parameters: Arrays) -> None:
        """Set parameters by canonical name.

        Raises:
            ValueError: for another shape, which every framework's assignment would broadcast silently.
        """
        for name, value in parameters.items():
            expected = tuple(self.backend.model.parameters[name].shape)
            if value.shape != expected:
                raise ValueError(f"{name}: shape {value.shape}, expected {expected}")
        self.backend.assign(self._natives(parameters))

    def export(self) -> Arrays:
        """All parameters by canonical name."""
        return self._numpy(self.backend.model.parameters)

    def round_otherwise(self, seed: list) -> None:
        """From now on every training step rounds as another implementation might; only the reference can do so."""
        self.backend.round_otherwise(seed)

    def hold(self, parameters: Arrays, gradients: list) -> None:
        """Keep parameters and sets of gradients for `start_over` and `update_with_held`: they are sent but once."""
        self.held = self._natives(parameters), [self._natives(arrays) for arrays in gradients]

    def start_over(self, spec: dict) -> None:
        """The held parameters again, and a fresh optimizer."""
        self.backend.assign(self.held[0])
        self.configure_optimizer(spec)

    def update_with_held(self, number: int) -> None:
        """One update of the optimizer alone, from a held set of gradients."""
        self.backend.set_gradients(self.held[1][number])
        self.backend.optimizer.step()

    def configure_optimizer(self, spec: dict) -> None:
        """A fresh optimizer."""
        self.backend.optimizer = self.parts.Optimizer(OptimizerSpec(**spec), self.backend.model)

    def set_learning_rate(self, learning_rate: float) -> None:
        """Another learning rate from the next update on."""
        self.backend.optimizer.set_learning_rate(learning_rate)

    def load_optimizer(self, state: dict, updates: int) -> None:
        """Set the optimizer's state: name -> parameter -> array."""
        native = {name: self._natives(arrays) for name, arrays in state.items()}
        self.backend.optimizer.load(native, updates)

    def export_optimizer(self) -> dict:
        """The optimizer's `state` and its number of `updates`."""
        state, updates = self.backend.optimizer.export()
        return {"state": {name: self._numpy(arrays) for name, arrays in state.items()}, "updates": updates}

    def initial_state(self, batch_size: int) -> Arrays:
        """The state that a text starts from, each array (N, H)."""
        return self._numpy(self.backend.model.initial_state(batch_size))

    def forward(self, batch: Arrays, state: Arrays) -> dict:
        """All `activations`, and the last `state`."""
        activations, last = self.backend.forward(self._batch(batch), self._natives(state))
        return {"activations": self._numpy(activations), "state": self._numpy(last)}

    def forward_by_steps(self, batch: Arrays, state: Arrays) -> dict:
        """`activations` (output and, of cells with a state, hidden) and the last `state`, by the cell in a loop."""
        inputs, found, native_state = self._batch(batch)["inputs"], [], self._natives(state)
        for step in range(len(batch["inputs"])):
            output, native_state = self.backend.single_step(inputs[step], native_state)
            hidden = {f"hidden {i}": native_state[name] for i, name in enumerate(self.spec.last_states())}
            found.append(self._numpy({"output": output, **hidden}))
        activations = {name: np.stack([step[name] for step in found]) for name in found[0]}
        parts = [activations.pop(name) for name in list(activations) if name != "output"]
        hidden = {"hidden": np.concatenate(parts, axis=-1)} if parts else {}
        return {"activations": {**activations, **hidden}, "state": self._numpy(native_state)}

    def loss(self, output: np.ndarray, batch: Arrays) -> np.ndarray:
        """Loss of given outputs."""
        return self._scalar(self.backend.loss(self.backend.native(output), self._batch(batch)))

    def gradients(self, batch: Arrays, state: Arrays) -> dict:
        """`loss`, `gradients` by parameter, and the initial state's as `state_gradients`."""
        loss, d_state = self.backend.backward_with_state(self._batch(batch), self._natives(state))
        return {
            "loss": self._scalar(loss),
            "gradients": self._numpy(self.backend.gradients()),
            "state_gradients": self._numpy(d_state),
        }

    def clip(self, gradients: Arrays, theta: float) -> dict:
        """`norm` of all gradients as one vector, and the clipped `gradients`."""
        native = self._natives(gradients)
        norm = self.backend.clip_global_norm(list(native.values()), theta)
        return {"norm": self._scalar(norm), "gradients": self._numpy(native)}

    def update(self, gradients: Arrays) -> None:
        """One update of the optimizer alone, from given gradients."""
        self.backend.set_gradients(self._natives(gradients))
        self.backend.optimizer.step()

    def step(self, batch: Arrays, state: Arrays) -> dict:
        """One training step; `loss` and last `state`."""
        loss, last = self.backend.step(self._batch(batch), self._natives(state))
        return {"loss": self._scalar(loss), "state": self._numpy(last)}

    def train(self, batches: list, carry_state: bool, seed: list) -> dict:
        """One epoch over batches of named arrays; see `crossfw.training.epoch.train`."""
        self._check(batches)
        return dataclasses.asdict(epoch.train(self.backend, batches, carry_state, seed))

    def evaluate(self, batches: list, carry_state: bool) -> dict:
        """Negative log-likelihood of a text without training; see `crossfw.training.epoch.evaluate`."""
        self._check(batches)
        return dataclasses.asdict(epoch.evaluate(self.backend, batches, carry_state))

    def predict(self, batches: list) -> list:
        """The most probable class of every output, for each batch; see `crossfw.training.epoch.predict`."""
        self._check(batches)
        return epoch.predict(self.backend, batches)

    def generate(self, prefix: np.ndarray, count: int, temperature: float, seed: int) -> np.ndarray:
        """`count` tokens after a prefix; see `crossfw.training.generation.generate`."""
        check_indices("prefix token", prefix, self.spec.input_size)
        return generation.generate(self.backend, prefix, count, temperature, seed)

    def decode(self, source: np.ndarray, source_mask: Any, start: int, end: int, steps: int, beam: int) -> np.ndarray:
        """Target tokens for a source; see `crossfw.training.decoding.decode`."""
        check_shape("source", source, source.shape)
        check_indices("source token", source, self.spec.source_size)
        check_mask("source_mask", source_mask, source.shape)
        check_indices("start and end token", np.array([start, end]), min(self.spec.input_size, self.spec.output_size))
        return decoding.decode(self.backend, source, source_mask, start, end, steps, beam)

    def prepare_timing(self, batch: Arrays) -> None:
        """Put a batch where the framework wants it, so that only steps are timed."""
        self._check([batch])
        self.stopwatch = Stopwatch(self.backend, batch)

    def time(self, mode: str, repeats: int) -> float:
        """Seconds that `repeats` steps take, synchronised; mode is "train" or "infer"."""
        return self.stopwatch.time(mode, repeats)

    def small_products(self) -> float:
        """Small products per second, of the machine in this framework; see `Stopwatch.small_products`."""
        return self.stopwatch.small_products()

    def check_sync(self, mode: str, repeats: int) -> None:
        """See whether `sync()` waits for `repeats` steps.

        Raises:
            CrossfwError: it does not.
        """
        waiting.require_waiting(f"{repeats} steps ({mode})", self.stopwatch.left_to_do(mode, repeats))

    def check_sync_of_product(self) -> None:
        """See, once in a process, whether `sync()` waits for a large matrix product: that takes far longer than to ask.

        Raises:
            CrossfwError: it does not.
        """
        if not self.product_is_waited_for:
            waiting.require_waiting("a large matrix product", waiting.product_left_to_do(self.backend))
            self.product_is_waited_for = True

    def machine_rates(self, size: int, copied: int, seconds: float) -> dict:
        """`operations` and `bytes` per second of a product and a copy; see `timing.machine_rates`."""
        return machine_rates(self.backend, size, copied, seconds)

    def build_seconds(self) -> float:
        """How long it took to make the model; the framework was imported before."""
        return self.built_in

    def peak_memory(self, mode: str, steps: int) -> dict:
        """Bytes in use; see `Stopwatch.peak_memory`."""
        return self.stopwatch.peak_memory(mode, steps)

    def _check(self, batches: list) -> None:
        for batch in batches:
            self.spec.check(batch)

    def _batch(self, batch: Arrays) -> Arrays:
        self._check([batch])
        return self._natives(batch)

    def _natives(self, arrays: Arrays) -> dict:
        return {name: self.backend.native(value) for name, value in arrays.items()}

    def _numpy(self, arrays: dict) -> Arrays:
        return {name: self.backend.numpy(value) for name, value in arrays.items()}

    def _scalar(self, value: Any) -> np.ndarray:
        return self.backend.numpy(value).reshape(())

"""Timing, the machine's own speed and memory, in the process of the framework."""

from __future__ import annotations

import time
from typing import Any, Callable

import numpy as np

from crossfw.models.dropout import masks
from crossfw.throughput.waiting import left_to_do

LONGER = 2  # times the steps, for the growth of memory
FEWEST_RATES = 3
SMALL = (32, 256)  # rows, and columns of both matrices: the product of a small model's step
CALLS, WINDOWS = 8, 3  # of it, timed together; the least of so many times counts


class Stopwatch:
    """A batch in native arrays, and what it takes to run steps on it.

    Training steps hand their detached state on, as a language model's do, and drop the same units every time.
    """

    def __init__(self, backend: Any, batch: dict[str, np.ndarray]):
        rng = np.random.default_rng(0)
        self.backend, spec, self.arrays = backend, backend.model.spec, batch
        self.batch = {name: backend.native(value) for name, value in batch.items()}
        drawn = masks(spec, batch, rng)
        self.kept = {**self.batch, **{name: backend.native(value) for name, value in drawn.items()}}
        self.state = backend.model.initial_state(batch["inputs"].shape[1])
        self.small = backend.native(np.ones(SMALL)), backend.native(np.ones((SMALL[1], SMALL[1])))

    def start(self, mode: str, repeats: int) -> list:
        """Ask for `repeats` steps, "train" or "infer", and do not wait; what the last one gives, without its state."""
        if mode == "train":
            for _ in range(repeats):
                loss, self.state = self.backend.step(self.kept, self.state)
            return [loss]
        for _ in range(repeats):
            activations, self.state = self.backend.forward(self.batch, self.state)
        return list(activations.values())

    def run(self, mode: str, repeats: int) -> None:
        """`repeats` steps, and the wait until they are done."""
        self.start(mode, repeats)
        self.backend.sync()

    def time(self, mode: str, repeats: int) -> float:
        """Seconds for `repeats` steps; short ones come after one that is not timed, as others used the caches."""
        if repeats > 1:
            self.run(mode, 1)
        start = time.perf_counter()
        self.run(mode, repeats)
        return time.perf_counter() - start

    def small_products(self) -> float:
        """SMALL products per second: most of their time goes into calling them and bringing the threads together.

        That is what a machine in another state changes first. Of one thread, or of a card, only the calling is seen.
        """

        def products() -> None:
            for _ in range(CALLS):
                self.backend.product(*self.small)

        return CALLS / _least_seconds(products, self.backend.sync, WINDOWS)

    def left_to_do(self, mode: str, repeats: int) -> float:
        """Part of the time of `repeats` steps that passes after `sync()` came back."""
        results: list = []

        def start() -> None:
            results[:] = self.start(mode, repeats)

        def read() -> None:
            for array in [*results, *self.state.values(), *self.backend.model.parameters.values()]:
                self.backend.numpy(array)

        return left_to_do(start, self.backend.sync, read)

    def peak_memory(self, mode: str, steps: int) -> dict:
        """Bytes in use before the steps (`idle`), the most during them (`peak`) and on LONGER x the time (`longer`).

        A step on a tiny batch comes first, so that what the framework loads on first use is idle's. Empty where
        nobody tells.
        """
        memory = self.backend.memory()
        if memory is None:
            return {}
        tiny = {name: value[:2, :1] if value.ndim > 1 else value[:1] for name, value in self.arrays.items()}
        Stopwatch(self.backend, tiny).run(mode, 1)
        longer = Stopwatch(self.backend, lengthened(self.arrays, LONGER))
        self.backend.sync()
        found = {"idle": memory.now()}
        for name, stopwatch in (("peak", self), ("longer", longer)):
            memory.forget_peak()
            stopwatch.run(mode, steps)
            found[name] = memory.peak()
        return found


def machine_rates(backend: Any, size: int, copied: int, seconds: float) -> dict:
    """What this machine can do in this framework: the best of what fits in some `seconds` each, of three at least.

    Args:
        size: of the square matrices whose product is timed.
        copied: bytes of the array that is copied.

    Returns:
        `operations`: floating-point operations per second of the product; `bytes`: read and written per second by
        the copy, which moves each byte twice; and the `size` of the matrices.
    """
    square = backend.native(np.ones((size, size)))
    source = np.ones(copied // np.dtype(backend.dtype).itemsize)
    source, target = backend.native(source), backend.native(np.zeros_like(source))
    product = _least_seconds(lambda: backend.product(square, square), backend.sync, FEWEST_RATES, seconds)
    copy = _least_seconds(lambda: backend.copy(source, target), backend.sync, FEWEST_RATES, seconds)
    return {"operations": 2.0 * size**3 / product, "bytes": 2.0 * copied / copy, "size": size}


def lengthened(batch: dict, factor: int) -> dict:
    """The batch with every step repeated, so that padding stays at the end; arrays without steps as they are."""
    return {name: np.repeat(value, factor, axis=0) if value.ndim > 1 else value for name, value in batch.items()}


def _least_seconds(work: Callable[[], Any], sync: Callable[[], None], fewest: int, budget: float = 0.0) -> float:
    """The least of `fewest` times, or more where the budget allows, after one that does not count."""
    seen: list = []
    while len(seen) <= fewest or sum(seen) < budget:
        sync()
        start = time.perf_counter()
        work()
        sync()
        seen.append(time.perf_counter() - start)
    return min(seen[1:])

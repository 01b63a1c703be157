"""Does `sync()` wait? An asynchronous framework whose `sync()` does not is timed while it only takes orders.

Work is asked for, `sync()` comes back, and then the results are read, which a framework cannot do before they are
computed. Reading them once more tells what reading alone costs. What the first reading took longer was still to be
computed: it belongs to the time that was measured, and is missing from it.
"""

from __future__ import annotations

import time
from typing import Any, Callable

import numpy as np

from crossfw.errors import CrossfwError

TRIALS = 5
ALLOWED = 0.15  # of the work; a machine's hiccup may seem more, but not in every trial
PRODUCT_SIZE = 1024  # its product takes milliseconds, and asking for it microseconds


def left_to_do(start: Callable[[], None], sync: Callable[[], None], read: Callable[[], None]) -> float:
    """Part of the work's time that passes after `sync()` came back: the least of some trials, the first that is fine.

    Args:
        start: asks for the work. read: gives all of its results.
    """
    least = 1.0
    for _ in range(TRIALS):
        begun = time.perf_counter()
        start()
        sync()
        said_done = time.perf_counter()
        read()
        done = time.perf_counter()
        read()
        reading = time.perf_counter() - done
        least = min(least, max(0.0, done - said_done - reading) / (done - begun))
        if least <= ALLOWED:
            break
    return least


def product_left_to_do(backend: Any) -> float:
    """The same for a matrix product, which takes far longer than to ask for it."""
    square, results = backend.native(np.ones((PRODUCT_SIZE, PRODUCT_SIZE))), []

    def start() -> None:
        results[:] = [backend.product(square, square)]

    start()
    backend.numpy(results[0])
    return left_to_do(start, backend.sync, lambda: backend.numpy(results[0]))


def require_waiting(what: str, left: float) -> None:
    """Raise CrossfwError where more was left to do than is allowed."""
    if left > ALLOWED:
        raise CrossfwError(
            f"sync() after {what}",
            f"it came back with {left:.0%} of the work still to be done, in each of {TRIALS} trials: no time is true",
            "let Backend.sync wait until everything that was asked for is computed",
        )

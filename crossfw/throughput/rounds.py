"""The schedule: warm workers take turns, forwards and back (A B C C B A), so that drift hits all alike.

The next round begins with the next worker (B C A A C B), so that no one is always the one whose two visits follow each
other.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np

VISIT_SECONDS = 0.015
FEWEST_ROUNDS = 3
WARM_UP_STEPS = 3
WARM_UP_VISITS = 2


@dataclass(frozen=True)
class Samples:
    """Tokens per second, one value per round: both visits of a round together."""

    mode: str
    by_name: dict[str, list[float]]


class Contest:
    """Several warm backends on the same batch.

    Args:
        backends: by name; each built, loaded and with an optimizer.
        batch: as for `Service.step`.
        tokens: outputs that the loss of the batch is about.
    """

    def __init__(self, backends: dict[str, Any], batch: dict[str, np.ndarray], tokens: int):
        self.backends, self.tokens = backends, tokens
        for backend in backends.values():
            backend.call("prepare_timing", batch=batch)

    def repeats(self, name: str, mode: str) -> int:
        """Warm up; how many steps make one visit long enough to be timed."""
        call = self.backends[name].call
        seconds = call("time", mode=mode, repeats=1)
        if seconds < VISIT_SECONDS:
            seconds = min(call("time", mode=mode, repeats=WARM_UP_STEPS) for _ in range(WARM_UP_VISITS)) / WARM_UP_STEPS
        return max(1, math.ceil(VISIT_SECONDS / seconds))

    def run(self, mode: str, rounds: int, budget: float, advance: Callable[[], None]) -> Samples:
        """Time every backend twice in each round; `advance` is called for each round.

        Args:
            rounds: how many, unless the budget ends before.
            budget: seconds after which no more rounds begin, once FEWEST_ROUNDS are done.
        """
        end = time.monotonic() + budget
        repeats = {name: self.repeats(name, mode) for name in self.backends}
        names = list(self.backends)
        speeds: dict[str, list[float]] = {name: [] for name in names}
        for number in range(rounds):
            if number >= FEWEST_ROUNDS and time.monotonic() > end:
                advance()
                continue
            seconds = dict.fromkeys(names, 0.0)
            first = number % len(names)
            turns = names[first:] + names[:first]
            for name in turns + turns[::-1]:
                seconds[name] += self.backends[name].call("time", mode=mode, repeats=repeats[name])
            for name in names:
                speeds[name].append(2 * repeats[name] * self.tokens / seconds[name])
            advance()
        return Samples(mode, speeds)

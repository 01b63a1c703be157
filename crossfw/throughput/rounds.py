"""The schedule: warm workers take turns, forwards and back (A B C C B A), so that drift hits all alike.

The next round begins with the next worker (B C A A C B), so that no one is always the one whose two visits follow each
other. A visit batches steps until it is long enough to be timed. Before the rounds every worker is warmed up until its
median settles, and must show that its `sync()` waits. After each round every worker times a small product of the
machine's own, by which another report can tell whether it was the machine that changed.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Callable

import numpy as np

Speeds = dict[str, list[float]]

VISIT_SECONDS = 0.008
FEWEST_ROUNDS = 3
ROUNDS_TO_STOP = 9  # an interval of fewer may be narrow by chance, and be stopped at for that
WARM_UP_SECONDS = 0.003  # of a visit
WARM_UP_WINDOW = 3  # visits whose median must be that of as many before them
WARM_UP_MOST = 30  # visits
WARM_UP_SHARE = 0.3  # of the budget, for all workers together
SETTLED = 0.03


@dataclass(frozen=True)
class Samples:
    """Tokens per second, one value per round: both visits of a round together.

    Attributes:
        first_seconds: what the very first step of each took, which builds graphs and is in no sample.
        enough: whether `Contest.enough` was content; None where it was not asked.
        small_products: per second of the machine, in each of the workers, one value per round.
    """

    mode: str
    by_name: Speeds
    first_seconds: dict[str, float] = field(default_factory=dict)
    enough: bool | None = None
    small_products: Speeds = field(default_factory=dict)


class Contest:
    """Several warm backends on the same batch.

    Args:
        backends: by name; each built, loaded and with an optimizer.
        batch: as for `Service.step`.
        tokens: outputs that the loss of the batch is about.
        enough: whether the speeds so far are precise enough to stop; without it all rounds are made.
        visit_seconds: steps are made together until they take so long. Where that is several steps, the first one,
            which finds the caches as another worker left them, is not timed: longer visits come closer to training.
    """

    def __init__(
        self,
        backends: dict[str, Any],
        batch: dict[str, np.ndarray],
        tokens: int,
        enough: Callable[[Speeds], bool] | None = None,
        visit_seconds: float = VISIT_SECONDS,
    ):
        self.backends, self.tokens, self.enough, self.visit_seconds = backends, tokens, enough, visit_seconds
        for backend in backends.values():
            backend.call("prepare_timing", batch=batch)

    def warm_up(self, name: str, mode: str, allowed: float) -> tuple[float, float]:
        """Steps until the median of some visits is that of as many before them, or `allowed` seconds have passed.

        Returns:
            Seconds of the first step, and of one when warm.
        """
        call, end = self.backends[name].call, time.monotonic() + allowed
        first = call("time", mode=mode, repeats=1)
        seen = [call("time", mode=mode, repeats=1)]
        while not _settled(seen) and len(seen) < WARM_UP_MOST and time.monotonic() < end:
            repeats = max(1, math.ceil(WARM_UP_SECONDS / seen[-1]))
            seen.append(call("time", mode=mode, repeats=repeats) / repeats)
        return first, median(seen[-WARM_UP_WINDOW:])

    def run(self, mode: str, rounds: int, budget: float, advance: Callable[[], None]) -> Samples:
        """Time every backend twice in each round; `advance` is called for each round.

        Args:
            rounds: the most; fewer where they are precise enough, or where the budget ends before.
            budget: seconds after which no more rounds begin, once FEWEST_ROUNDS are done.

        Raises:
            WorkerError: a worker failed, or its `sync()` does not wait.
        """
        end, names = time.monotonic() + budget, list(self.backends)
        warm = {name: self.warm_up(name, mode, WARM_UP_SHARE * budget / len(names)) for name in names}
        repeats = {name: max(1, math.ceil(self.visit_seconds / seconds)) for name, (_, seconds) in warm.items()}
        for name in names:
            self.backends[name].call("check_sync", mode=mode, repeats=repeats[name])
        speeds, small = ({name: [] for name in names} for _ in range(2))
        enough: bool | None = None
        for number in range(rounds):
            late = number >= FEWEST_ROUNDS and time.monotonic() > end
            if not late and not enough:
                self._round(number, mode, repeats, speeds, small)
                trusted = self.enough is not None and number + 1 >= ROUNDS_TO_STOP
                enough = self.enough(speeds) if trusted else enough
            advance()
        if self.enough is not None:
            enough = len(speeds[names[0]]) >= ROUNDS_TO_STOP and self.enough(speeds)
        return Samples(mode, speeds, {name: first for name, (first, _) in warm.items()}, enough, small)

    def _round(self, number: int, mode: str, repeats: dict[str, int], speeds: Speeds, small: Speeds) -> None:
        names = list(self.backends)
        seconds = dict.fromkeys(names, 0.0)
        first = number % len(names)
        turns = names[first:] + names[:first]
        for name in turns + turns[::-1]:
            seconds[name] += self.backends[name].call("time", mode=mode, repeats=repeats[name])
        for name in names:
            speeds[name].append(2 * repeats[name] * self.tokens / seconds[name])
            small[name].append(self.backends[name].call("small_products"))


def _settled(seen: list[float]) -> bool:
    if len(seen) < 2 * WARM_UP_WINDOW:
        return False
    last, before = median(seen[-WARM_UP_WINDOW:]), median(seen[-2 * WARM_UP_WINDOW : -WARM_UP_WINDOW])
    return abs(last / before - 1) <= SETTLED

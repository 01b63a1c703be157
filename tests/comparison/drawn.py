"""Reports drawn by chance: speeds with the noise of a real machine.

`noise.json` holds what was left of the samples in the reference report of the quick suite (2 cores, shared with other
work), in the quieter half of its contests, as logarithms: "common" is what all implementations of a round shared,
"own" the rest. Its tails are heavy: one in twenty is 14 % off.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from crossfw.models.cost import Cost
from crossfw.results.schema import TaskResult
from crossfw.throughput.measure import CONTROL, Beside, rows_of
from crossfw.throughput.rounds import Samples
from tests.report import examples

NOISE = json.loads((Path(__file__).parent / "noise.json").read_text())
SPEEDS = {"mxnet-scratch": 6.9e3, "mxnet-gluon": 61e3, "torch-scratch": 28.3e3, "torch-nn": 116e3}
MODES = {"train": 1.0, "infer": 3.1}
OF_A_PROCESS, DRIFT, LIMIT = 0.003, 0.01, 0.02  # standard deviations: for good, from round to round, of the product


def drawn_task(
    rng: np.random.Generator,
    name: str = "lm_rnn",
    rounds: int = 30,
    factors: dict[tuple[str, str], float] | None = None,
    machine: float = 1.0,
    speeds: dict[str, float] = SPEEDS,
    drift: float = DRIFT,
    small: dict[tuple[str, str], float] | None = None,
    **changes,
) -> TaskResult:
    """A task that was timed.

    Args:
        factors: by which the speed of (implementation, mode) is multiplied; machine: that of all, and of the product.
        small: by which the speed of the machine's small product is multiplied besides, in (framework, mode).
        drift: standard deviation of what the machine changes by from round to round, for good, its product apart.
    """
    rows, rates, control = [], {}, list(speeds)[-1]
    for mode, scale in MODES.items():
        common = rng.choice(NOISE["common"], rounds) + np.cumsum(rng.normal(0, drift, rounds))
        samples = {}
        for process in (*speeds, control + CONTROL):
            plain = process.removesuffix(CONTROL)
            speed = speeds[plain] * scale * machine * (factors or {}).get((plain, mode), 1.0)
            own = rng.choice(NOISE["own"], rounds) + rng.normal(0, OF_A_PROCESS)
            samples[process] = list(speed * np.exp(common + own))
        for each in speeds:  # the best that any implementation saw of its framework's product
            framework, seen = each.partition("-")[0], 1e11 * machine * math.exp(rng.normal(0, LIMIT))
            most = max(seen, rates.get(framework, {}).get("operations", 0))
            rates[framework] = {"operations": most, "bytes": 1e10}
        beside = dict.fromkeys(speeds, Beside(peak_memory_bytes=50000000))
        rows += rows_of(Samples(mode, samples), control, Cost(operations=1e6, bytes=0.0), 1, beside)
    measurement = examples.measurement(rates=rates)
    for mode, found in measurement["modes"].items():
        found["small_products"] = {
            name: 3e4
            * machine
            * (small or {}).get((name.partition("-")[0], mode), 1.0)
            * math.exp(rng.normal(0, LIMIT))
            for name in speeds
        }
    changes.setdefault("measurement", measurement)
    return examples.blank(name, verdict="agree", throughput=rows, **changes)

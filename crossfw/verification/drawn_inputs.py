"""The draws of inputs that a pair is compared under."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SEEDS = (0, 1, 2)
SCALES = (1e-2, 1e2)  # of inputs, beside the user's own: what is piecewise is taken further


@dataclass(frozen=True)
class Draw:
    """One draw of inputs."""

    seed: int
    size: Any
    wide: bool = False  # whether biases are drawn over a wide range
    times: float = 1.0  # what inputs are multiplied by

    def __str__(self) -> str:
        size = "" if self.size is None else f", batch of {self.size}"
        scaled = "" if self.times == 1 else f", inputs times {self.times:g}"
        return f"seed {self.seed}{size}" + (", wide biases" if self.wide else "") + scaled

    @property
    def usual(self) -> bool:
        """Whether the model is run as its user would: inputs and weights of any size may be beyond what it is for."""
        return not self.wide and self.times == 1

    @property
    def arguments(self) -> dict[str, Any]:
        """As the sides take them."""
        return {"seed": self.seed, "size": self.size}


def draws_of(sizes: list, heavy: bool) -> list[Draw]:
    """A draw for each seed, the batch sizes in turn; of a heavy pair one less, if that leaves one for each size."""
    seeds = SEEDS[: max(2, len(sizes))] if heavy else SEEDS
    return [Draw(seed, sizes[i % len(sizes)]) for i, seed in enumerate(seeds)]

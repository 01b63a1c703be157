"""What rounding alone does to a pair: small errors are measured against it before they count."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any, Callable

import numpy as np

from crossfw.agreement.bounds import CEILING
from crossfw.matching.match import place
from crossfw.ports.decimals import rounded
from crossfw.verification.bounds import NOISE
from crossfw.verification.draw import alone
from crossfw.verification.row import Row

EPS32 = float(np.finfo(np.float32).eps)
SHAKES = {"float64": 1, "float32": 6}  # in float32 a unit may stand so near a kink that it falls on either side
NARROW_SHAKES = 3  # of what goes into operators that are computed in float32


class Noise:
    """The part of `Stages` that keeps rows, and measures the noise of those that are beyond their bound."""

    def add(self, rows: list[Row], again: Callable[[str], list[Row]] | None = None) -> None:
        """Keep rows; small errors beyond their bound are measured against the pair's own noise first.

        Args:
            again: by framework, the rows of that side moved by a unit in the last place: MXNet's against MXNet as it
                is, torch's against MXNet.
        """
        bad = [row.error for row in rows if row.grade == "different"]
        if again is not None and bad and max(bad) <= self.most and not self.failed:
            noise = dict.fromkeys((row.tensor for row in rows), 0.0)
            for shake in range(1, 1 + (NARROW_SHAKES if self.narrow else SHAKES[self.dtype])):
                self.shake = shake
                for row in again("mxnet"):
                    noise[row.tensor] = max(noise[row.tensor], row.error)
            rows = [self.forgiven(row, noise[row.tensor]) for row in rows]
            if any(row.grade == "different" for row in rows):
                for row, plain in zip(again("torch"), rows):
                    noise[row.tensor] = max(noise[row.tensor], abs(row.error - plain.error))
                rows = [self.forgiven(row, noise[row.tensor]) for row in rows]
        self.rows += rows

    @property
    def most(self) -> float:
        """Errors that noise may explain."""
        return CEILING["float32"] if self.narrow else float(np.sqrt(CEILING[self.dtype]))

    def forgiven(self, row: Row, noise: float) -> Row:
        """The row, equal where NOISE times what one unit in the last place does covers its error."""
        limit = NOISE * noise
        if row.grade != "different" or row.error > limit or row.error > self.most:
            return row
        text = f"ill-conditioned: one unit in the last place moves it by {noise:.1e}"
        if self.narrow:
            text = f"behind {', '.join(self.narrow)} in float32, whose rounding moves MXNet's by {noise:.1e}"
        return replace(row, grade="equal", bound=limit, note=text)

    def perturbed(self, framework: str = "mxnet") -> dict[str, np.ndarray]:
        """A side's weights, each one unit in the last place away; of float32 where it is known to that only."""
        rng = np.random.default_rng(self.shake)
        eps, loose = float(np.finfo(self.dtype).eps), self.loose[framework]

        def moved(name: str, array: np.ndarray) -> np.ndarray:
            whole = array.dtype.kind != "f" or (array == np.round(array)).all()  # indices, masks
            size = EPS32 if name in loose else eps
            return array if whole else array * (1 + size * rng.choice([-1.0, 1.0], array.shape))

        return self.pair.keep((name, moved(name, array)) for name, array in self.weights[framework].items())

    @cached_property
    def loose(self) -> dict[str, set[str]]:
        """Constants by framework that only one side holds, and only to float32: the other may compute them."""
        found, lone = {}, alone(self.mapping)
        for framework, units in self.pair.units.items():
            slots = [
                slot for unit in units for slot in unit.slots if not slot.learns and place(slot) in lone[framework]
            ]
            found[framework] = {s.name for s in slots if rounded(self.weights[framework][s.name])}
        return found

    def again(self, framework: str, method: str, **arguments: Any) -> Any:
        """A method of a side, from perturbed weights."""
        side = self.pair.side(framework)
        side.call("load", values=self.perturbed(framework), shake=self.shake)
        found = side.call(method, **arguments)
        self.reset()
        return found

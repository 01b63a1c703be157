"""Rounding: both sides in float32, each against MXNet's float64."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable

import numpy as np

from crossfw.agreement.bounds import CEILING
from crossfw.verification.bounds import NOISE
from crossfw.verification.comparing import SMALL, by_order, by_slots, error_of, graded, rows_of


class Rounding:
    """The part of `Stages` that grades float32."""

    def rounding(self) -> None:
        """Forward and gradients in float32, each side against MXNet's float64."""
        draw = self.draws[0]
        arguments = {**draw.arguments, "training": self.training}
        self.reset()
        true = (
            self.pair.mxnet.call("forward", **draw.arguments, training=False),
            self.pair.mxnet.call("gradients", **arguments),
        )
        self.dtype = "float32"
        self.pair.both("set_dtype", dtype="float32")
        try:
            self.reset()
            forward = self.pair.both("forward", **draw.arguments, training=False)
            gradients = self.pair.both("gradients", **arguments)
            moved = (
                self.mxnet_again("forward", **draw.arguments, training=False),
                self.mxnet_again("gradients", **arguments),
            )
        finally:
            self.pair.both("set_dtype", dtype="float64")
        outputs = {framework: side["outputs"] for framework, side in forward.items()}
        self._graded("forward", draw, by_order, true[0]["outputs"], outputs, moved[0]["outputs"])
        parameters = {framework: side["parameters"] for framework, side in gradients.items()}
        moved_gradients = self.to_torch_gradients(moved[1]["parameters"])
        self._graded("gradients", draw, self.matched, true[1]["parameters"], parameters, moved_gradients)

    def matched(self, mxnet: dict, torch: dict) -> list[tuple]:
        """By the slots of the mapping."""
        return by_slots(self.mapping, mxnet, torch)

    def _graded(self, stage: str, draw: Any, match: Callable, true: dict, found: dict, moved: dict) -> None:
        floor = float(np.finfo(np.float32).eps) / 2
        theirs = {(t, m): b for (t, m, _, b) in match(found["mxnet"], found["torch"])}
        noise = {(t, m): error_of(*map(np.asarray, (a, b))) for (t, m, a, b) in match(true, moved)}
        small = SMALL if stage == "gradients" else 0.0
        for row, (ours, name, _, b) in zip(
            rows_of(stage, "float32", str(draw), match(true, found["torch"]), self.limit(), small),
            match(true, found["torch"]),
        ):
            bound = min(CEILING["float32"], max(row.bound, NOISE * noise.get((ours, name), 0.0)))
            grade = "equal" if row.error <= bound else "different"
            factor = max(row.error, floor) / max(error_of(theirs[ours, name], b), floor)
            self.rows.append(graded(replace(row, bound=bound, grade=grade), factor))

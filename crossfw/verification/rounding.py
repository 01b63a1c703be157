"""Rounding: both sides in float32, each against MXNet's float64. It is graded, and hardly ever makes a verdict.

A right port differs from float64 by what rounding does. How much that is, is measured: both sides are run again with
weights and inputs moved by a unit in the last place of float32, relative to the largest number of their array. The
outputs are continuous, so that a fault of float32 alone (a layer that computes in float16, an epsilon that depends on
the dtype) stands out of that by far. Gradients are not: one unit of a ReLU on the other side of its kink moves them by
1e-3 to 1e-1. They differ only where the median over the draws is beyond what moving both sides does.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from crossfw.errors import CrossfwError
from crossfw.verification.bounds import rounding_bound
from crossfw.verification.comparing import SMALL, by_order, by_slots, error_of, graded, rows_of
from crossfw.verification.drawn_inputs import draws_of
from crossfw.verification.row import Row

WITHOUT_ONEDNN = {"MXNET_ONEDNN_ENABLED": "0", "MXNET_MKLDNN_ENABLED": "0"}  # before and since 1.9
BEYOND = 10.0  # times what moving both sides does
EPS = float(np.finfo(np.float32).eps)
KINK = "further from float64 than elsewhere, as MXNet's own is: units at kinks fall on either side in float32"
Key = tuple  # (torch's name, MXNet's name)


@dataclass(frozen=True)
class Judged:
    """A tensor of one draw: the errors of torch and MXNet, the bound, and whether noise was measured for it."""

    ours: float
    theirs: float
    limit: float
    moved: bool

    @property
    def beyond(self) -> float:
        """The error as a part of the bound."""
        return self.ours / self.limit if self.limit else float(self.ours > 0)


class Rounding:
    """The part of `Stages` that grades float32."""

    def rounding(self) -> None:
        """Forward and gradients in float32, each side against MXNet's float64; where that fails, without oneDNN."""
        for stage in ("forward", "gradients"):
            try:
                self.grade_in_float32(stage)
            except CrossfwError as error:
                if not self.without_onednn(stage, error):
                    break
        with contextlib.suppress(CrossfwError):
            self.use("float64")
            self.reset()

    def without_onednn(self, stage: str, error: CrossfwError) -> bool:
        """Whether a stage that failed can be compared by a process of MXNet without oneDNN.

        After it MXNet lives in either case.
        """
        again = getattr(self.pair.mxnet, "again", None)  # which a side in this process has not
        try:
            if again is None:
                raise error
            again(**WITHOUT_ONEDNN)
            self.grade_in_float32(stage)
        except CrossfwError:
            self.note(f"float32: not compared: {error.found}")
            if again is not None:
                again()
            return False
        self.note(f"float32 {stage}: MXNet fails in it with oneDNN, and ran without: {error.found}")
        return True

    def use(self, dtype: str) -> None:
        """Run both sides in a dtype from now on."""
        if dtype != self.dtype:
            self.dtype = dtype
            self.pair.both("set_dtype", dtype=dtype)

    def grade_in_float32(self, stage: str) -> None:
        """Rows of one stage: from the first draw, and from all where one of its tensors stands out of the noise.

        Of a heavy pair too: the median of two draws would be their mean, which one kink may move.
        """
        if stage == "gradients" and not self.differentiable:
            return
        judged: list[dict[Key, Judged]] = []
        for draw in draws_of(self.pair.settings["sizes"], heavy=False):
            judged.append(self.judged_in_float32(stage, draw))
            if all(one.beyond <= 1 for one in judged[0].values()):
                break
        for key, one in judged[0].items():
            beyond = float(np.median([each[key].beyond for each in judged if key in each]))
            grade = "equal" if beyond <= 1 else "different"
            note = KINK if one.moved and grade == "equal" else ""
            row = Row(stage, *key, "float32", str(self.draws[0]), one.ours, one.limit, grade, note=note)
            self.rows.append(graded(row, max(one.ours, EPS / 2) / max(one.theirs, EPS / 2)))

    def judged_in_float32(self, stage: str, draw: Any) -> dict[Key, Judged]:
        """The tensors of a draw; noise is measured where sums alone do not explain one."""
        found, errors = self.errors_in_float32(stage, draw)
        beyond = any(ours > limit for ours, _, limit in errors.values())
        noise = self.noise_in_float32(stage, draw, found) if beyond else {}
        made = {}
        for key, (ours, theirs, limit) in errors.items():
            moved = ours > limit
            made[key] = Judged(
                ours, theirs, max(limit, BEYOND * max(noise.get(key, 0.0), theirs)) if moved else limit, moved
            )
        return made

    def float32_bound(self, stage: str) -> float:
        """Below it nothing needs to be measured."""
        depth = 1 if stage == "forward" else self.depth
        return rounding_bound("float32", self.terms, depth)

    def errors_in_float32(self, stage: str, draw: Any) -> tuple[dict, dict[Key, tuple[float, float, float]]]:
        """What both sides give in float32; by tensor how far torch's and MXNet's are from MXNet's float64, and what
        sums alone explain of that."""
        true = self.in_float64(stage, draw)
        self.use("float32")
        self.reset()
        found = self.pair.each(lambda side: self.asked(stage, side, draw))
        small = SMALL if stage == "gradients" else 0.0
        sides = found["torch"], self.as_torch(stage, found)
        told = {"bound": self.float32_bound(stage), "small": small, "tiny": self.cancelling() if small else 0.0}
        rows = [rows_of(stage, "float32", str(draw), self.matching(stage, true, side), **told) for side in sides]
        return found, {(a.tensor, a.partner): (a.error, b.error, a.bound) for a, b in zip(*rows)}

    def in_float64(self, stage: str, draw: Any) -> dict[str, np.ndarray]:
        """MXNet's tensors of a stage in float64, without dropout; those that its own stage has left, if they are."""
        if stage == "forward" and draw in self.inferred:
            return self.real_outputs(self.inferred[draw]["mxnet"])
        if stage == "gradients" and not self.drops and draw in self.draws[: len(self.gradients)]:
            return self.gradients[self.draws.index(draw)]
        self.use("float64")
        self.reset()
        return self.asked(stage, self.pair.mxnet, draw)

    def real_outputs(self, outputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Of all outputs those that are compared as real numbers."""
        return {name: array for i, (name, array) in enumerate(outputs.items()) if i in self.pair.parts}

    def asked(self, stage: str, side: Any, draw: Any) -> dict[str, np.ndarray]:
        """The tensors of a stage, without dropout."""
        if stage == "forward":
            return self.real_outputs(side.call("forward", **draw.arguments, training=False)["outputs"])
        found = side.call("gradients", **draw.arguments, training=self.trains, dropout=False)
        return found["parameters"]

    def matching(self, stage: str, mxnet: dict, torch: dict) -> list[tuple]:
        """Pairs of tensors."""
        return by_order(mxnet, torch) if stage == "forward" else by_slots(self.mapping, mxnet, torch)

    def as_torch(self, stage: str, found: dict) -> dict:
        """MXNet's tensors in the place of torch's."""
        if stage == "forward":
            return dict(zip(found["torch"], found["mxnet"].values()))
        return self.to_torch_gradients(found["mxnet"])

    def noise_in_float32(self, stage: str, draw: Any, plain: dict) -> dict[Key, float]:
        """By tensor, how far either side is moved in float32 by a unit in the last place of weights and inputs.

        Args:
            plain: what both sides give without that.
        """
        for framework, side in self.pair:
            side.call("load", values=self.moved(framework), shake=1)
        moved = self.pair.each(lambda side: self.asked(stage, side, draw))
        self.reset()
        noise: dict[Key, float] = {}
        theirs = self.as_torch(stage, moved), self.as_torch(stage, plain)
        for now, before in ((moved["torch"], plain["torch"]), theirs):
            pairs = zip(self.matching(stage, plain["mxnet"], now), self.matching(stage, plain["mxnet"], before))
            for (ours, other, a, _), (_, _, b, _) in pairs:
                noise[ours, other] = max(noise.get((ours, other), 0.0), error_of(np.asarray(a), np.asarray(b)))
        return noise

    def moved(self, framework: str) -> dict[str, np.ndarray]:
        """A side's weights, moved by a unit in the last place of the largest of each array."""
        rng = np.random.default_rng(1)

        def move(array: np.ndarray) -> np.ndarray:
            if array.dtype.kind != "f" or (array == np.round(array)).all():  # indices, masks
                return array
            return array + EPS * float(np.abs(array).max()) * rng.choice([-1.0, 1.0], array.shape)

        return self.pair.keep((name, move(array)) for name, array in self.weights[framework].items())

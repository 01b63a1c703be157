"""The stages of a pair, each from the same weights and inputs on both sides."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Callable

import numpy as np

from crossfw.errors import CrossfwError, NoGradient
from crossfw.matching.match import Mapping
from crossfw.matching.units import Unit
from crossfw.verification.bounds import longest_sum, rounding_bound, step_bound
from crossfw.verification.comparing import (
    SMALL,
    as_torch,
    by_order,
    by_place,
    by_slots,
    error_of,
    rows_of,
    slot_pairs,
    values,
)
from crossfw.verification.draw import draw_mxnet
from crossfw.verification.drawn_inputs import SCALES, Draw, draws_of
from crossfw.verification.noise import Noise
from crossfw.verification.rounding import Rounding
from crossfw.verification.row import Row
from crossfw.verification.setting_rows import setting_rows
from crossfw.verification.sides import Pair, SideDied
from crossfw.verification.updates import Updates


class Stages(Noise, Updates, Rounding):
    """Runs the stages of a mapped pair.

    Args:
        pair: opened, in float64.
        mapping: of its parameters.
        weights: by framework and name, float64: what both start from.
        even: see `trial.Start`.
    """

    def __init__(self, pair: Pair, mapping: Mapping, weights: dict[str, dict[str, np.ndarray]], even: bool = False):
        self.pair, self.mapping, self.weights, self.even = pair, mapping, weights, even
        self.draws = draws_of(pair.settings["sizes"], pair.heavy)
        self.training = pair.settings["train_mode"]
        self.terms = max(longest_sum(pair.units["mxnet"]), pair.positions)
        self.depth = len(pair.units["mxnet"])
        self.dtype = pair.settings["dtype"] or "float64"
        self.shake = 0
        self.rows: list[Row] = []
        self.notes: list[str] = []
        self.outputs: dict[str, np.ndarray] = {}
        self.inferred: dict[Draw, dict[str, dict]] = {}  # what both sides gave in inference, under the shared weights
        self.drops = False  # whether MXNet's model has dropout
        self.gradients: list[dict[str, np.ndarray]] = []
        self.scales, self.wide = SCALES, True  # of inputs; whether forward is also run under biases of a wide range
        self.backwards = True  # whether MXNet can run backwards through the model
        self.narrow: list[str] = []  # MXNet's operators that are computed in float32
        self.random = {"inference": False, "training": False}  # whether a side draws numbers of its own
        self.still = sorted(p.mxnet.name for p in slot_pairs(mapping) if p.torch.repeat != p.mxnet.repeat)
        self.torch_still = sorted(p.torch.name for p in slot_pairs(mapping) if p.torch.repeat != p.mxnet.repeat)

    def reset(self) -> None:
        """Both sides back to the shared weights."""
        for framework, side in self.pair:
            side.call("load", values=self.weights[framework])

    def run(self, advance: Callable[[str], None] = lambda _: None) -> None:
        """All stages in float64, then rounding in float32 where float64 agrees; or all in the one dtype asked for."""
        stages = [self.parameters, self.settings, self.forward, self.loss, self.gradient, self.clipping]
        if self.training:
            stages = [*stages[:3], self.forward_in_training, *stages[3:], self.update, self.several_updates]
        for stage in stages:
            name = stage.__name__.replace("_", " ")
            advance(name)
            self.reset()
            try:
                stage()
            except SideDied as error:
                if stage == self.forward or error.framework != "mxnet":
                    raise
                self.pair.mxnet.again()
                if stage == self.gradient:
                    self.without_gradients(error)
                else:
                    self.note(f"{name}: not compared: {error.found}")
        if self.pair.settings["dtype"] is None and not self.failed and not self.random["inference"]:
            advance("float32")
            self.rounding()

    @property
    def failed(self) -> bool:
        """Whether any tensor differs."""
        return any(row.grade == "different" for row in self.rows)

    def limit(self) -> float:
        """The bound on a tensor of a pass."""
        return rounding_bound(self.dtype, self.terms, self.depth)

    def cancelling(self) -> float:
        """The bound on a gradient that is zero but for rounding, on the scale of SMALL: a bias before BatchNorm."""
        return float(np.finfo(self.dtype).eps) * self.pair.positions / SMALL

    def parameters(self) -> None:
        """What comes back from both sides after the shared weights went in."""
        found = self.pair.both("export")
        matched = by_slots(self.mapping, found["mxnet"], found["torch"], values)
        self.add(rows_of("parameters", self.dtype, "shared weights", matched, 0.0))

    def forward(self) -> None:
        """Inference, for every draw."""
        for draw in self.draws:
            self._forward("forward", draw, training=False)
        for draw in self.further_draws:
            self._forward_under(draw)

    @property
    def first_draws(self) -> list[Draw]:
        """Those that training, whose runs cost more, is compared under."""
        return self.draws[: 1 if self.pair.heavy else 2]

    @property
    def further_draws(self) -> list[Draw]:
        """Draws of inputs and of biases that reach further than the user's."""
        scales = self.scales if self.pair.scalable else ()
        scaled = [replace(self.draws[0], times=times) for times in scales]
        return scaled + ([replace(self.draws[0], wide=True)] if self.wide and self.has_biases else [])

    def _forward_under(self, draw: Draw) -> None:
        """Inference under a draw that the model may not be made for: where it gives NaN, or dies, nothing is said."""
        try:
            with self.under(draw), contextlib.suppress(NotFinite):
                self._forward("forward", draw, training=False)
        except SideDied as error:
            if error.framework != "mxnet":
                raise
            self.pair.mxnet.again()
            self.note(f"forward under {draw}: not compared: {error.found}")
            self.pair.both("scale", times=1.0)
            self.reset()

    @property
    def has_biases(self) -> bool:
        """Whether there is something to draw over a wide range."""
        return any(len(p.mxnet.shape) < 2 and p.mxnet.learns for p in slot_pairs(self.mapping))

    @contextlib.contextmanager
    def under(self, draw: Draw) -> Iterator[None]:
        """Within it both sides have the weights and the inputs of a draw."""
        kept = self.weights
        self.pair.both("scale", times=draw.times)
        if draw.wide:
            mxnet = self.pair.keep(draw_mxnet(self.mapping, kept["mxnet"], 1, self.even, wide=True).items())
            torch = self.pair.keep(self.mapping.to_torch(mxnet, kept["torch"]).items())
            self.weights = {"mxnet": mxnet, "torch": torch}
        try:
            self.reset()
            yield
        finally:
            self.weights = kept
            self.pair.both("scale", times=1.0)
            self.reset()

    def forward_in_training(self) -> None:
        """Training mode: outputs under the same dropout masks, and the running statistics after them."""
        self.compare_dropout_settings()
        if self.narrow:
            self.pair.both("drop", on=False)
        for draw in self.first_draws:
            self._forward("forward in training", draw, training=True)

    def _forward(self, stage: str, draw: Draw, training: bool) -> None:
        arguments = {**draw.arguments, "training": training}
        found = self.pair.both("forward", **arguments)
        self.narrow = found["mxnet"]["narrow"]
        require_finite("MXNet", found["mxnet"]["outputs"], draw)
        if not draw.usual:
            require_finite("torch", found["torch"]["outputs"], draw)
        for side in found.values():
            self.note(*side["notes"])
        self.outputs = found["mxnet"]["outputs"]
        if training:
            self.drops |= any(rate for _, rate in found["mxnet"]["dropout"])
        elif draw.usual:
            self.inferred[draw] = {side: told["outputs"] for side, told in found.items()}

        def rows(mxnet: dict, torch: dict) -> list[Row]:
            made = rows_of(stage, self.dtype, str(draw), by_order(mxnet["outputs"], torch["outputs"]), self.limit())
            if training:
                matched = by_slots(self.mapping, mxnet["statistics"], torch["statistics"])
                made += rows_of(stage, self.dtype, str(draw), matched, step_bound(self.dtype, 0.0, 1, 0.0))
            return made

        made = rows(found["mxnet"], found["torch"])
        if training and (self.narrow or self.dtype == "float32"):
            made += dropout_rows(stage, self.dtype, found)
        if any(row.grade == "different" for row in made) and self.draws_by_itself(draw, training):
            return

        def again(framework: str) -> list[Row]:
            moved = self.again(framework, "forward", **arguments)
            return rows(found["mxnet"], by_place(self.mapping, found, moved) if framework == "mxnet" else moved)

        self.add(made, again)

    def draws_by_itself(self, draw: Draw, training: bool) -> bool:
        """Whether a side, started from other random numbers, does not agree with itself: then nothing can be said."""
        mode = "training" if training else "inference"
        if not self.random[mode]:
            found = [self.pair.both("forward", **draw.arguments, training=training, state=state) for state in (0, 1)]
            for framework in found[0]:
                a, b = (one[framework]["outputs"] for one in found)
                if any(error_of(np.asarray(a[name]), np.asarray(b[name])) > 0 for name in a):
                    self.random[mode] = True
                    self.note(f"{framework}'s model draws random numbers of its own in {mode}: not compared there")
        return self.random[mode]

    @property
    def trains(self) -> bool:
        """Whether gradients can be compared in training mode."""
        return self.training and not self.random["training"]

    @property
    def differentiable(self) -> bool:
        """Whether there is something to take gradients of."""
        return self.backwards and (bool(self.pair.parts) or self.pair.settings["has_loss"])

    def settings(self) -> None:
        """Settings of matched layers, which numbers may happen not to show."""
        self.rows += setting_rows(self.mapping, self.dtype)

    def compare_dropout_settings(self) -> None:
        """The rates inside recurrent layers, whose masks cannot be shared."""
        for pair in self.mapping.pairs:
            a, b = pair.torch.settings.get("dropout"), pair.mxnet.settings.get("dropout")
            if a is not None and b is not None and pair.mxnet.kind in ("rnn", "gru", "lstm") and float(a) != float(b):
                note = f"dropout {a:g} against MXNet's {b:g}"
                self.rows.append(
                    Row("forward in training", f"{pair.torch.path}.dropout", f"{pair.mxnet.path}.dropout", self.dtype,
                        "settings", abs(float(a) - float(b)), 0.0, "different", note=note)
                )  # fmt: skip

    def note(self, *texts: str) -> None:
        """Keep remarks, each once."""
        self.notes += [text for text in texts if text not in self.notes]

    def loss(self) -> None:
        """The loss of the same outputs, MXNet's."""
        if self.pair.settings["has_loss"] is False:
            return
        for draw in self.draws[:2]:
            outputs, ours = (self.outputs_of(framework, draw) for framework in ("mxnet", "torch"))
            if [np.size(a) for a in outputs.values()] != [np.size(a) for a in ours.values()]:
                return
            found = self.pair.both("loss", outputs=outputs, **draw.arguments)
            self.narrow = self.pair.mxnet.call("narrow")

            def rows(torch: Any, mxnet: Any, draw: Draw = draw) -> list[Row]:
                matched = [("loss", "loss", np.asarray(torch), np.asarray(mxnet))]
                return rows_of("loss", self.dtype, str(draw), matched, self.limit())

            def again(side: str, found: dict = found, outputs: dict = outputs, draw: Draw = draw) -> list[Row]:
                return rows(self.again(side, "loss", outputs=outputs, **draw.arguments), found["mxnet"])

            self.add(rows(found["torch"], found["mxnet"]), again)

    def outputs_of(self, framework: str, draw: Draw) -> dict[str, np.ndarray]:
        """A side's outputs in inference, under the shared weights."""
        if draw in self.inferred:
            return self.inferred[draw][framework]
        return self.pair.side(framework).call("forward", **draw.arguments, training=False)["outputs"]

    def without_gradients(self, error: CrossfwError) -> None:
        """Go on without: MXNet cannot run backwards through the model."""
        self.backwards = False
        self.note(f"gradients and updates: not compared: MXNet cannot run backwards through its model: {error.found}")

    def gradient(self) -> None:
        """Loss and gradients of all parameters and inputs."""
        if not self.differentiable:
            self.note("no output is a real number: there are no gradients to compare")
            return
        for draw in self.first_draws:
            arguments = {**draw.arguments, "training": self.trains}
            try:
                found = self.pair.both("gradients", **arguments)
            except NoGradient as error:
                self.without_gradients(error)
                return
            self.narrow = self.pair.mxnet.call("narrow")
            self.gradients.append(found["mxnet"]["parameters"])

            def rows(mxnet: dict, torch: dict, draw: Draw = draw) -> list[Row]:
                matched = by_slots(self.mapping, mxnet["parameters"], torch["parameters"])
                matched += [(n, n, a, mxnet["inputs"][n]) for n, a in torch["inputs"].items() if n in mxnet["inputs"]]
                return rows_of("gradients", self.dtype, str(draw), matched, self.limit(), SMALL, self.cancelling())

            def again(side: str, found: dict = found, arguments: dict = arguments) -> list[Row]:
                moved = self.again(side, "gradients", **arguments)
                return rows(found["mxnet"], as_torch(self.mapping, moved) if side == "mxnet" else moved)

            self.add(rows(found["mxnet"], found["torch"]), again)
        self.note(*unused_rows(self.pair.units["mxnet"], self.gradients))


def dropout_rows(stage: str, dtype: str, found: dict) -> list[Row]:
    """Where nothing is dropped, the rates that both sides would drop with."""
    rates = {side: sorted({rate for _, rate in told["dropout"] if rate}) for side, told in found.items()}
    if rates["torch"] == rates["mxnet"]:
        return []
    words = {side: ", ".join(f"{rate:g}" for rate in found) or "nothing" for side, found in rates.items()}
    note = f"dropout of {words['torch']} where MXNet's model has {words['mxnet']}"
    return [Row(stage, "(model).dropout", "(model).dropout", dtype, "settings", 1.0, 0.0, "different", note=note)]


def unused_rows(units: list[Unit], gradients: list[dict[str, np.ndarray]]) -> list[str]:
    """What no drawn input looked up in an embedding, and was therefore not compared."""
    notes = []
    for unit in units:
        name = unit.slots[0].name if unit.kind == "embedding" else None
        found = [g[name] for g in gradients if name in g]
        if found:
            unused = int((~np.any([g.any(axis=1) for g in found], axis=0)).sum())
            if unused:
                total = len(found[0])
                notes.append(
                    f"{name}: {unused} of {total} rows were never looked up; let inputs(rng) give more of them"
                )
    return notes


class NotFinite(CrossfwError):
    """A side gives NaN or infinite numbers."""


def require_finite(side: str, outputs: dict[str, np.ndarray], draw: Draw) -> None:
    """Raise NotFinite where a model gives no numbers to compare with."""
    for name, value in outputs.items():
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise NotFinite(
                f"{name} of the {side} model ({draw})",
                f"{int((~np.isfinite(value)).sum())} of {value.size} numbers are NaN or infinite",
                "draw inputs of the size that the model is made for, and look for NaN in its weights",
            )

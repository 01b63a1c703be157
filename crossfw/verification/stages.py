"""The stages of a pair, each from the same weights and inputs on both sides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Callable

import numpy as np

from crossfw.agreement.bounds import CEILING
from crossfw.errors import CrossfwError
from crossfw.verification.bounds import EPS32, NOISE, longest_sum, rounding_bound, step_bound
from crossfw.verification.comparing import SMALL, by_order, by_slots, error_of, graded, rows_of, slot_pairs, values
from crossfw.verification.sides import Pair
from crossfw.verification.verdict import Row
from crossfw.weights.matching import Mapping
from crossfw.weights.units import Unit

SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Draw:
    """One draw of inputs."""

    seed: int
    size: Any

    def __str__(self) -> str:
        return f"seed {self.seed}" + ("" if self.size is None else f", batch of {self.size}")

    @property
    def arguments(self) -> dict[str, Any]:
        """As the sides take them."""
        return {"seed": self.seed, "size": self.size}


def draws_of(sizes: list) -> list[Draw]:
    """A draw for each seed, the batch sizes in turn."""
    return [Draw(seed, sizes[i % len(sizes)]) for i, seed in enumerate(SEEDS)]


class Stages:
    """Runs the stages of a mapped pair.

    Args:
        pair: opened, in float64.
        mapping: of its parameters.
        weights: by framework and name, float64: what both start from.
    """

    def __init__(self, pair: Pair, mapping: Mapping, weights: dict[str, dict[str, np.ndarray]]):
        self.pair, self.mapping, self.weights = pair, mapping, weights
        self.draws = draws_of(pair.settings["sizes"])
        self.training = pair.settings["train_mode"]
        self.terms = max(longest_sum(pair.units["mxnet"]), pair.positions)
        self.depth = len(pair.units["mxnet"])
        self.dtype = pair.settings["dtype"] or "float64"
        self.rows: list[Row] = []
        self.notes: list[str] = []
        self.outputs: dict[str, np.ndarray] = {}
        self.gradients: list[dict[str, np.ndarray]] = []
        self.still = sorted(p.mxnet.name for p in slot_pairs(mapping) if p.torch.repeat != p.mxnet.repeat)
        self.torch_still = sorted(p.torch.name for p in slot_pairs(mapping) if p.torch.repeat != p.mxnet.repeat)

    def reset(self) -> None:
        """Both sides back to the shared weights."""
        for framework, side in self.pair:
            side.call("load", values=self.weights[framework])

    def run(self, advance: Callable[[str], None] = lambda _: None) -> None:
        """All stages in float64, then rounding in float32 where float64 agrees; or all in the one dtype asked for."""
        stages = [self.parameters, self.forward, self.loss, self.gradient, self.clipping]
        if self.training:
            stages = [self.parameters, self.forward, self.forward_in_training, *stages[2:]]
            stages += [self.update, self.several_updates]
        for stage in stages:
            advance(stage.__name__.replace("_", " "))
            self.reset()
            stage()
        if self.pair.settings["dtype"] is None and not self.failed:
            advance("float32")
            self.rounding()

    @property
    def failed(self) -> bool:
        """Whether any tensor differs."""
        return any(row.grade == "different" for row in self.rows)

    def add(self, rows: list[Row], again: Callable[[], list[Row]] | None = None) -> None:
        """Keep rows; those beyond their bound are measured against the pair's own noise first.

        Args:
            again: the rows of MXNet from weights one unit in the last place away, against MXNet.
        """
        if again is not None and any(row.grade == "different" and np.isfinite(row.error) for row in rows):
            noise = {row.tensor: row.error for row in again()}
            rows = [self.forgiven(row, noise.get(row.tensor, 0.0)) for row in rows]
        self.rows += rows

    def forgiven(self, row: Row, noise: float) -> Row:
        """The row, equal where NOISE times what one unit in the last place does covers its error."""
        limit = NOISE * noise
        if row.grade != "different" or row.error > limit or row.error > np.sqrt(CEILING[self.dtype]):
            return row
        text = f"ill-conditioned: one unit in the last place moves MXNet's by {noise:.1e}"
        return replace(row, grade="equal", bound=limit, note=text)

    def perturbed(self) -> dict[str, np.ndarray]:
        """MXNet's weights, each one unit in the last place away."""
        eps = np.finfo(self.dtype).eps
        rng = np.random.default_rng(0)
        return {n: w * (1 + eps * rng.choice([-1.0, 1.0], w.shape)) for n, w in self.weights["mxnet"].items()}

    def mxnet_again(self, method: str, **arguments: Any) -> Any:
        """A method of MXNet from perturbed weights."""
        self.pair.mxnet.call("load", values=self.perturbed())
        found = self.pair.mxnet.call(method, **arguments)
        self.reset()
        return found

    def limit(self) -> float:
        """The bound on a tensor of a pass."""
        return rounding_bound(self.dtype, self.terms, self.depth)

    def parameters(self) -> None:
        """What comes back from both sides after the shared weights went in."""
        found = self.pair.both("export")
        matched = by_slots(self.mapping, found["mxnet"], found["torch"], values)
        self.add(rows_of("parameters", self.dtype, "shared weights", matched, 0.0))

    def forward(self) -> None:
        """Inference, for every draw."""
        for draw in self.draws:
            self._forward("forward", draw, training=False)

    def forward_in_training(self) -> None:
        """Training mode: outputs under the same dropout masks, and the running statistics after them."""
        self.compare_dropout_settings()
        for draw in self.draws[:2]:
            self._forward("forward in training", draw, training=True)

    def _forward(self, stage: str, draw: Draw, training: bool) -> None:
        arguments = {**draw.arguments, "training": training}
        found = self.pair.both("forward", **arguments)
        require_finite(found["mxnet"]["outputs"], draw)
        for side in found.values():
            self.note(*side["notes"])
        self.outputs = found["mxnet"]["outputs"]

        def rows(mxnet: dict, torch: dict) -> list[Row]:
            made = rows_of(stage, self.dtype, str(draw), by_order(mxnet["outputs"], torch["outputs"]), self.limit())
            if training:
                matched = by_slots(self.mapping, mxnet["statistics"], torch["statistics"])
                made += rows_of(stage, self.dtype, str(draw), matched, step_bound(self.dtype, 0.0, 1, 0.0))
            return made

        made = rows(found["mxnet"], found["torch"])

        def again() -> list[Row]:
            return rows(found["mxnet"], by_place(self.mapping, found, self.mxnet_again("forward", **arguments)))

        self.add(made, again)

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
            outputs = self.pair.mxnet.call("forward", **draw.arguments, training=False)["outputs"]
            shapes = [
                np.shape(a)
                for a in self.pair.torch.call("forward", **draw.arguments, training=False)["outputs"].values()
            ]
            if [np.size(a) for a in outputs.values()] != [int(np.prod(s)) for s in shapes]:
                return
            found = self.pair.both("loss", outputs=outputs, **draw.arguments)
            matched = [("loss", "loss", np.asarray(found["torch"]), np.asarray(found["mxnet"]))]
            self.add(rows_of("loss", self.dtype, str(draw), matched, self.limit()))

    def gradient(self) -> None:
        """Loss and gradients of all parameters and inputs."""
        for draw in self.draws[:2]:
            arguments = {**draw.arguments, "training": self.training}
            found = self.pair.both("gradients", **arguments)
            self.gradients.append(found["mxnet"]["parameters"])

            def rows(mxnet: dict, torch: dict, draw: Draw = draw) -> list[Row]:
                matched = by_slots(self.mapping, mxnet["parameters"], torch["parameters"])
                matched += by_order(mxnet["inputs"], torch["inputs"])
                return rows_of("gradients", self.dtype, str(draw), matched, self.limit(), SMALL)

            def again(found: dict = found, arguments: dict = arguments) -> list[Row]:
                moved = self.mxnet_again("gradients", **arguments)
                return rows(found["mxnet"], as_torch(self.mapping, moved))

            self.add(rows(found["mxnet"], found["torch"]), again)
        self.note(*unused_rows(self.pair.units["mxnet"], self.gradients))

    def to_torch_gradients(self, gradients: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """MXNet's gradients under torch's names; the gradient of repeated numbers is shared among them."""
        torch = {n: np.zeros_like(a) for n, a in self.weights["torch"].items() if n in self.learning_torch}
        for pair in slot_pairs(self.mapping):
            if pair.mxnet.name in gradients and pair.torch.name in torch:
                value = pair.mxnet.read(gradients[pair.mxnet.name])
                pair.torch.write(torch[pair.torch.name], (value.T if pair.transposed else value) / pair.torch.repeat)
        return torch

    @property
    def learning_torch(self) -> set[str]:
        """Torch's arrays that learn."""
        return {slot.name for unit in self.pair.units["torch"] for slot in unit.slots if slot.learns}

    def clipping(self) -> None:
        """The same gradients through both sides' clipping, once small and once large."""
        if not self.pair.settings["clips"] or not self.gradients:
            return
        for word, size in (("small", 1e-3), ("large", 1e3)):
            norm = np.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in self.gradients[0].values())) or 1.0
            given = {name: g * (size / norm) for name, g in self.gradients[0].items()}
            mxnet = self.pair.mxnet.call("clip", gradients=given)
            torch = self.pair.torch.call("clip", gradients=self.to_torch_gradients(given))
            matched = by_slots(self.mapping, mxnet, torch)
            self.add(rows_of("clipping", self.dtype, f"{word} gradients", matched, CLIP_EPSILON, SMALL))

    def update(self) -> None:
        """Two steps of the optimizers with the same gradients."""
        decay = max(told["decay"] for told in self.pair.both("start").values())
        if not self.gradients:
            return
        before = {f: dict(w) for f, w in self.weights.items()}
        for number, gradients in enumerate(self.gradients[:2], 1):
            given = {n: (np.zeros_like(g) if n in self.still else g) for n, g in gradients.items()}
            after = {
                "mxnet": self.pair.mxnet.call("update", gradients=given),
                "torch": self.pair.torch.call("update", gradients=self.to_torch_gradients(given)),
            }
            bound = step_bound(self.dtype, decay, number, 0.0)
            self.add(self.step_rows("update", f"step {number}", before, after, bound))

    def step_rows(self, stage: str, run: str, before: dict, after: dict, bound: float) -> list[Row]:
        """Rows of what the weights moved by; in float32 a small step is what is left of two large weights."""
        rows = rows_of(stage, self.dtype, run, self.steps(before, after), bound, SMALL)
        if self.dtype == "float64":
            return rows
        largest = {n: float(np.abs(w).max(initial=0.0)) for n, w in before["torch"].items()}
        moved = {n: float(np.abs(after["torch"][n] - w).max(initial=0.0)) for n, w in before["torch"].items()}
        floor = SMALL * max(moved.values(), default=0.0)
        made = []
        for row in rows:
            name = row.tensor.split("[")[0]
            limit = bound + 2 * EPS32 * largest[name] / max(moved[name], floor, EPS32)
            limit = min(CEILING["float32"], limit)
            made.append(replace(row, bound=limit, grade="equal" if row.error <= limit else "different"))
        return made

    def steps(self, before: dict, after: dict) -> list[tuple]:
        """What the weights moved by, matched; those held still are left out."""
        moved = {f: {n: after[f][n].astype(np.float64) - before[f][n] for n in after[f]} for f in after}
        for name in self.still:
            moved["mxnet"].pop(name, None)
        learning = {p.torch.name for p in slot_pairs(self.mapping) if p.torch.learns or p.mxnet.learns}
        return by_slots(self.mapping, moved["mxnet"], {n: m for n, m in moved["torch"].items() if n in learning})

    def several_updates(self) -> None:
        """Whole training steps in a row, each side on its own."""
        count = self.pair.settings["updates"]
        decay = max(told["decay"] for told in self.pair.both("start").values())
        if self.still:
            self.note(GROUP_NORM)
        draws = [self.draws[i % len(self.draws)] for i in range(count)]
        arguments = {"seeds": [d.seed for d in draws], "sizes": [d.size for d in draws], "training": True}
        found = {
            "mxnet": self.pair.mxnet.call("train", **arguments, still=self.still),
            "torch": self.pair.torch.call("train", **arguments, still=self.torch_still),
        }
        bound = step_bound(self.dtype, decay, count, self.limit())
        run = f"{count} steps"

        def rows(mxnet: dict, torch: dict) -> list[Row]:
            after = {"mxnet": mxnet["arrays"], "torch": torch["arrays"]}
            made = self.step_rows("several updates", run, self.weights, after, bound)
            losses = [("losses", "losses", torch["losses"], mxnet["losses"])]
            return made + rows_of("several updates", self.dtype, run, losses, bound)

        def again() -> list[Row]:
            self.pair.mxnet.call("start")
            moved = self.mxnet_again("train", **arguments, still=self.still)
            torch = self.mapping.to_torch(moved["arrays"], self.weights["torch"])
            return rows(found["mxnet"], {"arrays": torch, "losses": moved["losses"]})

        self.add(rows(found["mxnet"], found["torch"]), again)

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

    def _graded(self, stage: str, draw: Draw, match: Callable, true: dict, found: dict, moved: dict) -> None:
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


CLIP_EPSILON = 1e-5  # clipping adds 1e-8 to the norm in MXNet and 1e-6 in torch
GROUP_NORM = (
    "GroupNorm: MXNet has one scale and one shift per group, torch one per channel. Their gradients agree when summed "
    "over a group; in training torch's move apart within a group, so they are held still while updates are compared"
)


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
                notes.append(f"{name}: {unused} of {total} rows were never looked up; let inputs(rng) cover the range")
    return notes


def require_finite(outputs: dict[str, np.ndarray], draw: Draw) -> None:
    """Raise CrossfwError where the MXNet model itself gives no numbers to compare with."""
    for name, value in outputs.items():
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise CrossfwError(
                f"{name} of the MXNet model ({draw})",
                f"{int((~np.isfinite(value)).sum())} of {value.size} numbers are NaN or infinite",
                "draw inputs of the size that the model is made for, and look for NaN in its weights",
            )


def by_place(mapping: Mapping, found: dict, moved: dict) -> dict:
    """A perturbed MXNet forward in the place of torch's."""
    outputs = dict(zip(found["torch"]["outputs"], moved["outputs"].values()))
    return {"outputs": outputs, "statistics": as_torch(mapping, {"parameters": moved["statistics"]})["parameters"]}


def as_torch(mapping: Mapping, moved: dict) -> dict:
    """MXNet's arrays under torch's names, whole slots only: what `by_slots` will read again."""
    arrays: dict[str, np.ndarray] = {}
    for pair in slot_pairs(mapping):
        if pair.mxnet.name in moved["parameters"]:
            value = pair.mxnet.read(moved["parameters"][pair.mxnet.name])
            value = value.T if pair.transposed else value
            size = pair.torch.offset + value.size * pair.torch.repeat
            old = arrays.get(pair.torch.name, np.zeros(0))
            flat = np.zeros(max(size, old.size))
            flat[: old.size] = old.reshape(-1)
            pair.torch.write(flat, value / pair.torch.repeat)
            arrays[pair.torch.name] = flat
    return {**moved, "parameters": arrays}

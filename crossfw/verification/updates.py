"""The stages that change weights: clipping, one update, several in a row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from crossfw.agreement.bounds import CEILING
from crossfw.verification import epsilon
from crossfw.verification.bounds import step_bound
from crossfw.verification.comparing import SMALL, by_slots, rows_of, slot_pairs
from crossfw.verification.optimizer_settings import Optimizers
from crossfw.verification.row import Row
from crossfw.verification.trajectories import Series, horizon, judged, series_of

LARGEST_CLIP_BOUND, NORM_EPSILON = 1e-5, 2e-6  # clipping adds 1e-8 to the norm in MXNet and 1e-6 in torch
# The norm of all gradients together: what clips shows in some of them, whatever its threshold.
SIZES = (("small", 1e-3), ("middling", 1.0), ("large", 1e3), ("huge", None))
HUGE = 1e4  # the size of a number of huge gradients
SHAKEN = 2  # times that MXNet is trained again for the noise floor
CHEAP = 1 << 22  # numbers that are told of a training run
GROUP_NORM = (
    "GroupNorm: MXNet has one scale and one shift per group, torch one per channel. Their gradients agree when summed "
    "over a group; in training torch's move apart within a group, so they are held still while updates are compared"
)


class Updates:
    """The part of `Stages` that trains."""

    def to_torch_gradients(self, gradients: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """MXNet's gradients under torch's names; the gradient of repeated numbers is shared among them."""
        torch = {n: np.zeros_like(a) for n, a in self.weights["torch"].items() if n in self.learning_torch}
        for pair in slot_pairs(self.mapping):
            if pair.mxnet.name in gradients and pair.torch.name in torch:
                value = pair.mxnet.read(gradients[pair.mxnet.name])
                pair.torch.write(torch[pair.torch.name], pair.as_torch(value) / pair.torch.repeat)
        return self.pair.keep(torch.items())

    @property
    def learning_torch(self) -> set[str]:
        """Torch's arrays that learn."""
        return {slot.name for unit in self.pair.units["torch"] for slot in unit.slots if slot.learns}

    def resized(self, size: float) -> dict[str, np.ndarray]:
        """The first gradients, of which the norm of all together is `size`."""
        first = self.gradients[0]
        norm = norm_of(first) or 1.0
        return self.pair.keep((name, g * (size / norm)) for name, g in first.items())

    def huge(self) -> dict[str, np.ndarray]:
        """The first gradients so large that whatever clips does so."""
        return self.resized(HUGE * float(np.sqrt(sum(g.size for g in self.gradients[0].values()))))

    def clipping(self) -> None:
        """The same gradients, in several sizes, through both sides' functions.

        A function that stands alone is a part of `update`: MXNet may clip inside its Trainer.
        """
        clips = self.pair.settings["clips"]
        if len(clips) == 1:
            self.note(f"there is {clips[0]}_clip alone: it is compared as a part of the update, not by itself")
        if len(clips) < 2 or not self.gradients:
            return
        for word, size in SIZES:
            given = self.huge() if size is None else self.resized(size)
            mxnet = self.pair.mxnet.call("clip", gradients=given)
            torch = self.pair.torch.call("clip", gradients=self.to_torch_gradients(given))
            matched = by_slots(self.mapping, mxnet, torch)
            self.add(rows_of("clipping", self.dtype, f"{word} gradients", matched, self.clip_bound(given), SMALL))

    def clip_bound(self, given: dict[str, np.ndarray]) -> float:
        """The bound on clipped gradients; nothing but rounding where no side clips."""
        norms = [norm_of({name: g}) for name, g in given.items()]
        least = max(min(norms, default=0.0), SMALL * max(norms, default=0.0)) or 1.0
        least = NORM_EPSILON / least if self.pair.settings["clips"] else 0.0
        return min(LARGEST_CLIP_BOUND, max(CEILING["float64"], np.finfo(self.dtype).eps * 64) + least)

    def optimizers(self, updates: int) -> Optimizers:
        """What both optimizers are set to."""
        names = {p.torch.name: p.mxnet.name for p in slot_pairs(self.mapping) if p.torch.learns}
        vectors = {p.torch.name for p in slot_pairs(self.mapping) if len(p.torch.shape) < 2}
        told = self.pair.both("start", updates=updates)
        return Optimizers(told["mxnet"], told["torch"], names, vectors)

    def update(self) -> None:
        """Clipping and the optimizers' steps together, with the same gradients: as they are, and huge ones."""
        optimizers = self.optimizers(2)
        if not self.gradients:
            return
        first, second = self.gradients[0], self.gradients[min(1, len(self.gradients) - 1)]
        placed = epsilon.placed(optimizers) if self.dtype == "float64" else None
        words = {("step 1", "step 2"): [first, second], ("huge gradients", "step after them"): [self.huge(), second]}
        rows: list[Row] = []
        elsewhere: list[Row] = []  # the same with torch's epsilon where MXNet has its own
        rates: list[float] = []
        for steps, gradients in words.items():
            found, told = self.both_step(steps, gradients, optimizers)
            again, rates = found, rates or told
            if placed is not None and any(row.grade == "different" for row in found):
                again, _ = self.both_step(steps, gradients, optimizers, placed)
            rows, elsewhere = rows + found, elsewhere + again
        self.rows += self.without_epsilon(rows, elsewhere, optimizers)
        self.rows += optimizers.rows("update", self.dtype)
        self.rows += optimizers.rate_rows("update", self.dtype, rates)

    def both_step(
        self, words: tuple, gradients: list, optimizers: Optimizers, placed: dict | None = None
    ) -> tuple[list[Row], list[float]]:
        """Rows of the steps that fresh optimizers of both sides make from the shared weights; torch's learning rates.

        Args:
            words: names of the steps. gradients: of each. placed: a change of torch's optimizer.
        """
        given = [{n: (np.zeros_like(g) if n in self.still else g) for n, g in one.items()} for one in gradients]
        arguments: dict[str, dict] = {
            "mxnet": {"gradients": given},
            "torch": {"gradients": [self.to_torch_gradients(g) for g in given], "placed": placed},
        }
        self.reset()
        made = self.pair.each(lambda side: side.call("steps", **arguments[side.framework]))
        mxnet, torch = made["mxnet"], made["torch"]
        self.note(*mxnet["notes"])
        before, rows = self.weights, []
        for number, word in enumerate(words, 1):
            after = {"mxnet": mxnet["arrays"][number - 1], "torch": torch["arrays"][number - 1]}
            bound = self.step_bound(optimizers, number, mxnet["rounded"]) + self.clip_bound(given[number - 1])
            rows += self.step_rows("update", word, before, after, bound)
            before = after
        return rows, torch["rates"]

    def step_bound(self, optimizers: Optimizers, updates: int, rounded: bool) -> float:
        """The bound on a step; MXNet's scalars are doubles unless `rounded`."""
        if self.dtype == "float64" and not rounded:
            return CEILING["float64"]
        return step_bound(self.dtype, optimizers.decay, updates, 0.0)

    def without_epsilon(self, rows: list[Row], placed: list[Row], optimizers: Optimizers) -> list[Row]:
        """The rows; where epsilon's place alone sets the sides apart, those with epsilon in MXNet's place.

        That place is each framework's own, and no port's fault, as long as epsilon only guards against a division by
        zero. A larger one is a part of the rule.

        Args:
            placed: the same rows with torch's epsilon where MXNet has its own.
        """
        if placed == rows or any(row.grade == "different" for row in placed):
            return rows
        worst = max(row.error for row in rows if row.grade == "different")
        if not epsilon.guards(optimizers) and worst > step_bound("float32", optimizers.decay, 1, 0.0):
            return rows
        self.note(epsilon.remark(optimizers, worst))
        return placed

    def step_rows(self, stage: str, run: str, before: dict, after: dict, bound: float) -> list[Row]:
        """Rows of what the weights moved by: a small step is what is left of two large weights."""
        rows = rows_of(stage, self.dtype, run, self.steps(before, after), bound, SMALL)
        largest = {n: float(np.abs(w).max(initial=0.0)) for n, w in before["torch"].items()}
        floats = {n: w for n, w in before["torch"].items() if w.dtype.kind == "f"}
        moved = {n: float(np.abs(after["torch"][n] - w).max(initial=0.0)) for n, w in floats.items()}
        floor, eps, made = SMALL * max(moved.values(), default=0.0), float(np.finfo(self.dtype).eps), []
        for row in rows:
            name = row.tensor.split("[")[0]
            limit = min(CEILING["float32"], bound + 4 * eps * largest[name] / max(moved[name], floor, eps))
            made.append(replace(row, bound=limit, grade="equal" if row.error <= limit else "different"))
        return made

    def steps(self, before: dict, after: dict) -> list[tuple]:
        """What the weights moved by, matched; those held still are left out."""
        learning = {p.torch.name for p in slot_pairs(self.mapping) if p.torch.learns or p.mxnet.learns}
        compared = {"mxnet": after["mxnet"].keys() - set(self.still), "torch": after["torch"].keys() & learning}

        def moved(framework: str) -> dict[str, np.ndarray]:
            old, new = before[framework], after[framework]
            names = [n for n in new if n in compared[framework]]
            return self.pair.keep((n, new[n].astype(np.float64) - old[n].astype(np.float64)) for n in names)

        return by_slots(self.mapping, moved("mxnet"), moved("torch"))

    def several_updates(self) -> None:
        """Whole training steps in a row, each side on its own."""
        if self.random["training"] or not self.differentiable:
            return
        count = self.pair.settings["updates"]
        optimizers = self.optimizers(count)
        if self.still:
            self.note(GROUP_NORM)
        trained = self.pair.each(lambda side: self.train(side.framework))
        mxnet, torch = trained["mxnet"], trained["torch"]
        rates = optimizers.rate_rows("several updates", self.dtype, torch["rates"])
        series, more = self.gaps(mxnet, torch, optimizers), {}
        placed = epsilon.placed(optimizers)
        if placed is not None and not all(one.holds for one in series):
            more = {"placed": placed}
            series = self.gaps(mxnet, self.train("torch", **more), optimizers)
        self.judge(series, mxnet, optimizers, more)
        self.rows += rates

    def train(self, framework: str, moved: bool = False, **more: Any) -> dict:
        """A side's training from the shared weights, or from `perturbed` ones."""
        count = self.pair.settings["updates"]
        draws = [self.draws[i % len(self.draws)] for i in range(count)]
        numbers = count * sum(w.size for w in self.weights[framework].values())
        side = self.pair.side(framework)
        values = self.perturbed(framework) if moved else self.weights[framework]
        side.call("load", values=values, shake=self.shake + 1 if moved else None)
        return side.call(
            "train",
            seeds=[d.seed for d in draws],
            sizes=[d.size for d in draws],
            training=True,
            still=self.still if framework == "mxnet" else self.torch_still,
            every=numbers <= CHEAP,
            **more,
        )

    def gaps(self, mxnet: dict, torch: dict, optimizers: Optimizers) -> list[Series]:
        """How far two trainings are apart, after every update that both tell of."""
        count, told = len(mxnet["losses"]), len(mxnet["arrays"])
        rounded = self.dtype != "float64" or mxnet["rounded"]
        scale = float(np.abs(mxnet["losses"]).max(initial=0.0)) or 1.0
        clip = self.clip_bound(self.gradients[0]) if self.pair.settings["clips"] and self.gradients else 0.0
        rows = []
        for number in range(1, count + 1):
            bound = self.limit() * number + (step_bound(self.dtype, optimizers.decay, number, 0.0) if rounded else 0.0)
            bound += clip * number
            with np.errstate(invalid="ignore", over="ignore"):
                gap = float(abs(torch["losses"][number - 1] - mxnet["losses"][number - 1])) / scale
            rows.append((number, [Row("", "losses", "losses", self.dtype, "", finite(gap), bound, "")]))
            at = number - 1 - (count - told)
            if at >= 0:
                after = {"mxnet": mxnet["arrays"][at], "torch": torch["arrays"][at]}
                rows.append((number, self.step_rows("", "", self.weights, after, bound)))
        return series_of(rows)

    def judge(self, series: list[Series], mxnet: dict, optimizers: Optimizers, more: dict) -> None:
        """Rows of the tensors; where rounding does not explain one, noise is measured.

        Args:
            more: of torch's training.
        """
        floors = {one.tensor: np.zeros(len(one.updates)) for one in series}

        def explained() -> bool:
            made = (judged(one, floors[one.tensor], self.dtype) for one in series)
            return all(row is None or row.grade == "equal" for row in made)

        in_doubt = not self.failed and not all(one.holds for one in series)
        for jitter in range(SHAKEN if in_doubt else 0):
            self.shake = jitter
            moved = self.train("mxnet", moved=True, jitter=jitter)
            arrays = [self.mapping.to_torch(a, self.weights["torch"]) for a in moved["arrays"]]
            for one in self.gaps(mxnet, {**moved, "arrays": arrays}, optimizers):
                floors[one.tensor] = np.maximum(floors[one.tensor], one.errors)
            if explained():
                break
        if in_doubt and self.loose["torch"] and not explained():
            errors = {one.tensor: np.array(one.errors) for one in series}
            for one in self.gaps(mxnet, self.train("torch", moved=True, **more), optimizers):
                floors[one.tensor] = np.maximum(floors[one.tensor], abs(one.errors - errors[one.tensor]))
        made = {one.tensor: judged(one, floors[one.tensor], self.dtype) for one in series}
        self.rows += [row for row in made.values() if row is not None]
        count = len(mxnet["losses"])
        reached = next(horizon(one, floors[one.tensor], self.dtype) for one in series if one.tensor == "losses")
        if reached < count:
            self.note(
                f"several updates are judged up to update {reached} of {count}: beyond it one unit in the last place "
                "moves MXNet's own training too far"
            )
        lost = [tensor for tensor, row in made.items() if row is None]
        if lost and reached:
            self.note(f"several updates: {len(lost)} of {len(made)} tensors move by rounding alone, and are not judged")


def finite(gap: float) -> float:
    """A gap; inf where it is no number."""
    return gap if np.isfinite(gap) else float("inf")


def norm_of(gradients: dict[str, np.ndarray]) -> float:
    """The norm of all gradients together."""
    return float(np.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in gradients.values())))

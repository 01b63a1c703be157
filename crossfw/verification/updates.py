"""The stages that change weights: clipping, one update, several in a row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from crossfw.agreement.bounds import CEILING
from crossfw.verification.bounds import EPS32, step_bound
from crossfw.verification.comparing import SMALL, by_slots, rows_of, slot_pairs
from crossfw.verification.verdict import Row

CLIP_EPSILON = 1e-5  # clipping adds 1e-8 to the norm in MXNet and 1e-6 in torch
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

    def clipping(self) -> None:
        """The same gradients through both sides' clipping, once small and once large."""
        clips = self.pair.settings["clips"]
        if len(clips) == 1:
            self.note(f"there is {clips[0]}_clip alone: it is part of several updates, and is not compared by itself")
        if len(clips) < 2 or not self.gradients:
            return
        for word, size in (("small", 1e-3), ("large", 1e3)):
            norm = np.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in self.gradients[0].values())) or 1.0
            given = self.pair.keep((name, g * (size / norm)) for name, g in self.gradients[0].items())
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
        learning = {p.torch.name for p in slot_pairs(self.mapping) if p.torch.learns or p.mxnet.learns}
        compared = {"mxnet": after["mxnet"].keys() - set(self.still), "torch": after["torch"].keys() & learning}

        def moved(framework: str) -> dict[str, np.ndarray]:
            old, new = before[framework], after[framework]
            return self.pair.keep((n, new[n].astype(np.float64) - old[n]) for n in new if n in compared[framework])

        return by_slots(self.mapping, moved("mxnet"), moved("torch"))

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

"""The torch side under supposed differences: a user's model, loss, clipping or optimizer is changed for a while.

A change is a dict of plain values, so that it can travel to a worker:

    {"change": "set", "path": "norm1", "values": {"eps": 1e-3}}              attributes of a module
    {"change": "before" | "after" | "instead", "path": ..., "operation": {"name": "relu"}}  of a call
    {"change": "site", "site": ..., "edit": ...}                             see `torch_sites`
    {"change": "inputs", "axes": {"0": [1, 0, 2]}, "flips": {"1": 3}}        the model's inputs, permuted or flipped
    {"change": "outputs", "order": [1, 0]}                                   the model's outputs, by number
    {"change": "state", "path": ..., "inputs": [1, 2]}                       of a recurrent layer, from these inputs
    {"change": "mode", "path": ..., "training": false}                       of one module
    {"change": "running variance", "path": ..., "to": "biased"}
    {"change": "rates", "rates": [0.5, ...]}                                 of the dropouts, by call
    {"change": "learns", "names": [...], "value": true}
    {"change": "reset before", "path": ...}                                  a GRU that resets before the product
    {"change": "loss", ...}, {"change": "loss factor", ...}                  see `torch_losses`
    {"change": "clip", ...}, {"change": "gradients", ...}                    see `torch_optimizers`, as for
    {"change": "optimizer", ...}, {"change": "plain optimizer", ...}, {"change": "rule", ...}
"""

from __future__ import annotations

import contextlib
from typing import Any, Callable

import numpy as np
import torch

from crossfw.ports.nest import leaves, transform
from crossfw.ports.torch import model as torch_model
from crossfw.ports.torch import optimizers as torch_optimizers
from crossfw.ports.torch.arrays import is_array, to_numpy
from crossfw.ports.torch.losses import factor_of, known_loss
from crossfw.ports.torch.module_changes import ModuleChanges
from crossfw.ports.torch.sites import Sites


class Side(ModuleChanges, torch_model.Side):
    """A torch side whose user's code can be changed and put back."""

    def __init__(self, port: Any):
        super().__init__(port)
        self.changes: dict[str, list[dict]] = {}
        self.undo: list[Callable[[], None]] = []
        self.stack: list[tuple[str, bool]] = [("", False)]
        self.sites: Any = None
        self.wanted = self.running = False

    def change(self, changes: list[dict]) -> None:
        """Take back all changes, and make these.

        Raises:
            KeyError, AttributeError: there is no such module or kind of change.
        """
        while self.undo:
            self.undo.pop()()
        self.changes = {}
        for change in changes:
            self.changes.setdefault(change["change"], []).append(change)
        self.change_modules(self.changes)

    @contextlib.contextmanager
    def mode(self, training: bool, seed: int) -> Any:
        """As it is, with the changes that belong to a run."""
        with super().mode(training, seed):
            for change in self.changes.get("mode", ()):
                self.model.get_submodule(change["path"]).train(change["training"] and training)
            for change in self.changes.get("rates", ()):
                self.other_rates(change["rates"])
            self.running = True
            try:
                with self.watched():
                    yield
            finally:
                self.running = False

    def other_rates(self, rates: list) -> None:
        """Other rates for the dropouts of a run, in the order of their calls."""
        draw, masks = self.masks.draw, self.masks
        masks.draw = lambda values, shape, p: draw(
            values, shape, rates[len(masks.calls)] if len(masks.calls) < len(rates) else p
        )

    @contextlib.contextmanager
    def watched(self) -> Any:
        """Within it the functions that the user calls are listed or edited, if that is wanted."""
        edits = self.changes.get("site", [])
        if not edits and not self.wanted:
            yield
            return
        handles = []
        for path, module in self.model.named_modules():
            entry = (path, type(module).__module__.startswith("torch."))
            handles.append(module.register_forward_pre_hook(lambda *_, entry=entry: self.stack.append(entry)))
            handles.append(module.register_forward_hook(lambda *_: self.stack.pop() and None, always_call=True))
        self.sites = Sites(lambda: self.stack[-1], edits, self.arrays())
        try:
            with self.sites:
                yield
        finally:
            for handle in handles:
                handle.remove()
            del self.stack[1:]

    def functions(self, seed: int, size: Any, training: bool) -> list[dict]:
        """Where the user's forward calls torch's functions, and with which values."""
        return self.listed(lambda: self.forward(seed, size, training))

    def loss_functions(self, seed: int, size: Any) -> list[dict]:
        """The same of the user's loss."""

        def run() -> None:
            output = self.run(self.feed(self.draw(seed, size)[0], "inputs"))
            with self.watched():
                self.loss_of(output, seed, size)

        return self.listed(run)

    def listed(self, run: Callable[[], Any]) -> list[dict]:
        """The sites that a run passes."""
        self.wanted = True
        try:
            run()
            return list(self.sites.found.values())
        finally:
            self.wanted = False

    def run(self, inputs: Any) -> Any:
        """The model's output for its arguments, with other axes where that is supposed."""
        for change in self.changes.get("inputs", ()):
            arrays = iter(range(1000))

            def changed(_: str, x: torch.Tensor, change: dict = change, arrays: Any = arrays) -> torch.Tensor:
                number = str(next(arrays))
                axes, flipped = change.get("axes", {}).get(number), change.get("flips", {}).get(number)
                x = x.permute(axes) if axes else x
                return x if flipped is None else x.flip(flipped)

            inputs = transform(inputs, "inputs", is_array, changed)
        self.leaves_fed = list(leaves(inputs, "inputs", is_array).values())
        return super().run(inputs)

    def leaves(self, output: Any) -> dict[str, Any]:
        """The arrays of an output by name, in another order where that is supposed."""
        found = super().leaves(output)
        for change in self.changes.get("outputs", ()):
            arrays = list(found.values())
            found = {name: arrays[number] for name, number in zip(found, change["order"])}
        return found

    def loss_of(self, output: Any, seed: int, size: Any) -> Any:
        """The loss, or what is supposed in its place."""
        known = self.changes.get("loss")
        if known:
            loss = known_loss(known[0], output, self.feed(self.draw(seed, size)[1], "targets"))
        elif self.changes.get("site") and not self.running:
            with self.watched():
                loss = super().loss_of(output, seed, size)
        else:
            loss = super().loss_of(output, seed, size)
        for change in self.changes.get("loss factor", ()):
            loss = loss * factor_of(change, output)
        return loss

    def losses(self, outputs: dict[str, np.ndarray], seed: int, size: Any, told: list[dict]) -> list:
        """What known losses give for given outputs; None where one cannot take them."""
        output = self.feed(outputs, "outputs")
        output = next(iter(output.values())) if len(output) == 1 else tuple(output.values())
        targets, found = self.feed(self.draw(seed, size)[1], "targets"), []
        for one in told:
            try:
                value = float(known_loss(one, output, targets))
            except (RuntimeError, TypeError, ValueError, IndexError, AttributeError):
                value = None
            found.append(value if value is not None and np.isfinite(value) else None)
        return found

    def clip(self, gradients: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The user's clipping, with another threshold or of another kind where that is supposed."""
        found = super().clip(gradients)
        for change in self.changes.get("clip", ()):
            if "factor" in change:
                scaled = super().clip({n: g / change["factor"] for n, g in gradients.items()})
                found = {name: g * change["factor"] for name, g in scaled.items()}
            else:
                found = torch_optimizers.clipped(change, gradients)
        for change in self.changes.get("gradients", ()):
            found = torch_optimizers.rescaled(change, found or gradients)
        return found

    def clip_own(self) -> None:
        """The clipping of the gradients that stand in the model, or what is supposed of it."""
        if not {"clip", "gradients"} & self.changes.keys():
            super().clip_own()
            return
        standing = {n: to_numpy(self.gradient(a)) for n, a in self.arrays().items() if a.grad is not None}
        self.set_gradients(self.clip(standing))

    def steps(self, gradients: list, placed: Any = None) -> dict:
        """As it is; with a further change of the optimizer."""
        with self.also(placed):
            return super().steps(gradients)

    def train(self, *arguments: Any, placed: Any = None, **more: Any) -> dict:
        """As it is; with a further change of the optimizer."""
        with self.also(placed):
            return super().train(*arguments, **more)

    @contextlib.contextmanager
    def also(self, change: Any) -> Any:
        """Within it there is one more change, which is taken up by `start`."""
        kept = self.changes
        if change is not None:
            self.changes = {**kept, change["change"]: [*kept.get(change["change"], ()), change]}
        try:
            yield
        finally:
            self.changes = kept

    def rates(self, gradients: dict[str, np.ndarray], updates: int) -> list[float]:
        """The first group's learning rate before each of several updates."""
        kept = self.export()
        found = self.steps([gradients] * updates)["rates"]
        self.load(kept)
        return found

    def start(self, updates: int = 1) -> dict:
        """A fresh optimizer, changed where that is supposed; with its settings."""
        told = super().start(updates)
        names = {id(array): name for name, array in self.arrays().items()}
        for change in self.changes.get("rule", ()):
            self.optimizer = torch_optimizers.Rule(self.arrays(), change)
        for change in self.changes.get("plain optimizer", ()):
            self.optimizer = torch_optimizers.plain(change, self.arrays())
        own = None if self.optimizer is None else torch_optimizers.described(self.optimizer, names)
        for change in self.changes.get("optimizer", ()):
            torch_optimizers.adjust(self.optimizer, change, self.arrays())
        if own is None:
            return told
        return {**told, **torch_optimizers.described(self.optimizer, names), "own": own["own"]}

"""What is known of a pair that fails: what the hypotheses are made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from crossfw.errors import CrossfwError
from crossfw.verification.location import Place, Step
from crossfw.verification.pairing import inner_activation
from crossfw.verification.stages import Stages


@dataclass
class Point:
    """A place between calls where torch's array is not MXNet's although all before it agrees.

    Attributes:
        path: of torch's module; side: "before" or "after" its call.
        ours, theirs: the two arrays.
    """

    path: str
    side: str
    ours: np.ndarray
    theirs: np.ndarray


@dataclass
class Case:
    """A failing stage of a pair.

    Attributes:
        stages: after their run. stage: the one that fails. place: where.
    """

    stages: Stages
    stage: str
    place: Place

    @property
    def training(self) -> bool:
        """Whether the stage runs in training mode."""
        return self.stage == "forward in training" or (self.stage not in ("forward", "loss") and self.stages.training)

    @cached_property
    def sites(self) -> list[dict]:
        """Torch's functions that the user's forward calls, those at the place first."""
        draw = self.stages.draws[0]
        self.stages.reset()
        try:
            found = self.stages.pair.torch.call("functions", **draw.arguments, training=self.training)
        except CrossfwError:
            return []
        return sorted(found, key=lambda site: self.distance(site["path"]))

    @cached_property
    def theirs(self) -> list[dict]:
        """Operators that MXNet's run calls, with their settings."""
        draw = self.stages.draws[0]
        self.stages.reset()
        try:
            return self.stages.pair.mxnet.call("functions", **draw.arguments, training=self.training)
        except CrossfwError:
            return []

    def distance(self, path: str) -> int:
        """0 at the place, 1 in what it holds or what holds it, 2 elsewhere; around the gap too."""
        if self.place.first is None:
            return 2
        near = [self.place.path, *(step.torch["path"] for step in self.place.gap or () if step is not None)]
        if path in near:
            return near.index(path)
        return 3 if path.startswith(f"{near[0]}.") or near[0] == "" else 4

    def here(self, site: dict) -> bool:
        """Whether a site lies in the module at the place, or right beside the gap."""
        return self.distance(site["path"]) < 3

    @cached_property
    def points(self) -> list[Point]:
        """Arrays at the place, taken from the recorded run, for tests by numbers."""
        first, gap, found = self.place.first, self.place.gap, []
        if first is None:
            return found
        if gap is not None and gap[1] is not None:
            found += self.arrays(gap[1], "inputs", "before")
        if gap is None or gap[1] is None:
            found += self.arrays(first, "outputs", "after")
        if gap is not None and gap[0] is not None and gap[1] is None:
            found += self.arrays(first, "outputs", "after")
        return found

    def arrays(self, step: Step, what: str, side: str) -> list[Point]:
        """The first float arrays of a step."""
        try:
            (ours,) = self.stages.pair.torch.call("call_arrays", numbers=[step.torch["number"]])
            (theirs,) = self.stages.pair.mxnet.call("call_arrays", numbers=[step.mxnet["number"]])
        except (CrossfwError, IndexError, KeyError):
            return []
        pairs = [(ours[what], theirs[what])]
        inner = inner_activation([s.mxnet for s in self.place.steps], step.mxnet)
        if what == "outputs" and inner is not None:
            (more,) = self.stages.pair.mxnet.call("call_arrays", numbers=[inner["number"]])
            pairs.append((ours[what], more["inputs"]))
        return [
            Point(step.torch["path"], side, *alike(np.asarray(a[0]), np.asarray(b[0])))
            for a, b in pairs
            if a and b and np.asarray(a[0]).dtype.kind == "f" and np.size(a[0]) == np.size(b[0])
        ]

    @cached_property
    def settings(self) -> list[tuple[dict, dict, str, str]]:
        """(MXNet's settings, torch's settings, torch's path, torch's class) of every layer with a partner."""
        kinds = {module["path"]: module["kind"] for module in self.stages.pair.modules["torch"]}
        found = {}
        for pair in self.stages.mapping.pairs:
            found[pair.torch.layer] = (
                pair.mxnet.settings,
                pair.torch.settings,
                pair.torch.layer,
                kinds.get(pair.torch.layer, ""),
            )
        for step in self.place.steps:
            path = step.torch["path"]
            if path not in found or not found[path][1]:
                found[path] = (step.mxnet["settings"], step.torch["settings"], path, step.torch["kind"])
        return list(found.values())

    def where(self, site: dict) -> str:
        """A site for people."""
        return f"{site['file']}, line {site['line']}" if site["file"] else site["path"] or "(model)"


def alike(ours: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """MXNet's array with torch's axes where it has another number of them: Gluon's Dense flattens itself."""
    return ours, theirs.reshape(ours.shape) if ours.ndim != theirs.ndim else theirs


def plain(value: Any) -> str:
    """A value as it stands in code."""
    return f"{value:g}" if isinstance(value, float) else repr(tuple(value) if isinstance(value, list) else value)


def close(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays are equal but for rounding."""
    return a.shape == b.shape and bool(np.abs(a - b).max(initial=0) <= 1e-9 * max(1e-30, np.abs(b).max(initial=0)))

"""The two sides of a pair, in processes of their own or in this one, and what they said of themselves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Callable

import numpy as np

from crossfw.errors import CrossfwError, NoGradient
from crossfw.frameworks.threads import FRUGAL
from crossfw.matching.units import Unit
from crossfw.ports.portfile import FRAMEWORKS, Port
from crossfw.ports.service import PortService
from crossfw.workers import spill
from crossfw.workers.client import CallFailed, Worker, WorkerError

SERVICE = "crossfw.ports.service:PortService"
LARGE = 1 << 30  # bytes of a side's parameters and activations in float64: the sides take turns
HEAVY = 1 << 28  # of these: there are fewer draws and updates
UPDATES, UPDATES_OF_HEAVY = 3, 2


# What makes a side what it is.
MAKING = ("open", "describe", "load_checkpoint", "set_dtype", "settle", "cover", "drop", "scale", "load")

# What leaves a side's arrays as they are, but for what a model in training mode may keep for itself.
READING = ("forward", "gradients", "loss", "losses", "export", "narrow", "functions", "record", "layer_inputs", "scale",
           "start")  # fmt: skip


class SideDied(CrossfwError):
    """The process of a side ended within a call; `RemoteSide.again` puts another one in its place.

    Args:
        framework: of the side. found: how it ended.
    """

    def __init__(self, framework: str, found: str):
        super().__init__(f"the {framework} side", found, SEE)
        self.framework = framework


class Side(ABC):
    """One side. Arrays that it has already are not loaded again.

    Args:
        framework: "mxnet" or "torch".
    """

    def __init__(self, framework: str):
        self.framework = framework
        self._has: dict | None = None  # what was loaded last, as long as nothing may have changed it

    def call(self, method: str, **arguments: Any) -> Any:
        """The result of a method of `PortService`.

        Raises:
            SideDied: the process ended.
            CrossfwError: what the side told.
        """
        if method == "load" and self._has is not None and same(self._has, arguments):
            return None
        kept, self._has = self._has, None
        found = self._call(method, arguments)
        if method == "load":
            self._has = arguments
        elif method in READING and not arguments.get("training"):
            self._has = kept
        return found

    @abstractmethod
    def _call(self, method: str, arguments: dict) -> Any: ...


def same(a: dict, b: dict) -> bool:
    """Whether two loads put the very same arrays."""
    return a["values"] is b["values"] and a.get("shake") == b.get("shake")


class RemoteSide(Side):
    """One side in a worker: its failures become errors that a person can read.

    Args:
        start: gives a worker, with more variables in its environment, that whoever gave this will close.
    """

    def __init__(self, framework: str, start: Callable[..., Worker]):
        super().__init__(framework)
        self.start, self.worker = start, start()
        self.made: list[tuple[str, dict]] = []

    def _call(self, method: str, arguments: dict) -> Any:
        found = self._called(method, arguments)
        if method in MAKING:
            self.made = [made for made in self.made if not method == made[0] == "load"]
            self.made.append((method, arguments))
        return found

    def again(self, **variables: str) -> None:
        """Start another process, and make it what this one was.

        Args:
            variables: more of its environment.

        Raises:
            CrossfwError: it cannot be made so.
        """
        self._has = None
        self.worker.kill()
        self.worker = self.start(**variables)
        for method, arguments in self.made:
            self._called(method, arguments)

    def _called(self, method: str, arguments: dict) -> Any:
        try:
            return self.worker.call(method, **arguments)
        except CallFailed as error:
            if error.told:
                kind = NoGradient if error.kind == NoGradient.__name__ else CrossfwError
                raise kind(*error.told) from error
            last = error.detail.strip().splitlines()[-3:]
            found = f"{error.reason} ({' '.join(line.strip() for line in last[:-1])})"
            raise CrossfwError(f"{method} of the {self.framework} side", found, SEE) from error
        except WorkerError as error:
            words = error.detail.strip().splitlines()[-1:]
            found = error.reason + (f" (its last words: {words[0].strip()})" if words else "")
            raise SideDied(self.framework, found) from error


SEE = "see it whole with crossfw --debug verify ..."


class LocalSide(Side):
    """One side in this process, for notebooks and tests; exceptions pass through."""

    def __init__(self, framework: str, port: Port):
        super().__init__(framework)
        self.service = PortService(framework, port)

    def _call(self, method: str, arguments: dict) -> Any:
        found = getattr(self.service, method)(**arguments)
        if method == "open":
            self.service.side.remember()
        return found

    def restore(self) -> None:
        """Put the model back as it was found, if it was built."""
        if self.service.side is not None:
            self.service.side.restore()


@dataclass
class Pair:
    """Both sides, opened and described.

    Attributes:
        at_once: whether both may compute at the same time; not where parameters and activations are LARGE.
        settings: of the port.
        units, modules, outputs, versions: by framework.
        heavy: whether a run takes so long that fewer of them must do.
        positions: terms of the longest sum over a batch.
        parts: numbers of the outputs that are real on both sides.
        scalable: whether some of the inputs can be given in another size.
        folder: for files of large arrays; None keeps them in memory, where both sides are anyway.
    """

    mxnet: Any
    torch: Any
    at_once: bool = False
    settings: dict = field(default_factory=dict)
    units: dict[str, list[Unit]] = field(default_factory=dict)
    modules: dict[str, list[dict]] = field(default_factory=dict)
    outputs: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    heavy: bool = False
    positions: int = 1
    parts: list[int] = field(default_factory=list)
    scalable: bool = False
    folder: str | None = None

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter((("mxnet", self.mxnet), ("torch", self.torch)))

    def side(self, framework: str) -> Any:
        """One of the two."""
        return self.mxnet if framework == "mxnet" else self.torch

    def keep(self, arrays: Iterable[tuple[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """Arrays by name, taken one by one; large ones do not stay in memory."""
        return spill.kept(arrays, self.folder) if self.folder else dict(arrays)

    def both(self, method: str, **arguments: Any) -> dict[str, Any]:
        """The results of a method by framework; two workers compute at once."""
        return self.each(lambda side: side.call(method, **arguments))

    def each(self, job: Callable[[Any], Any]) -> dict[str, Any]:
        """What a job gives for each side."""
        if not self.at_once:
            return {framework: job(side) for framework, side in self}
        with ThreadPoolExecutor(len(FRAMEWORKS)) as pool:
            futures = {framework: pool.submit(job, side) for framework, side in self}
            return {framework: future.result() for framework, future in futures.items()}

    def open(self, seed: int) -> None:
        """Build both models and let them describe themselves, in float64 unless the port asks for float32 alone.

        Raises:
            CrossfwError: a side cannot be built or run, or gives no output.
        """
        told = self.both("open")
        self.settings = {
            **told["torch"],
            **told["mxnet"],
            "clips": [f for f in FRAMEWORKS if told[f]["clips"]],
            "checkpoints": {f: told[f]["checkpoint"] for f in FRAMEWORKS},
        }
        for key, what in (("has_loss", "loss"), ("has_optimizer", "optimizer")):
            if told["mxnet"][key] != told["torch"][key]:
                raise one_sided(told, key, what)
        draw = {"seed": seed, "size": self.settings["sizes"][0]}

        def make_ready(side: Any) -> dict:
            if self.settings["checkpoints"][side.framework]:
                side.call("describe", **draw)  # completes what is deferred
                side.call("load_checkpoint")
            side.call("set_dtype", dtype=self.settings["dtype"] or "float64")
            return side.call("describe", **draw)

        ready = self.each(make_ready)
        size = max(described["bytes"] for described in ready.values())
        self.at_once, self.heavy = self.at_once and size < LARGE, size >= HEAVY
        self.settings["updates"] = self.settings["updates"] or (UPDATES_OF_HEAVY if self.heavy else UPDATES)
        for framework, described in ready.items():
            self.units[framework] = [Unit.from_json(unit) for unit in described["units"]]
            self.modules[framework], self.outputs[framework] = described["modules"], described["outputs"]
            self.versions[framework], self.positions = described["version"], described["positions"]
        require_outputs(self.outputs)
        kinds = zip(*(described["real"] for described in ready.values()))
        self.parts = [i for i, both in enumerate(kinds) if all(both)]
        self.both("settle", parts=self.parts)
        self.scalable = self.torch.call("scalable", **draw)

    def restore(self) -> None:
        """Put models that are the caller's own objects back as they were."""
        for _, side in self:
            side.restore()


def one_sided(told: dict, key: str, what: str) -> CrossfwError:
    """The error for a function that stands on one side only."""
    has, lacks = ("mxnet", "torch") if told["mxnet"][key] else ("torch", "mxnet")
    return CrossfwError(
        f"the {what} of the port", f"there is {has}_{what}, and no {lacks}_{what}", f"define {lacks}_{what} too"
    )


def require_outputs(outputs: dict[str, dict[str, list[int]]]) -> None:
    """Raise CrossfwError where a side gives no array."""
    silent = [f"{framework}_model()" for framework, found in outputs.items() if not found]
    if silent:
        found = f"the model of {' and that of '.join(silent)} gives no array at all"
        raise CrossfwError("an output to compare", found, "let its forward return what is to be compared")


@contextmanager
def worker_sides(path: str, pythons: dict[str, str], threads: int) -> Iterator[Pair]:
    """Both sides of a port file, each in a worker of its own interpreter."""
    with ExitStack() as stack:

        def starting(framework: str) -> Callable[..., Worker]:
            python = pythons.get(framework)
            return lambda **more: stack.enter_context(
                Worker(framework, SERVICE, (framework, path), python, threads, variables={**FRUGAL, **more})
            )

        mxnet, torch = (RemoteSide(framework, starting(framework)) for framework in FRAMEWORKS)
        yield Pair(mxnet, torch, at_once=True, folder=torch.worker.folder)


@contextmanager
def local_sides(port: Port) -> Iterator[Pair]:
    """Both sides in this process."""
    yield Pair(*(LocalSide(framework, port) for framework in FRAMEWORKS))

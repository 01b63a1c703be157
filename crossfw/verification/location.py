"""Where a pair begins to differ, as values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossfw.verification.tree import DIFFERS, OK, PASSES


@dataclass(frozen=True)
class Step:
    """A pair of calls.

    Attributes:
        mxnet, torch: what the sides told of the calls.
        inputs: error of the inputs; output: of the outputs.
        own: of torch's output on MXNet's input; None if it was not run.
        limit: the bound on each.
    """

    mxnet: dict
    torch: dict
    inputs: float
    output: float
    own: float | None
    limit: float

    @property
    def sign(self) -> str:
        """ok, differs (the error starts in the call), or passes on (its input differs already)."""
        if self.output <= self.limit:
            return OK
        if self.own is not None and np.isfinite(self.own):  # else nothing of its size is there to compare with
            return PASSES if self.own <= self.limit and self.inputs > self.limit else DIFFERS
        return PASSES if self.inputs > self.limit else DIFFERS


@dataclass(frozen=True)
class Place:
    """Where a pair begins to differ.

    Attributes:
        where: one sentence. lines: the tree of calls, the place marked.
        steps: every pair of calls, in the order of their ends.
        first: the deepest step that starts the error. gap: the calls around the code of a forward that starts it.
        tensors: torch's tensors that differ, where the place is no layer.
    """

    where: str = ""
    lines: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    first: Step | None = None
    gap: tuple[Step | None, Step | None] | None = None
    tensors: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Of torch's module at the place."""
        return self.first.torch["path"] if self.first else ""

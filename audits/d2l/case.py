"""What the audit knows of one name that both modules define: how to compare it, or why that cannot be done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable


@dataclass(frozen=True)
class Known:
    """A difference that was found by reading both sources, to be confirmed by each run.

    Attributes:
        stage: the first stage of the verdict that fails (`forward`, `loss`, ...; `outputs` of a function).
        cause: why, with the lines of d2l 1.0.3's files as evidence.
    """

    stage: str
    cause: str


@dataclass(frozen=True)
class Computation:
    """Something that computes without parameters of its own, called alike on equal arguments.

    Attributes:
        draw: rng -> dict of NumPy arrays and plain values: the arguments.
        mxnet, torch: (d2l module, dict of the framework's arrays and plain values) -> nest of arrays and plain values.
        dtype: that floats are given in.
    """

    draw: Callable[[Any], dict]
    mxnet: Callable[[Any, dict], Any]
    torch: Callable[[Any, dict], Any]
    dtype: str = "float64"


@dataclass(frozen=True)
class AuditCase:
    """One row of the audit's table.

    Attributes:
        name: in d2l; with an addition in round brackets where one name has several cases.
        port: functions and settings by name, as in a port file; for a model.
        computation: for a function, a loss, an optimizer.
        reason: why nothing can be compared; then port and computation are None.
        note: what the smallest adapter between the two is, or what else a reader should know.
        known: the difference that is expected; None where agreement is.
        mended: entries of the port, or a whole computation, in which the known cause alone is removed: it must agree,
            or the cause is not the (only) one.
        aside: differences outside the stages: initial values, signatures; with lines.
    """

    name: str
    port: dict | None = None
    computation: Computation | None = None
    reason: str = ""
    note: str = ""
    known: Known | None = None
    mended: Any = None
    aside: str = ""

    @property
    def definition(self) -> str:
        """The name of the class or function in d2l's files."""
        return self.name.split(" (")[0]

    @property
    def kind(self) -> str:
        """`model`, `function` or `none`."""
        if self.port is not None:
            return "model"
        return "none" if self.computation is None else "function"

    def mended_case(self) -> AuditCase | None:
        """The case with its known cause removed; None where there is none to remove."""
        if self.mended is None:
            return None
        if isinstance(self.mended, Computation):
            return AuditCase(self.name, computation=self.mended)
        return AuditCase(self.name, port={**(self.port or {}), **self.mended})


def port(mxnet: Callable, torch: Callable, inputs: Callable, **more: Any) -> dict:
    """The values of a port: the two functions that build the models, the inputs, and what else a port file may say."""
    return {"mxnet_model": mxnet, "torch_model": torch, "inputs": inputs, **more}

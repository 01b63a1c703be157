"""What is found: rows of tensors by stage, and causes."""

from __future__ import annotations

from dataclasses import dataclass

STAGES = (
    "parameters",
    "forward",
    "forward in training",
    "loss",
    "gradients",
    "clipping",
    "update",
    "several updates",
)


@dataclass(frozen=True)
class Row:
    """One tensor compared.

    Attributes:
        tensor: of the torch side; partner: of the MXNet side.
        run: which inputs: seed and batch size.
        error: max|torch - mxnet| / max|mxnet|.
        grade: "equal", "less accurate" (float32: torch further from float64 than MXNet, by `factor`), or "different".
    """

    stage: str
    tensor: str
    partner: str
    dtype: str
    run: str
    error: float
    bound: float
    grade: str
    factor: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Cause:
    """A known difference that was tried and restores agreement.

    Attributes:
        name: from the list of known causes.
        place: the layer or the function of the user's torch side.
        found: what differs. remedy: one line for the user's code.
        trap: the number of the row in the list of known differences, if any.
    """

    name: str
    place: str
    found: str
    remedy: str
    trap: int | None = None

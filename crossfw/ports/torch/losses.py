"""Losses that are tried in the place of a user's own, told by plain values."""

from __future__ import annotations

from typing import Any, Callable

import torch
from torch.nn import functional as F

from crossfw.ports.nest import leaves
from crossfw.ports.torch.arrays import is_array

Tensor = torch.Tensor


def known_loss(told: dict, output: Any, targets: Any) -> Tensor:
    """The loss {"kind": ..., "factor": 1.0, ...} of an output, or of its array of the number "part", and targets.

    Raises:
        RuntimeError, TypeError, ValueError, IndexError: it cannot take them.
    """
    settings = {k: v for k, v in told.items() if k not in ("kind", "factor", "change", "part")}
    if "part" in told:
        output = list(leaves(output, "output", is_array).values())[told["part"]]
    return LOSSES[told["kind"]](output, targets, **settings) * told.get("factor", 1.0)


def factor_of(told: dict, output: Any) -> float:
    """`value`, times the sizes of the output's axes to the given powers: {"value": 0.5, "powers": {"0": -1}}."""
    factor = told["value"]
    first = (
        output if isinstance(output, Tensor) else next(iter(output.values() if isinstance(output, dict) else output))
    )
    for axis, power in told.get("powers", {}).items():
        factor *= first.shape[int(axis)] ** power
    return factor


def _classes_last(output: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """(rows, classes) and (rows,), whether classes stand last or second."""
    if output.dim() > 2 and output.shape[:-1] != targets.shape and output.shape[2:] == targets.shape[1:]:
        output = output.movedim(1, -1)
    return output.reshape(-1, output.shape[-1]), targets.reshape(-1).long()


def _cross_entropy(output: Tensor, targets: Tensor, **settings: Any) -> Tensor:
    if targets.is_floating_point() and targets.shape == output.shape:
        smoothing = settings.get("label_smoothing", 0.0)
        targets = (1 - smoothing) * targets + smoothing / output.shape[-1]
        return -(targets * output.log_softmax(-1)).sum(-1).mean()
    return F.cross_entropy(*_classes_last(output, targets), **settings)


def _others(output: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """Cross-entropy whose smoothed part is shared by the wrong labels only."""
    rows, labels = _classes_last(output, targets)
    scores = rows.log_softmax(-1)
    right = scores.gather(1, labels[:, None])[:, 0]
    return -((1 - smoothing) * right + smoothing / (rows.shape[1] - 1) * (scores.sum(1) - right)).mean()


def _triplet(output: Any, _: Any, margin: float = 1.0) -> Tensor:
    anchor, positive, negative = output
    distances = ((positive - anchor) ** 2 - (negative - anchor) ** 2).flatten(1).sum(1)
    return (distances + margin).relu().mean()


def _hinge(output: Tensor, targets: Tensor, squared: bool = False) -> Tensor:
    terms = (1 - output.reshape(targets.shape) * targets).relu()
    return (terms**2 if squared else terms).mean()


def _same(function: Callable) -> Callable:
    def run(output: Tensor, targets: Tensor, **settings: Any) -> Tensor:
        return function(output.reshape(targets.shape), targets.to(output.dtype), **settings)

    return run


LOSSES: dict[str, Callable] = {
    "cross-entropy": _cross_entropy,
    "cross-entropy smoothed over the other labels": _others,
    "negative log-likelihood": lambda o, t: F.nll_loss(*_classes_last(o, t)),
    "squared error": _same(F.mse_loss),
    "absolute error": _same(F.l1_loss),
    "smooth absolute error": _same(F.smooth_l1_loss),
    "Huber's loss": _same(F.huber_loss),
    "binary cross-entropy of logits": _same(F.binary_cross_entropy_with_logits),
    "binary cross-entropy": _same(F.binary_cross_entropy),
    "divergence of logits": lambda o, t: F.kl_div(o.log_softmax(-1), t, reduction="batchmean"),
    "divergence": lambda o, t: F.kl_div(o, t, reduction="batchmean"),
    "Poisson loss": _same(lambda o, t, **s: F.poisson_nll_loss(o, t, **s)),
    "triplet loss of squared distances": _triplet,
    "hinge loss": _hinge,
}

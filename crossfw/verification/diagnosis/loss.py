"""What shows in the loss: a constant factor, mean against sum, label smoothing, another loss."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from crossfw.errors import CrossfwError
from crossfw.verification.diagnosis.case import Case
from crossfw.verification.diagnosis.trying import Hypothesis, suppose

KINDS = (
    {"kind": "squared error", "factor": 0.5},
    {"kind": "squared error"},
    {"kind": "absolute error"},
    *({"kind": "smooth absolute error", "beta": beta} for beta in (1.0, 0.5, 0.25, 2.0)),
    *({"kind": "Huber's loss", "delta": delta} for delta in (1.0, 0.5, 0.25, 2.0)),
    {"kind": "cross-entropy"},
    {"kind": "negative log-likelihood"},
    {"kind": "binary cross-entropy of logits"},
    {"kind": "binary cross-entropy"},
    {"kind": "divergence of logits"},
    {"kind": "divergence"},
    *({"kind": "triplet loss of squared distances", "margin": margin} for margin in (1.0, 2.0, 0.5, 0.2, 0.1)),
    {"kind": "hinge loss"},
    {"kind": "hinge loss", "squared": True},
    {"kind": "Poisson loss"},
)
NEAR = {"float64": 1e-9, "float32": 1e-5}  # of ratios of two losses
ROUNDED = 1e-6  # a factor nearer to 1 is rounding, and no factor
TRAPS = {"squared error": 3, "smooth absolute error": 6, "triplet loss of squared distances": 7, "divergence": 5}


def hypotheses(case: Case) -> Iterator[Hypothesis]:
    """A factor that the two values show; then smoothing; then other losses."""
    measured = [values(case, draw) for draw in case.stages.draws[:2]]
    measured = [one for one in measured if one is not None]
    if measured:
        yield from factors(measured, NEAR[case.stages.dtype])
        yield from smoothing(case, measured)
        yield from kinds(case, measured[0])


def values(case: Case, draw: object) -> dict | None:
    """MXNet's outputs, and both losses of them."""
    pair = case.stages.pair
    try:
        outputs = pair.mxnet.call("forward", **draw.arguments, training=False)["outputs"]
        found = pair.both("loss", outputs=outputs, **draw.arguments)
    except CrossfwError:
        return None
    return {"outputs": outputs, "draw": draw, **{side: float(np.asarray(value)) for side, value in found.items()}}


def factors(measured: list[dict], near: float) -> Iterator[Hypothesis]:
    """MXNet's loss as torch's times 1/2 or 2, or times or divided by sizes of the output."""
    if not all(one["torch"] and np.isfinite(one["torch"]) for one in measured):
        return
    ratios = [one["mxnet"] / one["torch"] for one in measured]
    shapes = [next(iter(one["outputs"].values())).shape for one in measured]
    for value in (0.5, 2.0):
        if all(abs(ratio / value - 1) < near for ratio in ratios):
            yield factor(
                "loss factor",
                f"MXNet's loss is {value:g} times torch's",
                f"multiply the loss by {value:g}",
                value,
                {},
                3,
            )
    axes = range(min(len(shape) for shape in shapes))
    for value, powers in product(
        (1.0, 0.5, 2.0), sorted(product((0, -1, 1), repeat=len(axes)), key=lambda p: sum(map(abs, p)))
    ):
        expected = [value * np.prod([float(s[a]) ** p for a, p in zip(axes, powers)]) for s in shapes]
        if any(powers) and all(abs(ratio / e - 1) < near for ratio, e in zip(ratios, expected)):
            told = {str(a): p for a, p in zip(axes, powers) if p}
            names = " ".join(
                f"{'times' if p > 0 else 'divided by'} axis {a} of the output ({shapes[0][a]})"
                for a, p in zip(axes, powers)
                if p
            )
            yield factor(
                "loss reduction",
                f"MXNet's loss is torch's {names}",
                f"sum or take the mean as MXNet does: the loss {names}",
                value,
                told,
                2,
            )
    if max(ratios) - min(ratios) <= near * abs(ratios[0]) and abs(ratios[0] - 1) > ROUNDED:
        yield factor(
            "loss factor",
            f"MXNet's loss is {ratios[0]:.6g} times torch's",
            f"multiply the loss by {ratios[0]:.6g}",
            ratios[0],
            {},
            3,
        )


def factor(name: str, found: str, remedy: str, value: float, powers: dict, trap: int) -> Hypothesis:
    """The loss times something."""
    return suppose(
        name, "torch_loss", found, remedy, {"change": "loss factor", "value": value, "powers": powers}, trap=trap
    )


SMOOTHED = (("cross-entropy", "label_smoothing"), ("cross-entropy smoothed over the other labels", "smoothing"))


def smoothing(case: Case, measured: list[dict]) -> Iterator[Hypothesis]:
    """Cross-entropy with the smoothing that gives MXNet's value."""
    for (kind, name), part in product(SMOOTHED, parts(measured[0])):
        value = smoothing_of(case, measured, {"kind": kind, **part}, name, "mxnet")
        if value is None:
            continue
        ours = [smoothing_of(case, measured, {"kind": k, **part}, n, "torch") for k, n in SMOOTHED]
        cause = "label smoothing" if value or any(ours) else "loss kind"
        words = f" with smoothing {value:g}" if value else ""
        named = kind == "cross-entropy"
        remedy = f"cross_entropy(..., label_smoothing={value:g})" if named else f"smooth by {value:g} over the others"
        change = {"change": "loss", "kind": kind, name: value, **part}
        yield suppose(cause, "torch_loss", f"MXNet's loss is {kind}{words}", remedy, change, trap=31)


def parts(one: dict) -> list[dict]:
    """Of which outputs a loss may be: of all, or, where there are several, of one of them by its number."""
    count = len(one["outputs"])
    return [{}, *({"part": number} for number in range(count if count > 1 else 0))]


def smoothing_of(case: Case, measured: list[dict], told: dict, name: str, side: str) -> float | None:
    """The smoothing that makes up a side's loss, in which it is linear; None unless every draw gives the same."""
    found = []
    for one in measured:
        plain, half = asked(case, one, [{**told, name: 0.0}, {**told, name: 0.5}])
        if plain is None or half is None or half == plain:
            return None
        found.append(round(0.5 * (one[side] - plain) / (half - plain), 6))
    return found[0] if found and 0 <= found[0] < 1 and max(found) == min(found) else None


def asked(case: Case, one: dict, told: list[dict]) -> list:
    """What known losses give for MXNet's outputs."""
    return case.stages.pair.torch.call("losses", outputs=one["outputs"], **one["draw"].arguments, told=told)


def kinds(case: Case, one: dict) -> Iterator[Hypothesis]:
    """Known losses that give MXNet's value, with a plain factor."""
    tried = [{**told, **part} for part in parts(one) for told in KINDS]
    for told, value in zip(tried, asked(case, one, tried)):
        if value and abs(value - one["mxnet"]) <= 1e-6 * abs(one["mxnet"]):
            words = ", ".join(f"{k}={v:g}" for k, v in told.items() if k not in ("kind", "part"))
            found = f"MXNet's loss is the {told['kind']}" + (f" ({words})" if words else "")
            yield suppose(
                "loss kind",
                "torch_loss",
                found,
                f"compute the {told['kind']}" + (f" with {words}" if words else ""),
                {"change": "loss", **told},
                trap=TRAPS.get(told["kind"]),
            )

"""What shows in training only: dropout, running statistics, gradients that are cut off."""

from __future__ import annotations

from collections.abc import Iterator

from crossfw.errors import CrossfwError
from crossfw.verification.diagnosis.case import Case
from crossfw.verification.diagnosis.trying import Hypothesis, edit, suppose
from crossfw.verification.tree import listed

MOMENTA = (0.1, 0.9, 0.01, 0.99)


def hypotheses(case: Case) -> Iterator[Hypothesis]:
    """For forward in training: rates, momentum, running variance."""
    yield from rates(case)
    norms = [
        (path, torch["momentum"]) for _, torch, path, _ in case.settings if isinstance(torch.get("momentum"), float)
    ]
    for value in MOMENTA:
        changes = [
            {"change": "set", "path": path, "values": {"momentum": value}} for path, old in norms if old != value
        ]
        if changes:
            where = listed([change["path"] for change in changes])
            yield suppose("momentum", where, "another momentum", f"momentum={value:g} in {where}", *changes, trap=9)
    yield from momenta_in_code(case)
    for to in ("biased", "unbiased"):
        changes = [{"change": "running variance", "path": path, "to": to, "momentum": old} for path, old in norms]
        if changes:
            where = listed([path for path, _ in norms])
            remedy = "MXNet keeps the biased variance: x.var(dims, unbiased=False)"
            yield suppose(
                "running variance", where, f"the running variance is not the {to} one", remedy, *changes, trap=9
            )


def momenta_in_code(case: Case) -> Iterator[Hypothesis]:
    """Running averages in a user's own code."""
    for site in case.sites:
        for at, old in site["scalars"] if site["name"] == "lerp_" else ():
            told = {"edit": "scalar", "at": at, "value": 1 - old}
            yield edit("momentum", case, site, f"weight {old:g} of the new value", f"weight {1 - old:g}", told, 9)


def rates(case: Case) -> Iterator[Hypothesis]:
    """MXNet's rates in the order of the calls."""
    draw = case.stages.draws[0]
    try:
        found = case.stages.pair.both("forward", **draw.arguments, training=True)
    except CrossfwError:
        return
    ours, theirs = ([float(rate) for _, rate in found[side]["dropout"]] for side in ("torch", "mxnet"))
    if ours and ours != theirs and len(ours) != len(theirs):
        for rate in dict.fromkeys([*theirs, 0.0]):
            told = {"change": "rates", "rates": [rate] * len(ours)}
            words = f"torch drops with {', '.join(f'{r:g}' for r in dict.fromkeys(ours))} where MXNet " + (
                f"has {rate:g}" if rate else "drops nothing"
            )
            yield suppose("dropout rate", "dropout", words, f"dropout {rate:g}", told)
    if ours != theirs and len(ours) == len(theirs):
        words = ", ".join(f"{a:g} where MXNet has {b:g}" for a, b in dict.fromkeys(zip(ours, theirs)) if a != b)
        remedy = "give dropout MXNet's rates: " + ", ".join(f"{rate:g}" for rate in theirs)
        yield suppose("dropout rate", "dropout", words, remedy, {"change": "rates", "rates": theirs})


def gradients(case: Case) -> Iterator[Hypothesis]:
    """Parameters that are cut off from their gradient, or rows of them."""
    for _, torch, path, _ in case.settings:
        row = torch.get("padding_idx")
        if row is not None:
            change = {"change": "set", "path": path, "values": {"padding_idx": None}}
            found, remedy = f"padding_idx={row}: this row gets no gradient", f"leave out padding_idx in {path}"
            yield suppose("padding index", path, found, remedy, change, trap=24)
    for site in case.sites:
        if site["name"] in ("detach", "detach_") and site["parameter"]:
            told = {"edit": "instead", "operation": {"name": "identity"}}
            yield edit("frozen parameter", case, site, "a parameter is detached", "leave out detach()", told)

"""What a layer computes: its activation, epsilon, pooling, padding, stride; in modules and in code."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from crossfw.verification.diagnosis.activations import (
    FUNCTIONS,
    activations,
    called_activations,
    clamps,
    missing,
    nonlinearity,
)
from crossfw.verification.diagnosis.case import Case, plain
from crossfw.verification.diagnosis.recurrent import states
from crossfw.verification.diagnosis.trying import Hypothesis, edit, suppose

EPSILONS = (1e-5, 1e-3, 1e-6, 1e-8, 1e-12, 1e-4, 1e-2)
NORMS = {"batch_norm", "layer_norm", "group_norm", "instance_norm"}


def hypotheses(case: Case) -> Iterator[Hypothesis]:
    """The cheapest and most likely first; what stands at the place before what stands elsewhere."""
    near = [site for site in case.sites if case.here(site)]
    far = [site for site in case.sites if not case.here(site)]
    yield from nonlinearity(case)
    yield from states(case)
    yield from clamps(case, case.sites)
    called = called_activations(case)
    yield from chain.from_iterable(activations(case, site, called) for site in case.sites if site["name"] in FUNCTIONS)
    for sites in (near, far):
        yield from chain.from_iterable(of_site(case, site) for site in sites)
        yield from epsilons(case, sites)
    yield from missing(case)


def of_site(case: Case, site: dict) -> Iterator[Hypothesis]:
    """Alternatives for one call of torch's functions."""
    kind = family_of(site["name"])
    if site["name"] in FUNCTIONS:
        yield from activations(case, site)
    elif kind in ("max_pool", "avg_pool"):
        yield from pooling(case, site)
    elif kind in ("conv", "conv_transpose"):
        yield from windows(case, site)
    elif kind == "interpolate":
        yield from resizing(case, site)
    elif kind == "pad":
        yield from (
            edit(
                "padding",
                case,
                site,
                f"{site['settings'].get('mode', 'constant')} padding",
                f"mode={mode!r}",
                {"edit": "set", "values": {"mode": mode}},
            )
            for mode in ("reflect", "replicate", "constant", "circular")
            if mode != site["settings"].get("mode", "constant")
        )


def family_of(name: str) -> str:
    """A function's name without the number of dimensions."""
    return name[:-2] if name[-2:] in ("1d", "2d", "3d") else name


def pooling(case: Case, site: dict) -> Iterator[Hypothesis]:
    """Rounding of the windows, border, stride."""
    given = site["settings"]
    for name, trap in (("ceil_mode", 25), ("count_include_pad", None)):
        if name == "count_include_pad" and "max" in site["name"]:
            continue
        now = bool(given.get(name, name == "count_include_pad"))
        told = {"edit": "set", "values": {name: not now}}
        yield edit("pooling convention", case, site, f"{name}={now}", f"{name}={not now}", told, trap)
    both = {
        "ceil_mode": not given.get("ceil_mode", False),
        "count_include_pad": not given.get("count_include_pad", True),
    }
    if "avg" in site["name"]:
        told = {"edit": "set", "values": both}
        yield edit("pooling convention", case, site, "rounding and border", f"{both}", told, 25)
    yield from windows(case, site)


def windows(case: Case, site: dict) -> Iterator[Hypothesis]:
    """Another border or stride of a convolution or pooling."""
    axes = int(site["name"][-2]) if site["name"][-1:] == "d" and site["name"][-2:-1].isdigit() else 2
    for name, cause, values in (("padding", "padding", (0, 1, 2, 3)), ("stride", "stride", (1, 2, 3, 4))):
        now = site["settings"].get(name)
        for value in values:
            if now not in (value, [value] * axes):
                told = {"edit": "set", "values": {name: [value] * axes}}
                yield edit(cause, case, site, f"{name}={plain(now)}", f"{name}={value}", told)


def resizing(case: Case, site: dict) -> Iterator[Hypothesis]:
    """Which corners lie on each other, and what lies between pixels."""
    given = site["settings"]
    mode, aligned = given.get("mode") or "nearest", bool(given.get("align_corners"))
    for other in dict.fromkeys([mode, "bilinear", "nearest", "bicubic"]):
        for corners in (False, True) if other != "nearest" else (None,):
            if (other, bool(corners)) != (mode, aligned):
                words = f"mode={other!r}" + (f", align_corners={corners}" if corners is not None else "")
                found = f"interpolate(mode={mode!r}, align_corners={aligned})"
                told = {"edit": "set", "values": {"mode": other, "align_corners": corners}}
                yield edit("resizing", case, site, found, words, told)


def epsilons(case: Case, sites: list[dict]) -> Iterator[Hypothesis]:
    """Epsilon in the user's own calls: of every call of a norm at once, and of small numbers that are added."""
    values = list(dict.fromkeys([*(m["eps"] for m, *_ in case.settings if "eps" in m), *EPSILONS]))
    calls = [site for site in sites if family_of(site["name"]) in NORMS]
    sums = [
        (site, at)
        for site in sites
        for at, value in site["scalars"]
        if site["name"] in ("add", "add_", "clamp") and 0 < value < 0.05
    ]
    for value in values:
        changes = [{"change": "site", "site": s["site"], "edit": "set", "values": {"eps": value}} for s in calls]
        if changes:
            where = ", ".join(dict.fromkeys(case.where(site) for site in calls[:4]))
            yield suppose("epsilon", where, "another epsilon", f"eps={value:g} in {where}", *changes, trap=10)
            for site, change in zip(calls, changes) if len(changes) > 1 else ():
                yield suppose(
                    "epsilon",
                    case.where(site),
                    "another epsilon",
                    f"eps={value:g} in {case.where(site)}",
                    change,
                    trap=10,
                )
        for site, at in sums:
            told = {"edit": "scalar", "at": at, "value": value}
            yield edit(
                "epsilon", case, site, f"{dict(map(tuple, site['scalars']))[at]:g} is added", f"add {value:g}", told, 10
            )

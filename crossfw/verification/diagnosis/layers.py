"""What a layer computes: activation, epsilon, slope, GELU, pooling, padding, stride; in modules and in a forward's code."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from crossfw.verification.diagnosis.case import Case, plain
from crossfw.verification.diagnosis.trying import Hypothesis, suppose
from crossfw.verification.pairing import family

EPSILONS = (1e-5, 1e-3, 1e-6, 1e-8, 1e-12, 1e-4, 1e-2)
SLOPES = (0.01, 0.25, 0.2, 0.3, 0.1, 0.125, 0.5)
ACTIVATIONS = ("relu", "tanh", "sigmoid", "softplus", "silu", "gelu", "leaky_relu", "elu", "softsign", "selu", "identity",
               "relu6", "hardsigmoid", "hardsigmoid by 0.2", "mish", "log_sigmoid", "softmax", "log_softmax")  # fmt: skip
GELUS = ("gelu", "gelu by tanh", "gelu by sigmoid")
FUNCTIONS = {"relu", "relu_", "tanh", "sigmoid", "softplus", "softsign", "silu", "gelu", "leaky_relu", "elu", "selu", "relu6",
             "hardsigmoid", "mish", "logsigmoid", "softmax", "log_softmax", "hardtanh"}  # fmt: skip
NORMS = {"batch_norm", "layer_norm", "group_norm", "instance_norm"}


def hypotheses(case: Case) -> Iterator[Hypothesis]:
    """The cheapest and most likely first; what stands at the place before what stands elsewhere."""
    near = [site for site in case.sites if case.here(site)]
    far = [site for site in case.sites if not case.here(site)]
    yield from nonlinearity(case)
    for sites in (near, far):
        yield from chain.from_iterable(of_site(case, site) for site in sites)
        yield from epsilons(case, sites)
        if sites is near:
            yield from modules(case)
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
    elif kind == "pad":
        yield from (
            edit("padding", case, site, f"{site['settings'].get('mode', 'constant')} padding", f"mode={mode!r}",
                 {"edit": "set", "values": {"mode": mode}})
            for mode in ("reflect", "replicate", "constant", "circular") if mode != site["settings"].get("mode", "constant")
        )  # fmt: skip


def family_of(name: str) -> str:
    """A function's name without the number of dimensions."""
    return name[:-2] if name[-2:] in ("1d", "2d", "3d") else name


def edit(
    cause: str, case: Case, site: dict, found: str, remedy: str, change: dict, trap: int | None = None
) -> Hypothesis:
    """An edit of one call."""
    where = case.where(site)
    return suppose(
        cause, where, found, f"{where}: {remedy}", {"change": "site", "site": site["site"], **change}, trap=trap
    )


def activations(case: Case, site: dict) -> Iterator[Hypothesis]:
    """Another activation; another slope or flavour of the same one first."""
    old = site["name"]
    if old == "leaky_relu":
        for slope in slopes(case):
            told = {"edit": "instead", "operation": {"name": "leaky_relu", "negative_slope": slope}}
            now = site["settings"].get("negative_slope", 0.01)
            yield edit("slope", case, site, f"negative slope {plain(now)}", f"negative_slope={slope:g}", told, 27)
    for name in GELUS if old == "gelu" else ():
        told = {"edit": "instead", "operation": {"name": name}}
        found = f"GELU with approximate={site['settings'].get('approximate', 'none')!r}"
        yield edit("gelu", case, site, found, f"MXNet's is {'the exact one (erf)' if name == 'gelu' else name}", told)
    for name in ACTIVATIONS:
        if name.split()[0] != old.rstrip("_"):
            told = {"edit": "instead", "operation": {"name": name}}
            yield edit("activation", case, site, f"{old} where MXNet's has {name}", f"{name} in the place of {old}", told,
                       19 if "rnn" in site["path"] else None)  # fmt: skip


def slopes(case: Case) -> list[float]:
    """MXNet's own slopes first."""
    own = [m[key] for m, *_ in case.settings for key in ("alpha", "slope") if isinstance(m.get(key), float)]
    return list(dict.fromkeys([*own, *SLOPES]))


def nonlinearity(case: Case) -> Iterator[Hypothesis]:
    """The activation of plain recurrent layers and cells: Gluon's layer defaults to relu, torch's to tanh."""
    kinds = {module["path"]: module["kind"] for module in case.stages.pair.modules["torch"]}
    for pair in case.stages.mapping.pairs:
        if pair.torch.kind == "rnn":
            path, now = pair.torch.layer, pair.torch.settings.get("nonlinearity", "tanh")
            other = "relu" if now == "tanh" else "tanh"
            values = {"nonlinearity": other} if kinds[path].endswith("Cell") else {"mode": f"RNN_{other.upper()}"}
            change = {"change": "set", "path": path, "values": values}
            for told, was in ((change, now), ({**change, "values": flipped(values)}, other)):
                new = "relu" if was == "tanh" else "tanh"
                remedy = f"nonlinearity={new!r} in {path}"
                yield suppose("activation", path, f"{was} where MXNet's layer has {new}", remedy, told, trap=19)


def flipped(values: dict) -> dict:
    """The other activation."""
    swap = {"relu": "tanh", "tanh": "relu", "RNN_RELU": "RNN_TANH", "RNN_TANH": "RNN_RELU"}
    return {key: swap[value] for key, value in values.items()}


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


def modules(case: Case) -> Iterator[Hypothesis]:
    """Another activation in the place of the module at the place, whatever it is, if it has no parameters."""
    first = case.place.first
    if (
        first is None
        or case.place.gap is not None
        or any(p.torch.layer == case.place.path for p in case.stages.mapping.pairs)
    ):
        return
    path, kind = case.place.path, first.torch["kind"]
    if family(kind) in ("activation", "") or kind == "Identity":
        for name in ACTIVATIONS:
            told = {"change": "instead", "path": path, "operation": {"name": name}}
            yield suppose("activation", path, f"{kind} where MXNet has {name}", f"{name} in the place of {path}", told)


def missing(case: Case) -> Iterator[Hypothesis]:
    """An activation that torch's side lacks, at the place."""
    for point in case.points:
        if point.ours.shape == point.theirs.shape:
            for name in ACTIVATIONS:
                if name != "identity":
                    told = {"change": point.side, "path": point.path, "operation": {"name": name}}
                    where = f"{point.side} {point.path or '(model)'}"
                    yield suppose("activation", where, f"MXNet applies {name} there", f"apply {name} {where}", told)
    yield from ()


def close(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays are equal but for rounding."""
    return a.shape == b.shape and bool(np.abs(a - b).max(initial=0) <= 1e-9 * max(1e-30, np.abs(b).max(initial=0)))

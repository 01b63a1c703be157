"""Activations: another one, another slope or flavour, one too few; in modules, in code, in recurrent layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crossfw.verification.diagnosis.case import Case, plain
from crossfw.verification.diagnosis.trying import Hypothesis, edit, suppose
from crossfw.verification.pairing import family
from crossfw.verification.tree import listed

SLOPES = (0.01, 0.25, 0.2, 0.3, 0.1, 0.125, 0.5, 1.0)
SLOPED = {"leaky_relu": ("negative_slope", 0.01), "elu": ("alpha", 1.0)}
ACTIVATIONS = (
    "relu",
    "tanh",
    "sigmoid",
    "softplus",
    "silu",
    "gelu",
    "leaky_relu",
    "elu",
    "softsign",
    "selu",
    "identity",
    "relu6",
    "hardswish",
    "hardsigmoid",
    "hardsigmoid by 0.2",
    "mish",
    "log_sigmoid",
    "softmax",
    "log_softmax",
)
NAMES = {"softrelu": "softplus", "leaky": "leaky_relu", "hard_sigmoid": "hardsigmoid by 0.2"}  # MXNet's: ours
GELUS = ("gelu", "gelu by tanh", "gelu by sigmoid")
FUNCTIONS = {
    "relu",
    "relu_",
    "tanh",
    "sigmoid",
    "softplus",
    "softsign",
    "silu",
    "gelu",
    "leaky_relu",
    "elu",
    "selu",
    "relu6",
    "hardswish",
    "hardsigmoid",
    "mish",
    "logsigmoid",
    "softmax",
    "log_softmax",
    "hardtanh",
}


def called_activations(case: Case) -> tuple[str, ...]:
    """Those that MXNet's run calls, in torch's names."""
    found = []
    for call in case.theirs:
        kind = call["settings"].get("act_type", call["name"])
        found.append(NAMES.get(kind, kind))
    swish = ("silu",) if "sigmoid" in found else ()
    return tuple(name for name in ACTIVATIONS if name in (*found, *swish))


def activations(case: Case, site: dict, names: Sequence[str] = ACTIVATIONS) -> Iterator[Hypothesis]:
    """Another activation of these; another slope or flavour of the same one first."""
    old = site["name"]
    if old in SLOPED:
        name, default = SLOPED[old]
        for slope in slopes(case):
            told = {"edit": "instead", "operation": {"name": old, name: slope}}
            now = site["settings"].get(name, default)
            yield edit("slope", case, site, f"{name}={plain(now)}", f"{name}={slope:g}", told, 27)
    for name in GELUS if old == "gelu" else ():
        told = {"edit": "instead", "operation": {"name": name}}
        found = f"GELU with approximate={site['settings'].get('approximate', 'none')!r}"
        yield edit("gelu", case, site, found, f"MXNet's is {'the exact one (erf)' if name == 'gelu' else name}", told)
    for name in names:
        if name != old.rstrip("_"):
            told = {"edit": "instead", "operation": {"name": name}}
            yield edit(
                "activation",
                case,
                site,
                f"{old} where MXNet's has {name}",
                f"{name} in the place of {old}",
                told,
                19 if "rnn" in site["path"] else None,
            )


def clamps(case: Case, sites: list[dict]) -> Iterator[Hypothesis]:
    """MXNet's own bounds, as its run called for them, in the place of an activation or of other bounds."""
    bounds = [(f["settings"].get("a_min"), f["settings"].get("a_max")) for f in case.theirs if f["name"] in CLIPS]
    for low, high in dict.fromkeys(bounds):
        for site in sites:
            if site["name"] in CLAMPED:
                told = {"edit": "instead", "operation": {"name": "clamp", "min": low, "max": high}}
                found = f"{site['name']} where MXNet clips to {low:g} and {high:g}"
                remedy = "relu6" if (low, high) == (0, 6) else f"clamp(x, {low:g}, {high:g})"
                yield edit("clip", case, site, found, f"{remedy} in the place of {site['name']}", told)
        paths = [site["path"] for site in sites if site["name"] in CLAMPED and not site["file"]]
        if len(paths) > 1:
            changes = [
                {"change": "site", "site": site["site"], "edit": "instead",
                 "operation": {"name": "clamp", "min": low, "max": high}}
                for site in sites if site["name"] in CLAMPED and not site["file"]
            ]  # fmt: skip
            names = listed(
                list(dict.fromkeys(site["name"] for site in sites if site["path"] in paths and site["name"] in CLAMPED))
            )
            found = f"{names} where MXNet clips to {low:g} and {high:g}"
            remedy = f"{'nn.ReLU6()' if (low, high) == (0, 6) else f'clamp(x, {low:g}, {high:g})'} in {listed(paths)}"
            yield suppose("clip", listed(paths), found, remedy, *changes)


CLIPS = ("clip", "_npi_clip")
CLAMPED = ("relu", "relu_", "relu6", "clamp", "clamp_min", "hardtanh", "leaky_relu")


def slopes(case: Case) -> list[float]:
    """MXNet's own slopes first."""
    told = [m for m, *_ in case.settings] + [f["settings"] for f in case.theirs if f["name"] == "LeakyReLU"]
    own = [m[key] for m in told for key in ("alpha", "slope") if isinstance(m.get(key), float)]
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

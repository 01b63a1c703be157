"""The layers of an MXNet model from the names and shapes in its `.params` file alone.

Understood are structural names (`0.weight`, `features.1.gamma`, `1._unfused.0.l_cell.i2h_weight`), names of
collect_params, `export` and symbols (`resnetv10_stage1_conv0_weight`, `bn0_moving_mean`, `model_lstm0_r0_i2h_weight`),
and the flat `rnn_param` of MXNet 2.x. Where names and shapes leave open what a layer is (a matrix without a bias: dense
or embedding?), the torch model that it is meant for decides. Whatever is left is an array of its own, of kind `raw`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import numpy as np

from crossfw.matching.units import Slot, Unit

Shape = tuple  # of integers
ROLES = {
    "i2h_weight": "W_ih",
    "h2h_weight": "W_hh",
    "i2h_bias": "b_ih",
    "h2h_bias": "b_hh",
    "h2r_weight": "W_hr",
    "weight": "weight",
    "bias": "bias",
    "gamma": "gamma",
    "beta": "beta",
    "running_mean": "running_mean",
    "running_var": "running_var",
    "moving_mean": "running_mean",
    "moving_var": "running_var",
    "alpha": "alpha",
    "rnn_param": "flat",
    "parameters": "flat",
}
ORDER = tuple(dict.fromkeys(ROLES.values()))
NAME = re.compile(rf"(?:(?P<path>.*?)[._])?(?P<role>{'|'.join(ROLES)})", re.DOTALL)
RECURRENT = {1: "rnn", 3: "gru", 4: "lstm"}
WORDS = (
    ("embedding", r"embed"),
    ("conv_transpose", r"deconv|transpose"),
    ("layer_norm", r"layer_?norm|(^|[._])ln"),
    ("group_norm", r"group_?norm|(^|[._])gn"),
    ("instance_norm", r"instance_?norm|(^|[._])in\d*$"),
)
STATISTICS = ("running_mean", "running_var")


def units_from_names(shapes: dict[str, Shape], torch: Sequence[Unit], slopes: Collection[str] = ()) -> list[Unit]:
    """The layers, in the order of the names.

    Args:
        shapes: name without `arg:` and `aux:` -> shape.
        torch: the units of the torch model that the file is meant for.
        slopes: names of PReLU's, which a symbol calls `NAME_gamma`.
    """
    layers: dict[str, dict[str, str]] = {}
    for name in shapes:
        found = NAME.fullmatch(name)
        path, role = (found["path"] or "", ROLES[found["role"]]) if found else (name, "raw")
        role = "alpha" if name in slopes else role
        layers.setdefault(path, {})[role if role not in layers.get(path, {}) else f"raw {name}"] = name
    paths = recurrent_paths([path for path, roles in layers.items() if "W_hh" in roles])
    free, units = list(torch), []
    for path, names in layers.items():
        if set(names) == {"gamma"} and _slope(shapes[names["gamma"]], free):
            names = {"alpha": names["gamma"]}
        roles = {role: shapes[name] for role, name in names.items()}
        flat = _flat(path, names["flat"], shapes, free) if set(names) == {"flat"} else []
        kind = "raw" if flat else _kind(path, roles, free)
        if flat:
            units += flat
        elif kind == "raw":
            units += [_raw(name, shapes[name]) for name in names.values()]
        else:
            slots = [Slot(role, names[role], roles[role], learns=role not in STATISTICS) for role in _sorted(names)]
            units.append(Unit(paths.get(path, path), kind, tuple(slots), layer=path))
            _take(free, units[-1])
    return units


def recurrent_paths(paths: Iterable[str]) -> dict[str, str]:
    """Path of one direction of one layer -> the path that it has in units, which ends in `.l0` or `.l0_reverse`.

    Cells below `_unfused` are counted, because dropout between them takes numbers too.
    """
    found, below = {}, {}
    for path in paths:
        unfused = re.fullmatch(r"(?P<stack>.*?)\.?_unfused\.(?P<cell>\d+)(?:\.(?P<side>[lr])_cell)?", path)
        fused = re.fullmatch(r"(?:(?P<stack>.*)[._])?(?P<side>[lr])(?P<cell>\d+)", path)
        match = unfused or fused
        if match:
            stack, cell, reverse = match["stack"] or "", int(match["cell"]), match["side"] == "r"
            found[path] = stack, cell, reverse
            below.setdefault((stack, bool(unfused)), set()).add(cell)
    names = {}
    for path, (stack, cell, reverse) in found.items():
        unfused_cells = below.get((stack, True))
        layer = sorted(unfused_cells).index(cell) if unfused_cells and "_unfused" in path else cell
        names[path] = f"{stack}.l{layer}".lstrip(".") + "_reverse" * reverse
    return names if len(set(names.values())) == len(names) else {}


def _sorted(roles: Iterable[str]) -> list[str]:
    return sorted(roles, key=ORDER.index)


def _raw(name: str, shape: Shape) -> Unit:
    path, _, role = name.rpartition(".")
    return Unit(name, "raw", (Slot(role, name, shape),), layer=path)


def _kind(path: str, roles: dict[str, Shape], torch: Sequence[Unit]) -> str:
    """What the layer is; `raw` where it is none of those known."""
    names, weight = set(roles), roles.get("weight", ())
    if {"W_ih", "W_hh"} <= names <= {"W_ih", "W_hh", "b_ih", "b_hh", "W_hr"}:
        hidden = roles["W_hr"] if "W_hr" in names else roles["W_hh"]
        gates = roles["W_hh"][0] / hidden[-1] if len(hidden) == 2 and hidden[-1] else 0
        return RECURRENT.get(gates, "raw")
    if names & set(STATISTICS):
        return "batch_norm" if names <= {"gamma", "beta", *STATISTICS} else "raw"
    if names <= {"gamma", "beta"}:
        return _chosen(path, roles, ("layer_norm", "group_norm", "instance_norm", "batch_norm"), torch)
    if names == {"alpha"}:
        return "prelu"
    if "weight" not in names or not names <= {"weight", "bias"} or len(weight) < 2:
        return "raw"
    if len(weight) > 2:
        return _chosen(path, roles, ("conv", "conv_transpose"), torch)
    return "dense" if "bias" in names else _chosen(path, roles, ("dense", "embedding"), torch)


def _chosen(path: str, roles: dict[str, Shape], kinds: tuple[str, ...], torch: Sequence[Unit]) -> str:
    """The kind that a free torch layer of these shapes has; of several the one that the name speaks for, else `raw`."""
    possible = [kind for kind in kinds if any(unit.kind == kind and _fits(roles, unit) for unit in torch)]
    named = [kind for kind, words in WORDS if kind in (possible or kinds) and re.search(words, path, re.IGNORECASE)]
    if not named and len(possible) > 1:
        return "raw"
    return (named or possible or list(kinds))[0]


def _fits(roles: dict[str, Shape], unit: Unit) -> bool:
    """Whether shapes agree; a norm may lack roles on either side, because constants need not be stored."""
    theirs = {slot.role: tuple(slot.shape) for slot in unit.slots}
    if not unit.kind.endswith("_norm") and set(theirs) != set(roles):
        return False
    return all(theirs.get(role, shape) == shape for role, shape in roles.items())


def _slope(shape: Shape, torch: Sequence[Unit]) -> bool:
    """Whether a gamma without a beta, as no norm is stored, is a slope that torch has a place for."""
    return any(unit.kind == "prelu" and unit.slots[0].shape == shape for unit in torch)


def _take(free: list[Unit], unit: Unit) -> None:
    """Strike one torch layer out that the unit may stand for."""
    roles = {slot.role: tuple(slot.shape) for slot in unit.slots}
    partner = next((other for other in free if other.kind == unit.kind and _fits(roles, other)), None)
    if partner is not None:
        free.remove(partner)


def _flat(path: str, name: str, shapes: dict[str, Shape], free: list[Unit]) -> list[Unit]:
    """The parts of a flat array of a whole recurrent network: all weights by layer and direction, then all biases.

    They are cut by the shapes of the first free recurrent torch layer of the same size; none where there is none.
    """
    networks: dict[str, list[Unit]] = {}
    for unit in free:
        if unit.kind in RECURRENT.values():
            networks.setdefault(unit.layer or unit.path.rpartition(".")[0], []).append(unit)
    size = int(np.prod(shapes[name], dtype=np.int64))
    for members in networks.values():
        members = sorted(members, key=_place)
        slots = [(unit, slot) for unit in members for slot in unit.slots]
        if sum(int(np.prod(slot.shape, dtype=np.int64)) for _, slot in slots) != size or len(shapes[name]) != 1:
            continue
        offset, cut = 0, {unit.path: [] for unit in members}
        for wanted in (("W_ih", "W_hh", "W_hr"), ("b_ih", "b_hh")):
            for unit, slot in slots:
                if slot.role in wanted:
                    cut[unit.path].append(replace(slot, name=name, offset=offset, repeat=1, learns=True))
                    offset += int(np.prod(slot.shape, dtype=np.int64))
        for unit in members:
            free.remove(unit)
        return [
            Unit(f"{path}.{unit.path.rpartition('.')[2]}".lstrip("."), unit.kind, tuple(cut[unit.path]), layer=path)
            for unit in members
        ]
    return []


def _place(unit: Unit) -> tuple[int, bool]:
    layer = re.search(r"l(\d+)(_reverse)?$", unit.path)
    return (int(layer[1]), bool(layer[2])) if layer else (0, False)

"""Settings of library layers that differ from what MXNet's partner was made with."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from crossfw.verification.diagnosis.case import Case, plain
from crossfw.verification.diagnosis.trying import Hypothesis, suppose
from crossfw.verification.pairing import family
from crossfw.verification.tree import listed

TRAPS = {"epsilon": 10, "momentum": 9, "slope": 27, "pooling convention": 25, "layout": 30, "activation": 19}


def wanted(mxnet: dict, torch: dict, kind: str) -> dict[str, tuple[str, Any]]:
    """{torch's setting: (cause, value)} that MXNet's settings ask for."""
    found: dict[str, tuple[str, Any]] = {}
    norm, pool = family(kind) == "norm" or "momentum" in torch, family(kind) == "pool"
    if norm or "eps" in torch:
        found["eps"] = ("epsilon", mxnet.get("eps", 1e-3))
    if "momentum" in torch:
        found["momentum"] = ("momentum", 1 - float(mxnet.get("momentum", 0.9)))
    if pool or "conv" in family(kind):
        for name, cause, theirs in (
            ("stride", "stride", "stride"),
            ("padding", "padding", "pad"),
            ("dilation", "dilation", "dilate"),
            ("kernel_size", "kernel", "kernel"),
            ("count_include_pad", "pooling convention", "count_include_pad"),
        ):
            if theirs in mxnet and mxnet[theirs] != []:
                found[name] = (cause, mxnet[theirs])
    if pool:
        found["ceil_mode"] = ("pooling convention", mxnet.get("pooling_convention", "valid") == "full")
    if "negative_slope" in torch:
        found["negative_slope"] = ("slope", mxnet.get("alpha", mxnet.get("slope", 0.25)))
    if "p" in torch and "p" in mxnet:
        found["p"] = ("dropout rate", mxnet["p"])
    if "batch_first" in torch and "layout" in mxnet:
        found["batch_first"] = ("layout", mxnet["layout"] == "NTC")
    return {name: pair for name, pair in found.items() if name in torch and pair[0] in NAMED}


NAMED = {
    "epsilon",
    "momentum",
    "stride",
    "padding",
    "dilation",
    "pooling convention",
    "slope",
    "dropout rate",
    "layout",
}


def same(a: Any, b: Any) -> bool:
    """Whether two settings mean the same: a single number stands for all axes."""
    a, b = ([x] if not isinstance(x, (list, tuple)) else list(x) for x in (a, b))
    size = max(len(a), len(b))
    a, b = (x * size if len(x) == 1 else x for x in (a, b))
    if any(isinstance(x, str) or x is None for x in a + b):
        return a == b
    return len(a) == len(b) and all(abs(float(x) - float(y)) <= 1e-12 + 1e-7 * abs(float(y)) for x, y in zip(a, b))


def hypotheses(case: Case) -> Iterator[Hypothesis]:
    """For each cause, all layers whose setting differs; then two causes at once; then what is often taken."""
    found = differing(case)
    yield from found
    yield from (a + b for a, b in combinations(found, 2))
    if len(found) > 2:
        yield sum(found[1:], found[0])
    yield from batch_first(case)


def differing(case: Case) -> list[Hypothesis]:
    """One hypothesis for each cause."""
    differ: dict[str, list[tuple]] = {}
    for mxnet, torch, path, kind in case.settings:
        for name, (cause, value) in wanted(mxnet, torch, kind).items():
            if value is not None and not same(value, torch[name]):
                differ.setdefault(cause, []).append((path, name, torch[name], value, torch, kind))
    return [made(cause, rows) for cause, rows in differ.items()]


def made(cause: str, rows: list[tuple]) -> Hypothesis:
    """Layers whose setting differs, all set to MXNet's."""
    path, name, old, value, *_ = rows[0]
    if refused := [row for row in rows if refuses(row)]:
        return padded_outside(cause, refused)
    changes = [{"change": "set", "path": p, "values": {n: fitting(v, o)}} for p, n, o, v, *_ in rows]
    where = listed([p for p, *_ in rows])
    found = f"{name}={plain(old)} where MXNet's layer has {mxnet_words(name, value)}"
    remedy = f"{name}={plain(fitting(value, old))} in {where}"
    return suppose(cause, where, found, remedy, *changes, trap=TRAPS.get(cause))


def refuses(row: tuple) -> bool:
    """Whether torch's pooling refuses MXNet's border, which is more than half a window."""
    _, name, _, value, torch, kind = row
    if name != "padding" or family(kind) != "pool":
        return False
    windows, borders = every_axis(torch["kernel_size"], value), every_axis(value, torch["kernel_size"])
    return any(2 * border > window for border, window in zip(borders, windows))


def every_axis(value: Any, other: Any) -> list:
    """A number for each axis."""
    if isinstance(value, (list, tuple)):
        return list(value)
    return [value] * (len(other) if isinstance(other, (list, tuple)) else 1)


def padded_outside(cause: str, rows: list[tuple]) -> Hypothesis:
    """MXNet's border by torch's functional.pad, ahead of a pooling layer that has none then."""
    changes = []
    for path, name, old, value, torch, kind in rows:
        sides = [size for border in reversed(every_axis(value, torch["kernel_size"])) for size in (border, border)]
        fill = float("-inf") if "max" in kind.lower() else 0.0
        changes.append(
            {"change": "set", "path": path, "values": {name: [0] * len(old) if isinstance(old, list) else 0}}
        )
        changes.append({"change": "before", "path": path, "operation": {"name": "pad", "pad": sides, "value": fill}})
    where = listed([row[0] for row in rows])
    found = f"padding={plain(rows[0][2])} where MXNet's layer has {plain(rows[0][3])}, which torch's refuses"
    remedy = f"padding=0 in {where}, and ahead of it torch.nn.functional.pad(x, {tuple(sides)}, value={fill:g})"
    return suppose(cause, where, found, remedy, *changes)


def fitting(value: Any, old: Any) -> Any:
    """A list of equal numbers as one number, where torch's layer holds one."""
    if isinstance(value, list) and not isinstance(old, list) and len(set(value)) == 1:
        return value[0]
    return value


def mxnet_words(name: str, value: Any) -> str:
    """MXNet's value, in its own sense."""
    if name == "momentum":
        return f"momentum {1 - value:g}, which keeps the old value and is torch's {value:g}"
    return plain(value)


def batch_first(case: Case) -> Iterator[Hypothesis]:
    """Recurrent layers that take sequences for steps, where no setting of MXNet's tells."""
    paths = [path for _, torch, path, _ in case.settings if "batch_first" in torch]
    values = {path: torch["batch_first"] for _, torch, path, _ in case.settings if "batch_first" in torch}
    for chosen in [*([path] for path in paths), paths] if paths else ():
        changes = [{"change": "set", "path": path, "values": {"batch_first": not values[path]}} for path in chosen]
        new = not values[chosen[0]]
        yield suppose(
            "layout",
            listed(chosen),
            f"batch_first={not new}, but steps stand {'second' if new else 'first'}",
            f"batch_first={new} in {listed(chosen)}",
            *changes,
            trap=30,
        )

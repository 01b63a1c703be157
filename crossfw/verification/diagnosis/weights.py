"""What is done with weights: order of gates, transposition, biases, a fixed gamma, the reset gate of a GRU."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from crossfw.verification.diagnosis.case import Case, close
from crossfw.verification.diagnosis.trying import Hypothesis, edit, suppose
from crossfw.verification.tree import listed

GATES = {"gru": 3, "lstm": 4}
PRODUCTS = ("matmul", "mm", "linear", "dot", "addmm", "bmm")


def hypotheses(case: Case) -> Iterator[Hypothesis]:
    """Those that numbers point at first."""
    yield from biases(case)
    yield from fixed_gamma(case)
    yield from transposed(case)
    yield from gates(case)
    yield from reset(case)
    yield from biases_at_products(case)


def groups(case: Case) -> list[list]:
    """Units of the mapping, those of torch's layer at the place first."""
    layers: dict[str, list] = {}
    for pair in case.stages.mapping.pairs:
        layers.setdefault(pair.torch.layer, []).append(pair.torch)
    return [layers[path] for path in sorted(layers, key=case.distance)]


def fixed_gamma(case: Case) -> Iterator[Hypothesis]:
    """A stored gamma that MXNet does not use."""
    arrays, paths = {}, []
    for pair in case.stages.mapping.pairs:
        for slots in pair.slots:
            if slots.mxnet.role == "gamma" and (not slots.mxnet.learns or pair.mxnet.settings.get("fix_gamma")):
                arrays[slots.torch.name] = np.ones_like(case.stages.weights["torch"][slots.torch.name])
                paths.append(pair.torch.path)
    if arrays:
        where = listed(paths)
        remedy = f"fill the weight of {where} with 1 and set requires_grad_(False)"
        yield suppose("fix_gamma", where, "MXNet fixes gamma at 1, whatever is stored", remedy, arrays=arrays, trap=10)


def transposed(case: Case) -> Iterator[Hypothesis]:
    """Square matrices the other way round: each alone, then all of a layer."""
    weights = case.stages.weights["torch"]
    for units in groups(case):
        names = dict.fromkeys(slot.name for unit in units for slot in unit.slots)
        square = [n for n in names if weights[n].ndim == 2 and weights[n].shape[0] == weights[n].shape[1] > 1]
        for chosen in [*([name] for name in square), *([square] if len(square) > 1 else [])]:
            arrays = {name: np.ascontiguousarray(weights[name].T) for name in chosen}
            where = listed(chosen)
            yield suppose(
                "transposition", where, f"{where} is used transposed", f"use {where} transposed: x @ W.T", arrays=arrays
            )


def gates(case: Case) -> Iterator[Hypothesis]:
    """All orders of the gates of one layer, in weights and biases."""
    weights = case.stages.weights["torch"]
    for units in groups(case):
        names = list(dict.fromkeys(slot.name for unit in units for slot in unit.slots))
        for count in dict.fromkeys([GATES[u.kind] for u in units if u.kind in GATES] or [4, 3]):
            axes = gate_axes([weights[name].shape for name in names], count)
            chosen = {name: axis for name, axis in zip(names, axes) if axis is not None}
            if len(chosen) < 2:
                continue
            for order in list(permutations(range(count)))[1:]:
                arrays = {name: reordered(weights[name], axis, order) for name, axis in chosen.items()}
                where = units[0].layer or listed(list(chosen))
                found = (
                    f"the gates stand in another order: MXNet's number {order} (from 0) are torch's 0 to {count - 1}"
                )
                remedy = f"{block_order('array', count, axes_in(chosen), order)}, for {listed(list(chosen))}"
                yield suppose("gate order", where, found, remedy, arrays=arrays)
    yield from apart(case)


def gate_axes(shapes: list[tuple], count: int) -> list:
    """The axis along which each array holds the gates: the one whose size all share; None for arrays without it."""
    sizes = [size for shape in shapes for size in dict.fromkeys(shape) if size % count == 0 and size > count]
    if not sizes:
        return [None] * len(shapes)
    size = max(set(sizes), key=lambda s: (sizes.count(s), s))
    return [shape.index(size) if size in shape else None for shape in shapes]


def axes_in(chosen: dict[str, int]) -> int:
    """The axis of most arrays."""
    axes = list(chosen.values())
    return max(axes, key=axes.count)


def block_order(array: str, count: int, axis: int, order: tuple[int, ...]) -> str:
    """`reordered` in torch's words."""
    along = f", {axis}" if axis else ""
    return f"torch.cat([{array}.chunk({count}{along})[i] for i in {list(order)}]{along})"


def reordered(array: np.ndarray, axis: int, order: tuple[int, ...]) -> np.ndarray:
    """The array with its blocks along an axis in another order."""
    blocks = np.split(array, len(order), axis)
    return np.ascontiguousarray(np.concatenate([blocks[i] for i in order], axis))


def apart(case: Case) -> Iterator[Hypothesis]:
    """Gates that have an array each: arrays of one layer and shape change places together."""
    weights = case.stages.weights["torch"]
    for units in groups(case):
        shapes: dict[tuple, list[str]] = {}
        for name in dict.fromkeys(slot.name for unit in units if unit.kind == "raw" for slot in unit.slots):
            shapes.setdefault(weights[name].shape, []).append(name)
        for count in (3, 4):
            chosen = [names for names in shapes.values() if len(names) == count]
            for order in list(permutations(range(count)))[1:] if len(chosen) > 1 else ():
                arrays = {names[i]: weights[names[j]] for names in chosen for i, j in enumerate(order)}
                where = listed([name for names in chosen for name in names])
                yield suppose(
                    "gate order",
                    where,
                    "gates are exchanged",
                    f"exchange them: {list(order)} of {where}",
                    arrays=arrays,
                )


def reset(case: Case) -> Iterator[Hypothesis]:
    """The reset gate before or after the product with the state's weights."""
    before = "torch resets after the product with the state's weights, MXNet's code before it"
    after = "torch's code resets before the product with the state's weights, MXNet after it"
    for pair in case.stages.mapping.pairs:
        if pair.torch.kind == "gru":
            remedy = "compute the candidate as tanh(x W_xh + (r * h) W_hh + b) in a cell of your own"
            told = {"change": "reset before", "path": pair.torch.layer}
            yield suppose("reset gate", pair.torch.layer, before, remedy, told, trap=20)
    for site in case.sites:
        if site["name"] in (*PRODUCTS, "add"):
            yield edit("reset gate", case, site, after, "r * (h @ W_hh + b_hh)", {"edit": "reset after"}, 20)
        if site["name"] in ("mul", "mul_"):
            yield edit("reset gate", case, site, before, "(r * h) @ W_hh", {"edit": "reset before"}, 20)


def biases(case: Case) -> Iterator[Hypothesis]:
    """A bias that is not added, or added twice: the outputs differ by just that."""
    weights = case.stages.weights["torch"]
    for point in case.points:
        if point.ours.shape != point.theirs.shape:
            continue
        gap = point.theirs - point.ours
        for name, bias in weights.items():
            for axis in range(gap.ndim) if bias.ndim == 1 else ():
                shape = [1] * gap.ndim
                shape[axis] = -1
                for times, cause in ((1, "missing bias"), (-1, "doubled bias")):
                    if gap.shape[axis] == bias.size and close(
                        np.broadcast_to(times * bias.reshape(shape), gap.shape), gap
                    ):
                        yield bias_hypothesis(
                            cause,
                            point.path,
                            name,
                            {
                                "change": point.side,
                                "path": point.path,
                                "operation": {"name": "add", "parameter": name, "times": times, "axis": axis},
                            },
                        )


def bias_hypothesis(cause: str, place: str, name: str, change: dict) -> Hypothesis:
    """A bias that is to be added once more, or once less."""
    found = f"{name} is {'not added' if cause == 'missing bias' else 'added twice'}"
    return suppose(cause, place, found, f"add {name} once", change)


def biases_at_products(case: Case) -> Iterator[Hypothesis]:
    """The same within a forward: after each product, each bias of its size; and biases of half the size."""
    weights = case.stages.weights["torch"]
    for units in groups(case)[:3]:
        for name in dict.fromkeys(slot.name for unit in units for slot in unit.slots):
            if weights[name].ndim == 1:
                arrays = {name: weights[name] / 2}
                yield suppose("doubled bias", name, f"{name} is added twice", f"add {name} once", arrays=arrays)
                for site in case.sites:
                    if site["name"] in PRODUCTS and case.here(site):
                        told = {"edit": "after", "operation": {"name": "add", "parameter": name, "times": 1}}
                        yield edit("missing bias", case, site, f"{name} is not added", f"add {name}", told)

"""What comes in: layout of axes, flattening, constant factors."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import permutations

import numpy as np

from crossfw.errors import CrossfwError
from crossfw.verification.diagnosis.case import Case, Point, close
from crossfw.verification.diagnosis.trying import Hypothesis, edit, suppose


def hypotheses(case: Case) -> Iterator[Hypothesis]:
    """What numbers point at first; then factors in the code; then the model's own inputs."""
    yield from exchanged(case)
    for point in case.points:
        yield from permuted(point)
        yield from flipped(point)
        yield from flattened(case, point)
        yield from scaled(point)
    yield from flattenings(case)
    yield from model_inputs(case)
    yield from factors(case)


def exchanged(case: Case) -> Iterator[Hypothesis]:
    """Outputs that stand in another order: the one in which each is MXNet's."""
    draw = case.stages.draws[0]
    case.stages.reset()
    try:
        found = case.stages.pair.both("forward", **draw.arguments, training=False)
    except CrossfwError:
        return
    ours, theirs = (list(found[side]["outputs"].values()) for side in ("torch", "mxnet"))
    order = [next((i for i, a in enumerate(ours) if close(np.asarray(a), np.asarray(b))), -1) for b in theirs]
    if len(ours) > 1 and sorted(order) == list(range(len(ours))) != order:
        names = list(found["torch"]["outputs"])
        words = ", ".join(names[i] for i in order)
        told = {"change": "outputs", "order": order}
        yield suppose("outputs", "(model)", "the outputs stand in another order", f"return them as {words}", told)


def permuted(point: Point) -> Iterator[Hypothesis]:
    """Axes in another order."""
    for axes in list(permutations(range(point.ours.ndim)))[1:] if 2 <= point.ours.ndim <= 5 else ():
        if close(point.ours.transpose(axes), point.theirs):
            told = {"change": point.side, "path": point.path, "operation": {"name": "permute", "axes": list(axes)}}
            where = f"{point.side} {point.path or '(model)'}"
            yield suppose("layout", where, "the axes stand in another order", f"x.permute{axes} {where}", told, trap=30)


def flipped(point: Point) -> Iterator[Hypothesis]:
    """An axis the other way round."""
    for axis in range(point.ours.ndim) if point.ours.shape == point.theirs.shape else ():
        if point.ours.shape[axis] > 1 and close(np.flip(point.ours, axis), point.theirs):
            told = {"change": point.side, "path": point.path, "operation": {"name": "flip", "axis": [axis]}}
            where = f"{point.side} {point.path or '(model)'}"
            yield suppose("flip", where, f"axis {axis} runs the other way round", f"x.flip({axis}) {where}", told)


def flattened(case: Case, point: Point) -> Iterator[Hypothesis]:
    """Features flattened in another order: (N, F) with the same numbers in every row."""
    ours, theirs = point.ours, point.theirs
    if ours.ndim != 2 or ours.shape != theirs.shape or not close(np.sort(ours, 1), np.sort(theirs, 1)):
        return
    shapes = {
        tuple(shape[1:]) for step in case.place.steps for key in ("inputs", "outputs") for shape in step.torch[key]
    }
    shapes |= {tuple(shape[1:]) for site in case.sites for shape in site["shapes"]}
    shapes |= {tuple(shape[i] for i in order) for shape in list(shapes) for order in permutations(range(len(shape)))}
    for shape in sorted(s for s in shapes if 2 <= len(s) <= 4 and math.prod(s) == ours.shape[1]):
        for axes in list(permutations(range(1, len(shape) + 1)))[1:]:
            made = ours.reshape(-1, *shape).transpose(0, *axes).reshape(ours.shape)
            if close(made, theirs):
                told = {"name": "flatten as", "shape": list(shape), "axes": list(axes)}
                change = {"change": point.side, "path": point.path, "operation": told}
                where = f"{point.side} {point.path or '(model)'}"
                remedy = f"flatten in MXNet's order of axes, channels first, {where}: x.flatten(1)"
                yield suppose("flatten", where, "features are flattened in another order", remedy, change, trap=23)


def flattenings(case: Case) -> Iterator[Hypothesis]:
    """Calls that flatten, of an array whose axes stand in another order."""
    for site in case.sites:
        shape = site["shapes"][0] if site["shapes"] else []
        if site["name"] in ("flatten", "reshape", "view") and 3 <= len(shape) <= 5:
            for axes in list(permutations(range(1, len(shape))))[1:]:
                told = {"edit": "before", "operation": {"name": "permute", "axes": [0, *axes]}}
                found = "features are flattened in another order"
                yield edit("flatten", case, site, found, f"flatten x.permute{(0, *axes)} instead", told, 23)


def scaled(point: Point) -> Iterator[Hypothesis]:
    """A constant factor."""
    if point.ours.shape != point.theirs.shape or not np.any(point.ours):
        return
    factor = float((point.ours * point.theirs).sum() / (point.ours * point.ours).sum())
    if factor and abs(factor - 1) > 1e-9 and close(point.ours * factor, point.theirs):
        told = {"change": point.side, "path": point.path, "operation": {"name": "scale", "by": factor}}
        where = f"{point.side} {point.path or '(model)'}"
        yield suppose(
            "scale", where, f"MXNet's is {factor:.6g} times as large", f"multiply by {factor:.6g} {where}", told
        )


def factors(case: Case) -> Iterator[Hypothesis]:
    """Constants that are multiplied with, and products that may lack one: roots and inverses of sizes."""
    sizes = {
        n for step in case.place.steps for shape in step.torch["inputs"] + step.torch["outputs"] for n in shape if n > 1
    }
    sizes |= {n for site in case.sites for shape in site["shapes"] for n in shape if n > 1}
    values = [2.0, 0.5, 1.0]
    for size in sorted(sizes):
        values += [size**0.5, size**-0.5, float(size), 1 / size]
    values = list(dict.fromkeys(values))
    for site in case.sites:
        if not case.here(site):
            continue
        for at, old in site["scalars"] if site["name"] in ("mul", "div", "mul_", "div_", "true_divide") else ():
            for value in values:
                if value != old:
                    remedy = f"{value:.6g} in the place of {old:g}"
                    yield edit(
                        "scale", case, site, f"factor {old:g}", remedy, {"edit": "scalar", "at": at, "value": value}
                    )
    for site in case.sites:
        if case.here(site) and site["name"] in ("matmul", "bmm", "embedding", "linear"):
            for value in values:
                told = {"edit": "after", "operation": {"name": "scale", "by": value}}
                yield edit("scale", case, site, "a factor is missing", f"multiply by {value:.6g}", told)


def model_inputs(case: Case) -> Iterator[Hypothesis]:
    """Inputs of the model with an axis the other way round, or their axes in another order."""
    root = next((step for step in case.place.steps if step.torch["path"] == ""), None)
    shapes = list(enumerate(root.torch["inputs"] if root else ()))
    for index, shape in shapes:
        for axis in (i for i, size in enumerate(shape) if size > 1 and i > 0):
            told = {"change": "inputs", "flips": {str(index): [axis]}}
            found = f"axis {axis} runs the other way round" + (
                " (channels in the other order)" if shape[axis] == 3 else ""
            )
            yield suppose("flip", f"input {index}", found, f"x.flip({axis}) of input {index}", told)
    for index, shape in shapes:
        for axes in list(permutations(range(len(shape))))[1:] if 2 <= len(shape) <= 4 else ():
            told = {"change": "inputs", "axes": {str(index): list(axes)}}
            yield suppose(
                "layout",
                f"input {index}",
                "its axes stand in another order",
                f"x.permute{axes} of input {index}",
                told,
                trap=30,
            )

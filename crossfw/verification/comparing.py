"""Rows from two sides' arrays: by output, or by the slots that the mapping pairs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Callable

import numpy as np

from crossfw.agreement.compare import SAME_ACCURACY
from crossfw.matching.match import Mapping, SlotPair
from crossfw.verification.row import Row

PART = 0.02
PARTS = ("forward", "forward in training", "gradients")  # stages whose arrays are also measured by slices
SMALL = 1e-3  # a gradient that is nothing but rounding is measured on this part of the largest one


def error_of(a: np.ndarray, b: np.ndarray, scale: float = 0.0, parts: bool = False) -> float:
    """max|a - b| / max(max|b|, scale); inf for another shape, and for NaN or inf in either.

    With `parts` every slice along every axis (a sample, a channel, a row) is also measured on its own largest number,
    or on PART of the whole array's where that is more: what is wrong in a small one may be all that something else
    depends on.
    """
    if a.shape != b.shape:
        return math.inf
    if a.size == 0:
        return 0.0
    a, b = a.astype(np.float64), b.astype(np.float64)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return math.inf
    gap, size = np.abs(a - b), np.abs(b)
    largest = max(float(size.max()), scale)
    if not parts or a.ndim < 2 or largest == 0 or not gap.any():
        return float(gap.max() / (largest if largest > 0 else 1.0))
    found = []
    for axis in range(a.ndim):
        others = tuple(i for i in range(a.ndim) if i != axis)
        found.append(float((gap.max(axis=others) / np.maximum(size.max(axis=others), PART * largest)).max()))
    return max(found)


def same_shape(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scalars as scalars: MXNet has no array without an axis."""
    return (a.reshape(()), b.reshape(())) if a.size == b.size == 1 else (a, b)


def folded(pair: SlotPair, side: str, array: np.ndarray) -> np.ndarray:
    """A slot's gradient, in MXNet's orientation; where numbers are repeated the gradient of one is their sum."""
    slot = pair.mxnet if side == "mxnet" else pair.torch
    numbers = slot.numbers(array)
    value = (numbers[:, 0] if slot.repeat == 1 else numbers.sum(axis=1)).reshape(slot.shape)
    return pair.as_mxnet(value) if side == "torch" else value


def slot_pairs(mapping: Mapping) -> Iterator[SlotPair]:
    """Every pair of slots of a mapping."""
    for pair in mapping.pairs:
        yield from pair.slots


def by_slots(
    mapping: Mapping, mxnet: dict[str, np.ndarray], torch: dict[str, np.ndarray], read: Callable = folded
) -> list[tuple[str, str, np.ndarray, np.ndarray]]:
    """(torch's name, MXNet's name, torch's array, MXNet's array) of every pair of slots that both dicts hold.

    `read` is `folded` for gradients and `values` for weights.
    """
    found = []
    for pair in slot_pairs(mapping):
        if pair.mxnet.name in mxnet and pair.torch.name in torch:
            ours = read(pair, "torch", torch[pair.torch.name])
            found.append((label(pair.torch), label(pair.mxnet), ours, read(pair, "mxnet", mxnet[pair.mxnet.name])))
    return found


def values(pair: SlotPair, side: str, array: np.ndarray) -> np.ndarray:
    """A slot's numbers, in MXNet's orientation."""
    return pair.mxnet.read(array) if side == "mxnet" else pair.as_mxnet(pair.torch.read(array))


def label(slot: Any) -> str:
    """A slot's name for people: the array's, and from where where it is a part."""
    return f"{slot.name}[{slot.offset}:]" if slot.offset else slot.name


def by_order(mxnet: dict[str, np.ndarray], torch: dict[str, np.ndarray]) -> list[tuple]:
    """The same of two dicts whose arrays correspond by their order."""
    return [(ours, theirs, torch[ours], mxnet[theirs]) for ours, theirs in zip(torch, mxnet)]


def rows_of(
    stage: str,
    dtype: str,
    run: str,
    matched: list[tuple],
    bound: float,
    small: float = 0.0,
    tiny: float = 0.0,
    names: tuple = ("", ""),
) -> list[Row]:
    """A row for each pair of arrays.

    Args:
        small: the part of the largest array on which the smallest are measured.
        tiny: the bound on these, where it is more: they may be what is left of a long sum that cancels.
    """
    finite = [np.abs(b).max() for *_, b in matched if b.size and np.isfinite(b).all()]
    scale = small * float(max(finite, default=0.0))
    rows = []
    for ours, theirs, a, b in matched:
        a, b = same_shape(np.asarray(a), np.asarray(b))
        error = error_of(a, b, scale, parts=dtype == "float64" and stage in PARTS)
        limit = max(bound, tiny) if tiny and b.size and np.abs(b).max() < scale else bound
        grade = "equal" if error <= limit else "different"
        note = "" if a.shape == b.shape else f"shape {a.shape} against MXNet's {b.shape}"
        if not note and a.dtype.kind == "f" and np.isfinite(b).all() and not np.isfinite(a).all():
            note = "torch's has NaN or infinite numbers"
        rows.append(Row(stage, names[1] + ours, names[0] + theirs, dtype, run, error, limit, grade, note=note))
    return rows


def graded(row: Row, factor: float) -> Row:
    """A float32 row with how many times less accurate than MXNet torch is."""
    from dataclasses import replace

    grade = row.grade
    if grade == "equal" and factor > SAME_ACCURACY:
        grade = "less accurate"
    return replace(row, grade=grade, factor=factor)


def by_place(mapping: Mapping, found: dict, moved: dict) -> dict:
    """A perturbed MXNet forward in the place of torch's."""
    outputs = dict(zip(found["torch"]["outputs"], moved["outputs"].values()))
    return {"outputs": outputs, "statistics": as_torch(mapping, {"parameters": moved["statistics"]})["parameters"]}


def as_torch(mapping: Mapping, moved: dict) -> dict:
    """MXNet's arrays under torch's names, whole slots only: what `by_slots` will read again."""
    arrays: dict[str, np.ndarray] = {}
    for pair in slot_pairs(mapping):
        if pair.mxnet.name in moved["parameters"]:
            value = pair.as_torch(pair.mxnet.read(moved["parameters"][pair.mxnet.name]))
            size = pair.torch.end
            old = arrays.get(pair.torch.name, np.zeros(0))
            flat = np.zeros(max(size, old.size))
            flat[: old.size] = old.reshape(-1)
            pair.torch.write(flat, value / pair.torch.repeat)
            arrays[pair.torch.name] = flat
    return {**moved, "parameters": arrays}

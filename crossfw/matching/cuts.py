"""Layers that one side packs into one and the other keeps apart, cut into the same parts on both sides.

A recurrent layer holds two linear ones, of the input and of the state, each with a part of its rows for each gate; a
linear layer of both side by side has a part of its columns for each; packed projections have a part of their rows for
query, key and value. In which order the parts stand, or whether they take turns head by head, shapes cannot tell: names
and trials do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from crossfw.matching.slots import columns, cut_in_parts, shape_key
from crossfw.matching.units import Slot, Unit

GATES = {"rnn": "h", "gru": "rzn", "lstm": "ifgo"}
ENDS = (("x", ("W_ih", "b_ih")), ("h", ("W_hh", "b_hh")), ("r", ("W_hr",)))
PACKED = {"qkv": ("query", "key", "value"), "kv": ("key", "value"), "qk": ("query", "key")}
MOST = 8  # parts

Side = Sequence[Unit]
Cuts = dict  # id of a unit -> what it is cut into


def cuts(left: Side, right: Side) -> Cuts:
    """What the units that have no partner yet are to be cut into, of both sides."""
    found: Cuts = {}
    for mine, other in ((left, right), (right, left)):
        found.update(_recurrent_cuts(mine, other))
    left, right = _applied(left, found), _applied(right, found)
    for mine, other in ((left, right), (right, left)):
        found.update(_row_cuts(mine, other))
    return found


def applied(units: Side, found: Cuts) -> tuple[Unit, ...]:
    """The units with parts in the place of what is cut, through all its cuts."""
    return tuple(_applied(units, found))


def _applied(units: Side, found: Cuts) -> list[Unit]:
    return [part for unit in units for part in (_applied(found[id(unit)], found) if id(unit) in found else [unit])]


def weight_of(unit: Unit) -> Slot | None:
    """The matrix of a linear layer, or of an array of a user's own."""
    slots = [slot for slot in unit.slots if slot.role == "weight"] if unit.kind == "dense" else []
    return slots[0] if slots and len(slots[0].shape) == 2 else None


def _recurrent_cuts(mine: Side, other: Side) -> Cuts:
    """Recurrent layers of one side as linear ones, where the other side has such; and those over input and state."""
    if any(unit.kind in GATES for unit in other):
        return {}
    dense = {weight.shape for weight in map(weight_of, other) if weight}
    raw = Counter(shape_key(slot) for unit in other if unit.kind == "raw" for slot in unit.slots)
    found: Cuts = {}
    for unit in mine:
        slots = {slot.role: slot for slot in unit.slots}
        if unit.kind not in GATES or "W_ih" not in slots or "W_hh" not in slots:
            continue
        count = len(GATES[unit.kind])
        (rows, width), size = slots["W_ih"].shape, slots["W_hh"].shape[1]
        both = {(rows, width + size), (rows // count, width + size)}
        single = {(height, wide) for height in (rows, rows // count) for wide in (width, size)}
        gates = count > 1 and raw[tuple(sorted((rows // count, width)))] >= count
        if dense & (both | single) or gates:
            found[id(unit)] = _ends(unit, slots)
            wide = [o for o in other if (w := weight_of(o)) and w.shape in both - single]
            found.update({id(each): _column_parts(each, width) for each in wide})
    return found


def _ends(unit: Unit, slots: dict[str, Slot]) -> list[Unit]:
    parts = []
    for number, (name, roles) in enumerate(ENDS):
        own = [replace(slots[role], role="weight" if role[0] == "W" else "bias") for role in roles if role in slots]
        if own:
            gates = {"gates": GATES[unit.kind]} if name != "r" else {}
            parts.append(_part(unit, name, own, number, {**unit.settings, **gates}))
    return parts


def _column_parts(unit: Unit, width: int) -> list[Unit]:
    weight = weight_of(unit)
    rest = [slot for slot in unit.slots if slot is not weight]
    x, h = columns(weight, 0, width), columns(weight, width, weight.shape[1])
    return [_part(unit, "x", [x, *rest], 0), _part(unit, "h", [h], 1)]


def _part(unit: Unit, name: str, slots: Sequence[Slot], number: int, settings: dict | None = None) -> Unit:
    """A part of a unit as a linear layer, which runs a little after the parts before it."""
    order = None if unit.order is None else unit.order + number / 2 ** (5 + 5 * unit.path.count("/"))
    settings = unit.settings if settings is None else settings
    return Unit(f"{unit.path}/{name}".lstrip("/"), "dense", tuple(slots), settings, order, unit.layer)


def _row_cuts(mine: Side, other: Side) -> Cuts:
    """Linear layers whose rows are those of several of the other side, where the numbers of layers say so."""
    own: dict[tuple, list[Unit]] = {}
    for unit in mine:
        weight = weight_of(unit)
        if weight:
            own.setdefault(weight.shape, []).append(unit)
    theirs = Counter(weight.shape for weight in map(weight_of, other) if weight)
    raw = Counter(shape_key(slot) for unit in other if unit.kind == "raw" for slot in unit.slots)
    found: Cuts = {}
    for (rows, width), units in own.items():
        for parts in range(2, MOST + 1):
            shape = (rows // parts, width)
            wanted = parts * len(units) + len(own.get(shape, ()))
            if rows % parts == 0 and wanted in (theirs[shape], raw[tuple(sorted(shape))]):
                found.update({id(unit): _row_parts(unit, parts) for unit in units})
                break
    return found


def _row_parts(unit: Unit, parts: int) -> list[Unit]:
    cut = [cut_in_parts(slot, parts) for slot in unit.slots]
    return [
        _part(unit, name, [pieces[index] for pieces in cut], index) for index, name in enumerate(_names(unit, parts))
    ]


def _names(unit: Unit, parts: int) -> Sequence[str]:
    """What names say of the parts: gates by their letters, projections by theirs."""
    gates = unit.settings.get("gates", "")
    if len(gates) == parts:
        return gates
    last = unit.path.rpartition(".")[2].lower()
    packed = (names for word, names in PACKED.items() if word in last and len(names) == parts)
    return next(packed, [str(index) for index in range(parts)])

"""What the user says about names: pairs of arrays that need no evidence."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Union

from crossfw.checks import nearest
from crossfw.errors import CrossfwError
from crossfw.matching.mapping import Pair
from crossfw.matching.slots import (
    cut_in_parts,
    fitting,
    paired_slots,
    without,
)
from crossfw.matching.units import Unit

RENAME = "rename"
Rename = Union[dict, Sequence, Callable, None]
Part = tuple  # (Unit, Slot)


def renamed_pairs(mxnet: Sequence[Unit], torch: Sequence[Unit], rename: Rename) -> list[Pair]:
    """The pairs that `rename` makes, and of the units that it joins also what it does not name.

    Args:
        mxnet, torch: all units.
        rename: a dict MXNet name -> torch name (or a list of them); a list of (regular expression, replacement), each
            applied in turn; or a function MXNet name -> torch name or None. Several names on one side for one name on
            the other are its equal parts along the first axis, in the order given.

    Raises:
        CrossfwError: a name is on neither side, or names clash.
    """
    mine, theirs = _parts(mxnet), _parts(torch)
    pairs = []
    for names, others in _joined(_wanted(rename, mine), mine, theirs):
        left = [part for name in names for part in mine[name]]
        right = [part for name in others for part in theirs[name]]
        pairs += _pairs(left, right, f"rename {' and '.join(names)} -> {' and '.join(others)}")
    return pairs + _rest(mxnet, torch, pairs)


def _parts(units: Sequence[Unit]) -> dict[str, list[Part]]:
    """Array name -> its slots by offset, with a unit that has them; of tied ones the first."""
    found: dict[str, dict[int, Part]] = defaultdict(dict)
    for unit in units:
        for slot in unit.slots:
            found[slot.name].setdefault(slot.offset, (unit, slot))
    return {name: [parts[offset] for offset in sorted(parts)] for name, parts in found.items()}


def _wanted(rename: Rename, names: dict[str, list[Part]]) -> list[tuple[str, str]]:
    """(MXNet name, torch name), as the user says."""
    if rename is None:
        return []
    if callable(rename):
        told = [(name, rename(name)) for name in names]
        return [(name, other) for name, other in told if other is not None]
    if isinstance(rename, dict):
        listed = {name: [other] if isinstance(other, str) else list(other) for name, other in rename.items()}
        return [(name, other) for name, others in listed.items() for other in others]
    for pattern, _ in rename:
        if not any(re.search(pattern, name) for name in names):
            found = f"no parameter of the MXNet model matches{nearest(pattern, names)}"
            raise CrossfwError(f"rename {pattern!r}", found, "correct the regular expression")
    return [(name, _replaced(name, rename)) for name in names if any(re.search(pattern, name) for pattern, _ in rename)]


def _replaced(name: str, rules: Sequence[tuple[str, str]]) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name


def _joined(wanted: list[tuple[str, str]], mine: dict, theirs: dict) -> list[tuple[list[str], list[str]]]:
    """Names that belong together: one to one, several to one, one to several."""
    to: dict[str, list[str]] = defaultdict(list)
    by: dict[str, list[str]] = defaultdict(list)
    for name, other in wanted:
        for known, value, framework in ((mine, name, "MXNet"), (theirs, other, "torch")):
            if value not in known:
                found = f"no parameter {value!r} in the {framework} model{nearest(value, known)}"
                raise CrossfwError(f"rename {name!r} -> {other!r}", found, "use the names of the models' own arrays")
        to[name].append(other)
        by[other].append(name)
    for name, others in to.items():
        clash = [other for other in others if len(others) > 1 and len(by[other]) > 1]
        if clash:
            found = f"{clash[0]} is also the name for {' and '.join(n for n in by[clash[0]] if n != name)}"
            raise CrossfwError(f"rename {name!r} -> {others}", found, "map each name once")
    single = [([name], others) for name, others in to.items() if len(by[others[0]]) == 1]
    return single + [(names, [other]) for other, names in by.items() if len(names) > 1]


def _pairs(left: list[Part], right: list[Part], asked: str) -> list[Pair]:
    if len(left) != len(right):
        if len(right) == 1:
            right = _split(right[0], len(left), asked)
        elif len(left) == 1:
            left = _split(left[0], len(right), asked)
        else:
            found = f"{len(left)} parts of arrays in MXNet and {len(right)} in torch"
            raise CrossfwError(asked, found, "map each name once")
    pairs = []
    for (unit, slot), (partner, other) in zip(left, right):
        fits = fitting(slot, other)
        slots = (fits,) if fits else ()
        pairs.append(Pair(replace(unit, slots=(slot,)), replace(partner, slots=(other,)), slots, RENAME))
    return pairs


def _split(part: Part, parts: int, asked: str) -> list[Part]:
    """Equal parts of a slot along its first axis."""
    unit, slot = part
    if not slot.shape or slot.shape[0] % parts or slot.repeat != 1:
        found = f"{slot.name} has shape {slot.shape}, which is not {parts} equal parts"
        raise CrossfwError(asked, found, "map each name once")
    pieces = cut_in_parts(slot, parts)
    return [(unit, replace(piece, role=f"{slot.role}[{index}]")) for index, piece in enumerate(pieces)]


def _rest(mxnet: Sequence[Unit], torch: Sequence[Unit], pairs: list[Pair]) -> list[Pair]:
    """What remains of two layers of one kind that `rename` joins with each other only."""
    to: dict[str, set[str]] = defaultdict(set)
    by: dict[str, set[str]] = defaultdict(set)
    used: tuple[set, set] = (set(), set())
    for pair in pairs:
        to[pair.mxnet.path].add(pair.torch.path)
        by[pair.torch.path].add(pair.mxnet.path)
        for index, unit in enumerate((pair.mxnet, pair.torch)):
            used[index].update((slot.name, slot.offset) for slot in unit.slots)
    units = {unit.path: unit for unit in mxnet}, {unit.path: unit for unit in torch}
    found = []
    for path, others in to.items():
        partner = units[1][next(iter(others))]
        if len(others) > 1 or len(by[partner.path]) > 1 or units[0][path].kind != partner.kind or partner.kind == "raw":
            continue
        left, right = without(units[0][path], used[0]), without(partner, used[1])
        if left and right:
            found.append(Pair(left, right, tuple(paired_slots(left, right)), RENAME))
    return found

"""A plan: which units go together, from which a mapping follows."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from crossfw.matching.faults import (
    coverage_faults,
    lonely_faults,
    mapped,
    pair_faults,
    place,
    tie_faults,
)
from crossfw.matching.groups import (
    ORDER,
    Group,
    aligned,
    kinship,
    sequence,
)
from crossfw.matching.mapping import Ambiguity, Mapping, Pair
from crossfw.matching.rename import RENAME
from crossfw.matching.slots import (
    guessed_transposition,
    may_be_transposed,
    paired_slots,
    votes,
    without,
)
from crossfw.matching.units import Unit


@dataclass(frozen=True)
class Plan:
    """Which units go together.

    Attributes:
        mxnet, torch: all units.
        fixed: pairs that the user names.
        groups: the others, by evidence.
    """

    mxnet: tuple[Unit, ...]
    torch: tuple[Unit, ...]
    fixed: tuple[Pair, ...]
    groups: tuple[Group, ...] = ()

    def pairs(self) -> list[Pair]:
        """All pairs of units that evidence or the user has made; square matrices as their shapes were equal."""
        made = [(left, right, group.evidence) for group in self.groups for left, right in group.pairs()]
        return [
            *self.fixed,
            *(Pair(left, right, tuple(paired_slots(left, right)), evidence) for left, right, evidence in made),
        ]

    def remaining(self) -> tuple[list[Unit], list[Unit]]:
        """What no pair accounts for."""
        return remaining(self.mxnet, self.torch, self.pairs())

    def mapping(self) -> Mapping:
        """The mapping that follows."""
        pairs = self.pairs()
        turned, unsettled = squares(pairs)
        pairs = [_turned(pair, turned) for pair in pairs]
        pairs += near_pairs(self.mxnet, self.torch, *remaining(self.mxnet, self.torch, pairs), pairs)
        ambiguous = [
            Ambiguity(_names(group.mxnet), _names(group.torch), group.doubt) for group in self.groups if group.doubt
        ]
        if unsettled:
            open_ = [slots for pair in pairs for slots in pair.slots if place(slots.mxnet) in unsettled]
            names = tuple(slots.mxnet.name for slots in open_), tuple(slots.torch.name for slots in open_)
            ambiguous.append(Ambiguity(*names, "square matrices, which may stand transposed"))
        return replace(assembled(self.mxnet, self.torch, pairs), ambiguous=tuple(ambiguous))


def assembled(mxnet: tuple[Unit, ...], torch: tuple[Unit, ...], pairs: Sequence[Pair]) -> Mapping:
    """The mapping of the pairs, with all that is wrong with it."""
    tree = {unit.path: index for index, unit in enumerate(mxnet)}
    pairs = sorted(pairs, key=lambda pair: tree[pair.mxnet.path])
    done = mapped(pairs, "mxnet"), mapped(pairs, "torch")
    faults = [fault for pair in pairs for fault in pair_faults(pair, *done, pair.evidence == RENAME)]
    faults += lonely_faults(*remaining(mxnet, torch, pairs)) + tie_faults(pairs)
    faults += coverage_faults(mxnet, "MXNet") + coverage_faults(torch, "torch")
    return Mapping(tuple(pairs), tuple(faults), (), mxnet, torch)


def remaining(mxnet: Sequence[Unit], torch: Sequence[Unit], pairs: Sequence[Pair]) -> tuple[list[Unit], list[Unit]]:
    """What of the units no pair accounts for."""
    sides = []
    for units, side in ((mxnet, "mxnet"), (torch, "torch")):
        used = {place(slot) for pair in pairs for slot in getattr(pair, side).slots}
        sides.append([rest for rest in (without(unit, used) for unit in units) if rest])
    return sides[0], sides[1]


def squares(pairs: Sequence[Pair]) -> tuple[set, set]:
    """MXNet's places of matrices that stand transposed by evidence, and of those of which shapes leave that open."""
    flat = [(pair.mxnet, pair.torch, slots) for pair in pairs for slots in pair.slots]
    counts = votes(flat)
    turned, unsettled = set(), set()
    for left, right, slots in flat:
        if may_be_transposed(left, right, slots):
            transposed, settled = guessed_transposition(left, right, slots, counts)
            turned |= {place(slots.mxnet)} if transposed else set()
            unsettled |= set() if settled else {place(slots.mxnet)}
    return turned, unsettled


def _turned(pair: Pair, turned: set) -> Pair:
    slots = (
        replace(slots, transposed=place(slots.mxnet) in turned)
        if may_be_transposed(pair.mxnet, pair.torch, slots)
        else slots
        for slots in pair.slots
    )
    return replace(pair, slots=tuple(slots))


def _names(units: Sequence[Unit | None]) -> tuple[str, ...]:
    return tuple(unit.slots[0].name if len(unit.slots) == 1 else unit.path for unit in units if unit)


def near_pairs(
    mxnet: Sequence[Unit], torch: Sequence[Unit], left: list[Unit], right: list[Unit], pairs: Sequence[Pair]
) -> list[Pair]:
    """Units without equal partner that stand between the same neighbours, and whose kinds are equal or related."""
    if not left or not right:
        return []
    mine, theirs = ({unit.path: index for index, unit in enumerate(sequence(side))} for side in (mxnet, torch))
    spine = _rising(sorted({(mine[pair.mxnet.path], theirs[pair.torch.path]) for pair in pairs}))
    parts: dict[int, tuple[list[Unit], list[Unit]]] = defaultdict(lambda: ([], []))
    for index, (side, places) in enumerate(((left, mine), (right, theirs))):
        for unit in sequence(side):
            parts[bisect_left([pair[index] for pair in spine], places[unit.path])][index].append(unit)
    found = []
    for first, second in parts.values():
        if first and second:
            chosen = [(first[row], second[column]) for row, column in aligned(first, second, kinship(first, second))]
            found += [Pair(unit, other, tuple(paired_slots(unit, other)), ORDER) for unit, other in chosen]
    return found


def _rising(places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of the pairs, sorted by the first number, in which the second rises too."""
    ends: list[int] = []
    chain: list[tuple[tuple[int, int], Hashable]] = []
    last: list[int] = []
    for index, pair in enumerate(places):
        at = bisect_left(ends, pair[1])
        chain.append((pair, last[at - 1] if at else None))
        ends[at : at + 1] = [pair[1]]
        last[at : at + 1] = [index]
    found, index = [], last[-1] if last else None
    while index is not None:
        pair, index = chain[index]
        found.append(pair)
    return found[::-1]

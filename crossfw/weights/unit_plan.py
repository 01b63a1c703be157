"""A plan: which units go together, from which a mapping follows; and the plans that differ from it."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace

from crossfw.weights.unit_faults import coverage_faults, lonely_faults, mapped, pair_faults, place, tie_faults
from crossfw.weights.unit_groups import ORDER, Group, aligned, kinship, sequence
from crossfw.weights.unit_mapping import TRIAL, Ambiguity, Mapping, Pair
from crossfw.weights.unit_rename import RENAME
from crossfw.weights.unit_slots import guessed_transposition, may_be_transposed, paired_slots, votes, without
from crossfw.weights.units import Unit


@dataclass(frozen=True)
class Plan:
    """Which units go together.

    Attributes:
        mxnet, torch: all units.
        fixed: pairs that the user names.
        groups: the others, by evidence.
        changes: index of a group -> its torch side in another order, to be tried.
        flips: MXNet's places of square matrices that are transposed against what is believed, to be tried.
    """

    mxnet: tuple[Unit, ...]
    torch: tuple[Unit, ...]
    fixed: tuple[Pair, ...]
    groups: tuple[Group, ...] = ()
    changes: dict[int, tuple[Unit | None, ...]] = field(default_factory=dict)
    flips: frozenset = frozenset()

    def pairs(self) -> list[Pair]:
        """All pairs of units that evidence or the user has made; square matrices as their shapes were equal."""
        found = list(self.fixed)
        for index, group in enumerate(self.groups):
            now = replace(group, torch=self.changes.get(index, group.torch))
            believed = {id(left): right for left, right in zip(group.mxnet, group.torch) if left}
            for left, right in now.pairs():
                evidence = group.evidence if believed[id(left)] is right else TRIAL
                found.append(Pair(left, right, tuple(paired_slots(left, right)), evidence))
        return found

    def remaining(self, pairs: Sequence[Pair]) -> tuple[list[Unit], list[Unit]]:
        """What no pair accounts for."""
        sides = []
        for units, side in ((self.mxnet, "mxnet"), (self.torch, "torch")):
            used = {place(slot) for pair in pairs for slot in getattr(pair, side).slots}
            sides.append([rest for rest in (without(unit, used) for unit in units) if rest])
        return sides[0], sides[1]

    def squares(self, pairs: Sequence[Pair]) -> list[tuple[tuple, bool, bool]]:
        """(MXNet's place, transposed, settled) of each matrix whose shape leaves open whether it stands transposed."""
        flat = [(pair.mxnet, pair.torch, slots) for pair in pairs for slots in pair.slots]
        counts = votes(flat)
        return [
            (place(slots.mxnet), *guessed_transposition(left, right, slots, counts))
            for left, right, slots in flat
            if may_be_transposed(left, right, slots)
        ]

    def mapping(self) -> Mapping:
        """The mapping that follows, without alternatives."""
        pairs = self.pairs()
        squares = self.squares(pairs)
        turned = {where for where, transposed, _ in squares if transposed != (where in self.flips)}
        pairs = [_turned(pair, turned, self.flips) for pair in pairs]
        pairs += near_pairs(self.mxnet, self.torch, *self.remaining(pairs), pairs)
        tree = {unit.path: index for index, unit in enumerate(self.mxnet)}
        pairs.sort(key=lambda pair: tree[pair.mxnet.path])
        ambiguous = [
            Ambiguity(_names(group.mxnet), _names(group.torch), group.doubt)
            for index, group in enumerate(self.groups)
            if group.doubt and index not in self.changes
        ]
        unsettled = {where for where, _, settled in squares if not settled}
        if unsettled and not self.flips:
            open_ = [slots for pair in pairs for slots in pair.slots if place(slots.mxnet) in unsettled]
            names = tuple(slots.mxnet.name for slots in open_), tuple(slots.torch.name for slots in open_)
            ambiguous.append(Ambiguity(*names, "square matrices, which may stand transposed"))
        return Mapping(tuple(pairs), self.faults(pairs), tuple(ambiguous), self.mxnet, self.torch)

    def faults(self, pairs: Sequence[Pair]) -> tuple[str, ...]:
        """All that is wrong, one sentence each."""
        done = mapped(pairs, "mxnet"), mapped(pairs, "torch")
        found = [fault for pair in pairs for fault in pair_faults(pair, *done, pair.evidence == RENAME)]
        found += lonely_faults(*self.remaining(pairs)) + tie_faults(pairs)
        return tuple(found + coverage_faults(self.mxnet, "MXNet") + coverage_faults(self.torch, "torch"))


def _turned(pair: Pair, turned: set, flips: frozenset) -> Pair:
    slots = tuple(
        replace(slots, transposed=place(slots.mxnet) in turned)
        if may_be_transposed(pair.mxnet, pair.torch, slots)
        else slots
        for slots in pair.slots
    )
    evidence = TRIAL if any(place(slots.mxnet) in flips for slots in slots) else pair.evidence
    return replace(pair, slots=slots, evidence=evidence)


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

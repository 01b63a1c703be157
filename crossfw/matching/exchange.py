"""Mappings that differ from one in which array stands for which; and names that such a mapping crosses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

from crossfw.matching.faults import place
from crossfw.matching.mapping import TRIAL, Mapping, Pair
from crossfw.matching.names import parts
from crossfw.matching.plan import assembled
from crossfw.matching.rename import RENAME
from crossfw.matching.slots import (
    NORMS,
    SlotPair,
    interleaved,
    may_be_transposed,
)
from crossfw.matching.units import Slot, Unit

HEADS = 64  # the most heads of an attention whose packed projections take turns
MEANINGLESS = {"weight", "bias", "dense", "conv", "norm", "layer", "layers", "embedding", "projection", "block", "net",
               "module", "model", "gamma", "beta", "alpha", "act", "features", "body", "stage"}  # fmt: skip


@dataclass(frozen=True)
class Member:
    """A pair of slots with the units that hold them."""

    left: Unit
    right: Unit
    slots: SlotPair
    evidence: str

    @property
    def turnable(self) -> bool:
        """Whether its shape leaves open if it stands transposed."""
        return may_be_transposed(self.left, self.right, self.slots)

    def kin(self) -> Hashable:
        """What members share that may change their partners; None where this one may not."""
        mxnet, torch = self.slots.mxnet, self.slots.torch
        fixed = self.left.kind == "raw" and not mxnet.learns or mxnet.constant or torch.constant
        if fixed or mxnet.counts_as is not None or mxnet.repeat * torch.repeat > 1:
            return None
        kinds = {self.left.kind, self.right.kind}
        family = mxnet.role if kinds & {*NORMS, "prelu"} else "embedding" if "embedding" in kinds else ""
        turned = self.slots.transposed and not self.turnable
        return mxnet.shape, torch.shape, turned, family, place(mxnet) if self.evidence == RENAME else None


def members_of(mapping: Mapping) -> list[Member]:
    """Every pair of slots."""
    return [Member(pair.mxnet, pair.torch, slots, pair.evidence) for pair in mapping.pairs for slots in pair.slots]


def exchangeable(members: Sequence[Member]) -> list[list[int]]:
    """Numbers of members that may change their partners with each other, in MXNet's order of execution."""
    uses: dict = defaultdict(int)
    for member in members:
        uses["mxnet", place(member.slots.mxnet)] += 1
        uses["torch", place(member.slots.torch)] += 1
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for number, member in enumerate(members):
        tied = uses["mxnet", place(member.slots.mxnet)] + uses["torch", place(member.slots.torch)] > 2
        if member.kin() is not None and not tied:
            groups[member.kin()].append(number)

    def order(number: int) -> tuple:
        run = members[number].left.order
        return run is None, run or 0, number

    return [sorted(group, key=order) for group in groups.values()]


def rebuilt(mapping: Mapping, members: Sequence[Member], partner: Sequence[int], turned: Sequence[bool]) -> Mapping:
    """The mapping in which MXNet's slot of member k goes with torch's of `partner[k]`, transposed if `turned[k]`."""
    bundles: dict[tuple, list] = defaultdict(list)
    for number, member in enumerate(members):
        right = members[partner[number]]
        same = partner[number] == number and turned[number] == member.slots.transposed
        slots = SlotPair(member.slots.mxnet, right.slots.torch, turned[number])
        bundles[id(member.left), id(right.right)].append((member.left, right.right, slots, same, member.evidence))
    pairs = [pair for pair in mapping.pairs if not pair.slots]
    for bundle in bundles.values():
        left, right = bundle[0][:2]
        slots = tuple(entry[2] for entry in bundle)
        evidence = bundle[0][4] if all(entry[3] for entry in bundle) else TRIAL
        alone = sum(key[0] == id(left) for key in bundles) == sum(key[1] == id(right) for key in bundles) == 1
        if not alone:
            left = replace(left, slots=tuple(pair.mxnet for pair in slots))
            right = replace(right, slots=tuple(pair.torch for pair in slots))
        pairs.append(Pair(left, right, slots, evidence))
    return assembled(mapping.mxnet, mapping.torch, pairs)


def turn_taking(mapping: Mapping) -> Iterator[Mapping]:
    """Mappings in which the parts of packed arrays of one side take turns, head by head."""
    for side in ("mxnet", "torch"):
        cut = {slot for unit in getattr(mapping, side) for slot in unit.slots if slot.part}
        rows = {slot.shape[0] for slot in cut}
        for heads in range(2, min(rows | {HEADS}) + 1 if rows else 0):
            if not any(size % heads for size in rows):
                yield _with_slots(mapping, side, {slot: interleaved(slot, heads) for slot in cut})


def _with_slots(mapping: Mapping, side: str, new: dict[Slot, Slot]) -> Mapping:
    def changed(unit: Unit) -> Unit:
        return replace(unit, slots=tuple(new.get(slot, slot) for slot in unit.slots))

    pairs = []
    for pair in mapping.pairs:
        slots = tuple(replace(s, **{side: new.get(getattr(s, side), getattr(s, side))}) for s in pair.slots)
        pairs.append(replace(pair, slots=slots, **{side: changed(getattr(pair, side))}))
    units = {"mxnet": mapping.mxnet, "torch": mapping.torch, side: tuple(map(changed, getattr(mapping, side)))}
    return assembled(units["mxnet"], units["torch"], pairs)


def words(unit: Unit, slot: Slot) -> set[str]:
    """The words by which an array is known: of its layer's path; of a user's own array also of its name."""
    path = unit.path.partition("/")[0]  # what a part is called there is no name of the user's
    name = f"{path}.{slot.role}" if unit.kind == "raw" else path
    return {word for word in parts(name)[0] if len(word) > 1} - MEANINGLESS


def crossed(mapping: Mapping) -> list[tuple[Member, Member]]:
    """(member, the one whose torch array bears its name), where a mapping goes across names that both sides have."""
    members = members_of(mapping)
    return [
        (members[number], members[other])
        for group in exchangeable(members)
        for number, other in _crossings(members, group)
    ]


def _crossings(members: Sequence[Member], group: Sequence[int]) -> list[tuple[int, int]]:
    """(number, number of the member whose torch slot has its name), where another of MXNet has its partner's name."""
    mine = {n: words(members[n].left, members[n].slots.mxnet) for n in group}
    theirs = {n: words(members[n].right, members[n].slots.torch) for n in group}
    found = []
    for number in group:
        ours, others = mine[number] - theirs[number], theirs[number] - mine[number]
        namesakes = [n for n in group if n != number and ours & theirs[n] and not ours & mine[n] and theirs[n] - others]
        if namesakes and any(others & mine[n] for n in group if n != number):
            found.append((number, max(namesakes, key=lambda n: len(theirs[n] & mine[number]))))
    return found


def by_names(mapping: Mapping) -> Mapping | None:
    """The mapping along the names that it crosses; None where they do not make one."""
    members = members_of(mapping)
    partner = list(range(len(members)))
    for group in exchangeable(members):
        for number, other in _crossings(members, group):
            partner[number] = other
    changed = partner != list(range(len(members)))
    if not changed or len(set(partner)) < len(partner):
        return None
    return rebuilt(mapping, members, partner, [member.slots.transposed for member in members])


def crossing_faults(mapping: Mapping) -> list[str]:
    """A sentence for each array that stands for one under the name of another."""
    return [
        f"{member.slots.mxnet.name} of MXNet is used as {member.slots.torch.name} is in torch, though torch has "
        f"{other.slots.torch.name}: weights that are moved by name would be exchanged"
        for member, other in crossed(mapping)
    ]

"""Which of many equal arrays is which, by what each does to the outputs.

All arrays that could be taken for each other are given the same numbers on both sides. Then any way to pair them gives
one function, and outputs that differ have another reason. Layers that correspond are given the same inputs then, too:
that tells most of them apart, whatever the order in which they run. Now MXNet's arrays get numbers of their own: the
partner of each is the array of torch that moves the outputs alike. Where the pairs at hand are right, one run shows
that for all of them, or for a whole group; else its halves are tried, and for a single one a partner is looked for
among those that are still equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from crossfw.matching.exchange import (
    Member,
    exchangeable,
    members_of,
    rebuilt,
    turn_taking,
    words,
)
from crossfw.matching.mapping import Mapping
from crossfw.matching.units import Unit
from crossfw.verification.draw import drawn

Agrees = Callable[[dict, dict], bool]  # MXNet's and torch's arrays that changed -> whether the outputs agree
Inputs = Callable[[], "dict[str, dict[str, list]]"]  # -> by framework and path: a digest of every call
STREAM = 29
SAME_INPUT = 1e-6  # of two digests, relative


@dataclass(frozen=True)
class Identified:
    """What came of it.

    Attributes:
        mapping: under which outputs agree, or else layers are given the same; None where nothing can be told apart.
        sure: whether outputs agree.
        elsewhere: whether they differ even where all that could be taken for each other is equal.
    """

    mapping: Mapping | None = None
    sure: bool = False
    elsewhere: bool = False


def identified(
    mapping: Mapping, trial: Callable[[Mapping], tuple[dict, dict]], agrees: Agrees, inputs: Inputs
) -> Identified:
    """The mapping under which outputs agree whatever the numbers are.

    Args:
        trial: gives MXNet's and torch's arrays under a mapping.
        inputs: gives digests of what the layers of both sides are given now.
    """
    likely = None
    for tried in chain((mapping,), turn_taking(mapping)):
        bench = Bench(tried, *trial(tried), agrees)
        if not bench.groups:
            return Identified()
        agreed = bench.agrees_with_equal_numbers()
        if agreed or likely is None:
            bench.follow(inputs())
            likely = bench.mapping()
        if agreed:
            return Identified(bench.mapping(), True) if bench.all_settled() else Identified(likely)
    return Identified(likely, elsewhere=likely is not None)


class Bench:
    """Pairs that are tried, with the numbers that MXNet's arrays have.

    Args:
        tried: the pairs at hand.
        mxnet, torch: arrays by name, in which whatever has no equal is right already.
    """

    def __init__(self, tried: Mapping, mxnet: dict, torch: dict, agrees: Agrees):
        self.tried, self.agrees = tried, agrees
        self.arrays = {"mxnet": copied(mxnet), "torch": copied(torch)}
        self.members: list[Member] = members_of(tried)
        self.partner = list(range(len(self.members)))
        self.turned = [member.slots.transposed for member in self.members]
        self.values: dict[int, np.ndarray] = {}
        self.changed: dict[str, set[str]] = {side: set(arrays) for side, arrays in self.arrays.items()}
        self.rng = np.random.default_rng([0, STREAM])
        self.groups = [g for g in exchangeable(self.members) if len(g) > 1 or self.members[g[0]].turnable]

    def agrees_with_equal_numbers(self) -> bool:
        """Whether outputs agree where all arrays of a group are equal; a matrix that may be transposed is symmetric."""
        for group in self.groups:
            value = self.new(group[0])
            if any(self.members[number].turnable for number in group):
                value = (value + value.T) / 2
            self.give(dict.fromkeys(group, value))
        return self.alike()

    def new(self, number: int) -> np.ndarray:
        """New numbers for a member."""
        return drawn(self.rng, self.members[number].left, self.members[number].slots.mxnet)

    def give(self, values: dict[int, np.ndarray]) -> None:
        """Give members numbers, on both sides as they are paired now."""
        self.values.update(values)
        for number, value in values.items():
            mxnet, torch = self.members[number].slots.mxnet, self.members[self.partner[number]].slots.torch
            there = value.T if self.turned[number] else value
            for side, slot, numbers in (("mxnet", mxnet, value), ("torch", torch, there)):
                slot.write(self.arrays[side][slot.name], np.ascontiguousarray(numbers))
                self.changed[side].add(slot.name)

    def alike(self) -> bool:
        """Whether the outputs agree now."""
        mxnet, torch = ({n: self.arrays[side][n] for n in self.changed[side]} for side in ("mxnet", "torch"))
        self.changed = {"mxnet": set(), "torch": set()}
        return self.agrees(mxnet, torch)

    def follow(self, inputs: dict[str, dict[str, list]]) -> None:
        """Pair members whose layers are given the same, while all of a group hold equal numbers.

        The arrays of a layer stay together: the largest are paired first, those that have no equal before all.
        """
        free = set(chain(*self.groups))
        layers = {m.left.path: m.right.path for number, m in enumerate(self.members) if number not in free}

        def right(number: int) -> Unit:
            return self.members[self.partner[number]].right

        for group in sorted(self.groups, key=lambda group: -self.members[group[0]].slots.mxnet.count):
            for place, number in enumerate(group):
                left = self.members[number].left
                given = inputs["mxnet"].get(left.layer)
                fit = [o for o in group[place:] if same_inputs(given, inputs["torch"].get(right(o).layer))]
                if fit:
                    known = layers.get(left.path)
                    other = next((other for other in fit if right(other).path == known), fit[0])
                    self.partner[number], self.partner[other] = self.partner[other], self.partner[number]
                layers.setdefault(left.path, right(number).path)

    def all_settled(self) -> bool:
        """Whether all members have found their partners."""
        equal = dict(self.values)
        self.give({number: self.new(number) for group in self.groups for number in group})
        if self.alike():
            return True
        self.give(equal)
        return all(self.settled(group, group) for group in self.groups)

    def settled(self, group: list[int], open_: list[int]) -> bool:
        """Whether the members `open_` of a group have found their partners; they keep numbers of their own."""
        equal = {number: self.values[number] for number in open_}
        self.give({number: self.new(number) for number in open_})
        if self.alike():
            return True
        if len(open_) == 1:
            return self.found(group, open_[0])
        self.give(equal)
        half = len(open_) // 2
        return self.settled(group, open_[:half]) and self.settled(group, open_[half:])

    def found(self, group: list[int], number: int) -> bool:
        """Whether a member agrees with a partner of those that follow it: the likest names first.

        What stands in the blocks of the two moves with them, as far as the outputs still agree.
        """
        own = words(self.members[number].left, self.members[number].slots.mxnet)

        def likeness(other: int) -> int:
            member = self.members[self.partner[other]]
            return -len(own & words(member.right, member.slots.torch))

        later = group[group.index(number) + 1 :]
        for other in (number, *sorted(later, key=likeness)):
            for turned in (self.turned[number], not self.turned[number]):
                if (other == number and turned == self.turned[number]) or not self.may_turn(number, turned):
                    continue
                blocks = self.blocks(number, other)
                if self.exchanged([(number, other)], {number: turned}):
                    any(self.exchanged(pairs, {}) for pairs in blocks)
                    return True
        return False

    def exchanged(self, pairs: list[tuple[int, int]], turned: dict[int, bool]) -> bool:
        """Exchange the partners of pairs of members; back again, and False, where the outputs do not agree then."""
        before, moved = (list(self.partner), list(self.turned)), set(chain(*pairs))
        for number, value in turned.items():
            self.turned[number] = value
        for a, b in pairs:
            self.partner[a], self.partner[b] = self.partner[b], self.partner[a]
        self.give({number: self.values[number] for number in moved})
        if self.alike():
            return True
        self.partner, self.turned = before
        self.give({number: self.values[number] for number in moved})
        return False

    def blocks(self, number: int, other: int) -> Iterator[list[tuple[int, int]]]:
        """The other members of the blocks around two members, the one of a block with its counterpart in the other.

        The largest blocks first, in torch's tree and in MXNet's; at last their own layers: a norm moves whole.
        """
        if number == other:
            return iter(())
        trees = ([(self.members[one].right.path, self.members[one].slots.torch.role) for one in self.partner],
                 [(member.left.path, member.slots.mxnet.role) for member in self.members])  # fmt: skip
        group_of = {member: index for index, group in enumerate(self.groups) for member in group}
        found: list[list[tuple[int, int]]] = []
        for tree in trees:
            for first, second in counterparts(tree[number][0], tree[other][0]):
                theirs = {(below(path, second), role): n for n, (path, role) in enumerate(tree)}
                own = ((n, theirs.get((below(path, first), role))) for n, (path, role) in enumerate(tree))
                inside = ((a, b) for a, b in own if below(tree[a][0], first) is not None and b not in (None, other))
                found.append([(a, b) for a, b in inside if a in group_of and group_of[a] == group_of.get(b)])
        return iter(sorted(filter(None, found), key=len, reverse=True))

    def may_turn(self, number: int, turned: bool) -> bool:
        """Whether a member may stand that way."""
        return turned == self.turned[number] or self.members[number].turnable

    def mapping(self) -> Mapping:
        """The mapping of the pairs as they are now."""
        return rebuilt(self.tried, self.members, self.partner, self.turned)


def same_inputs(left: list | None, right: list | None) -> bool:
    """Whether two layers are given the same in all of their calls."""
    if not left or not right or len(left) != len(right):
        return False
    return all(len(a) == len(b) and np.allclose(a, b, SAME_INPUT, SAME_INPUT * max(a)) for a, b in zip(left, right))


def copied(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays that can be written to."""
    return {name: np.array(array) for name, array in arrays.items()}


def counterparts(path: str, other: str) -> Iterator[tuple[str, str]]:
    """Pairs of blocks around two layers, from the largest, in which these stand alike; neither within the other."""
    first, second = path.split("."), other.split(".")
    alike = 0
    while alike < min(len(first), len(second)) and first[-1 - alike] == second[-1 - alike]:
        alike += 1
    for cut in range(alike, -1, -1):
        a, b = ".".join(first[: len(first) - cut]), ".".join(second[: len(second) - cut])
        if a and b and a != b and below(a, b) is None and below(b, a) is None:
            yield a, b


def below(path: str, block: str) -> str | None:
    """The rest of a path in a block; None outside it."""
    if path == block:
        return ""
    return path[len(block) + 1 :] if path.startswith(block + ".") else None

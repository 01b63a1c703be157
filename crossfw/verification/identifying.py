"""Which of many equal arrays is which, by what each does to the outputs.

All arrays that could be taken for each other are given the same numbers on both sides. Then any way to pair them gives
one function, and outputs that differ have another reason. Now MXNet's arrays get numbers of their own, one after the
other: the partner of each is the array of torch that moves the outputs alike. Where the pairs at hand are right, one
run shows that for a whole group; else its halves are tried, and for a single one a partner is looked for among those
that are still equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

import numpy as np

from crossfw.verification.draw import drawn
from crossfw.weights.unit_exchange import Member, exchangeable, members_of, rebuilt, turn_taking, words
from crossfw.weights.unit_mapping import Mapping

Agrees = Callable[[dict, dict], bool]  # MXNet's and torch's arrays that changed -> whether the outputs agree
STREAM = 29


def identified(mapping: Mapping, trial: Callable[[Mapping], tuple[dict, dict]], agrees: Agrees) -> Mapping | None:
    """The mapping under which outputs agree whatever the numbers are; None if none does, or `agrees` gave up.

    Args:
        trial: gives MXNet's and torch's arrays under a mapping; they are changed.
    """
    for tried in chain((mapping,), turn_taking(mapping)):
        bench = Bench(tried, *trial(tried), agrees)
        if not bench.groups:
            return None
        if bench.agrees_with_equal_numbers():
            return bench.mapping() if all(bench.settled(group, group) for group in bench.groups) else None
    return None


class Bench:
    """Pairs that are tried, with the numbers that MXNet's arrays have.

    Args:
        tried: the pairs at hand.
        mxnet, torch: arrays by name, in which whatever has no equal is right already.
    """

    def __init__(self, tried: Mapping, mxnet: dict, torch: dict, agrees: Agrees):
        self.tried, self.arrays, self.agrees = tried, {"mxnet": mxnet, "torch": torch}, agrees
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

    def settled(self, group: list[int], open_: list[int]) -> bool:
        """Whether the members `open_` of a group have found their partners; they keep numbers of their own."""
        equal = {number: self.values[number] for number in open_}
        self.give({number: self.new(number) for number in open_})
        if self.alike():
            return True
        if len(open_) == 1:
            return any(self.alike() for _ in self.exchanges(group, open_[0]))
        self.give(equal)
        half = len(open_) // 2
        return self.settled(group, open_[:half]) and self.settled(group, open_[half:])

    def exchanges(self, group: list[int], number: int) -> Iterator[None]:
        """Give a member one partner after the other, of those that follow it: the likest names first."""
        own = words(self.members[number].left, self.members[number].slots.mxnet)

        def likeness(other: int) -> int:
            member = self.members[self.partner[other]]
            return -len(own & words(member.right, member.slots.torch))

        later = group[group.index(number) + 1 :]
        for other in (number, *sorted(later, key=likeness)):
            for turned in (self.turned[number], not self.turned[number]):
                if (other == number and turned == self.turned[number]) or not self.may_turn(number, turned):
                    continue
                alone = [(number, other)]
                layers = alone + self.companions(number, other)
                for pairs in (layers, alone) if len(layers) > 1 else (alone,):
                    before, moved = (list(self.partner), list(self.turned)), set(chain(*pairs))
                    self.turned[number] = turned
                    for a, b in pairs:
                        self.partner[a], self.partner[b] = self.partner[b], self.partner[a]
                    self.give({one: self.values[one] for one in moved})
                    yield
                    self.partner, self.turned = before
                    self.give({one: self.values[one] for one in moved})

    def companions(self, number: int, other: int) -> list[tuple[int, int]]:
        """Members of the layers of two members that would be exchanged with them, role by role: a norm moves whole."""
        if number == other:
            return []
        mine, theirs = (self.members[one].left for one in (number, other))
        roles = {m.slots.mxnet.role: n for n, m in enumerate(self.members) if m.left is theirs and n != other}
        others = ((n, m) for n, m in enumerate(self.members) if m.left is mine and n != number)
        pairs = [(n, roles.get(m.slots.mxnet.role)) for n, m in others]
        return [(a, b) for a, b in pairs if any(a in group and b in group for group in self.groups)]

    def may_turn(self, number: int, turned: bool) -> bool:
        """Whether a member may stand that way."""
        return turned == self.turned[number] or self.members[number].turnable

    def mapping(self) -> Mapping:
        """The mapping of the pairs as they are now."""
        return rebuilt(self.tried, self.members, self.partner, self.turned)

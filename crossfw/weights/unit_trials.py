"""Mappings to try where the evidence may be wrong, the most likely first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import combinations, islice, permutations, product
from math import factorial, prod

from crossfw.weights.unit_mapping import Mapping, Pair
from crossfw.weights.unit_plan import Plan

LIMIT = 200
SMALL = 4


def mapping(plan: Plan) -> Mapping:
    """The plan's mapping, with its alternatives."""
    return replace(plan.mapping(), trials=partial(trials, plan))


def trials(plan: Plan) -> Iterator[Mapping]:
    """At most 200 mappings that differ from the plan's and from each other, and use each slot once."""
    return islice(_distinct(plan), LIMIT)


def _distinct(plan: Plan) -> Iterator[Mapping]:
    seen = {_identity(plan, plan.pairs())}
    for changed in _changed(plan):
        pairs = changed.pairs()
        identity = _identity(changed, pairs)
        if identity not in seen and not _twice(pairs):
            seen.add(identity)
            yield changed.mapping()


def _identity(plan: Plan, pairs: list[Pair]) -> tuple:
    return frozenset((id(pair.mxnet), id(pair.torch)) for pair in pairs), plan.flips


def _twice(pairs: list[Pair]) -> bool:
    """Whether a unit's slot stands in two pairs."""
    for side in ("mxnet", "torch"):
        used = [(unit.path, slot.role) for unit in (getattr(pair, side) for pair in pairs) for slot in unit.slots]
        if len(set(used)) < len(used):
            return True
    return False


def _changed(plan: Plan) -> Iterator[Plan]:
    """By the other evidence, all groups at once; square matrices transposed; single groups; orders within a group."""
    others = {index: group.other for index, group in enumerate(plan.groups) if group.other}
    bases = [plan, replace(plan, changes=others)] if others else [plan]
    yield from bases[1:]
    for base in reversed(bases):
        squares = [where for where, *_ in base.squares(base.pairs())]
        if squares:
            yield replace(base, flips=frozenset(squares))
    for index, torch in others.items():
        yield replace(plan, changes={index: torch})
    yield from _flipped(plan)
    yield from _reordered(plan)


def _flipped(plan: Plan) -> Iterator[Plan]:
    """Single square matrices transposed; any of them where they are few."""
    squares = [where for where, *_ in plan.squares(plan.pairs())]
    for size in range(1, 2 if len(squares) > SMALL else len(squares)):
        for chosen in combinations(squares, size):
            yield replace(plan, flips=frozenset(chosen))


def _reordered(plan: Plan) -> Iterator[Plan]:
    """Orders of doubtful groups: all of the small ones (together, if few), exchanged neighbours of the large ones."""
    doubtful = {index: group.torch for index, group in enumerate(plan.groups) if group.doubt}
    small = {index: torch for index, torch in doubtful.items() if len(torch) <= SMALL}
    for index, torch in small.items():
        for order in permutations(torch):
            yield replace(plan, changes={index: order})
    if len(small) > 1 and prod(factorial(len(torch)) for torch in small.values()) <= LIMIT:
        for orders in product(*(permutations(torch) for torch in small.values())):
            yield replace(plan, changes=dict(zip(small, orders)))
    for index, torch in doubtful.items():
        for at in range(len(torch) - 1 if index not in small else 0):
            swapped = (*torch[:at], torch[at + 1], torch[at], *torch[at + 2 :])
            yield replace(plan, changes={index: swapped})

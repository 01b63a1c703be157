"""Which unit of one side stands for which of the other: groups of candidates, settled by order and by names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from crossfw.matching.names import (
    TIE,
    best_by_name,
    certain_similarity,
    partial_similarity,
    similarity,
    undecided,
)
from crossfw.matching.slots import NORMS, shape_key
from crossfw.matching.units import Unit

ONLY, ORDER, DEFINITION, NAME = "only candidate", "order of execution", "order of definition", "name"
FAMILIES = (NORMS, ("rnn", "gru", "lstm"), ("conv", "conv_transpose"), ("dense", "conv"))
RAW = 0.9  # what it counts in an alignment that a user's own arrays have a layer's shapes, beside 1 for equal layers
Key = Callable[[Unit], Hashable]
Measure = Callable[[Sequence[str], Sequence[str]], np.ndarray]


@dataclass(frozen=True)
class Group:
    """Candidates for each other.

    Attributes:
        mxnet, torch: units, or None where the other side's has no partner; k-th belongs to k-th.
        evidence: what settled them.
        doubt: why the evidence does not settle them; empty if it does.
    """

    mxnet: tuple[Unit | None, ...]
    torch: tuple[Unit | None, ...]
    evidence: str
    doubt: str = ""

    def pairs(self) -> list[tuple[Unit, Unit]]:
        """Those that have a partner."""
        return [(left, right) for left, right in zip(self.mxnet, self.torch) if left and right]


def label(unit: Unit) -> str:
    """The name that speaks for a unit: its path, and for a single array its role as well."""
    return f"{unit.path}.{unit.slots[0].role}" if len(unit.slots) == 1 else unit.path


def sequence(units: Sequence[Unit]) -> list[Unit]:
    """Units in order of execution; one that was never run follows the one before it in the tree."""
    places, last = [], -1
    for unit in units:
        last = last if unit.order is None else unit.order
        places.append(last)
    return [units[index] for index in sorted(range(len(units)), key=lambda index: places[index])]


def _score(left: Sequence[Unit], right: Sequence[Unit], measure: Measure = similarity) -> np.ndarray:
    return measure([label(unit) for unit in left], [label(unit) for unit in right])


def _total(score: np.ndarray, chosen: np.ndarray) -> float:
    rows = np.flatnonzero(chosen >= 0)
    return float(score[rows, chosen[rows]].sum())


def _in_order(units: Sequence[Unit]) -> bool:
    """Whether the order of execution tells all of them apart."""
    orders = [unit.order for unit in units]
    return None not in orders and len(set(orders)) == len(orders)


def settle(left: Sequence[Unit], right: Sequence[Unit]) -> list[Group]:
    """Groups from equally many candidates, each list in its sequence."""
    if len(left) == 1:
        return [Group(tuple(left), tuple(right), ONLY)]
    run = [[unit for unit in side if unit.order is not None] for side in (left, right)]
    if 0 < len(run[0]) == len(run[1]) < len(left):
        rest = [[unit for unit in side if unit.order is None] for side in (left, right)]
        return settle(*run) + settle(*rest)
    score = _score(left, right)
    named = best_by_name(score)
    plain = np.arange(len(left))
    by_name = tuple(right[column] for column in named)
    gain = _total(score, named) - _total(score, plain)
    if _in_order(left) and _in_order(right):
        if gain < TIE:
            return [Group(tuple(left), tuple(right), ORDER)]
        return [Group(tuple(left), tuple(right), ORDER, "order of execution and names disagree")]
    return [_settled_by_name(left, right, score, named, by_name)]


def _settled_by_name(
    left: Sequence[Unit], right: Sequence[Unit], score: np.ndarray, named: np.ndarray, by_name: tuple[Unit, ...]
) -> Group:
    """Names decide where an order of execution is not known; what they leave open goes by the order of definition."""
    if not undecided(score, named).any():
        return Group(tuple(left), by_name, NAME)
    if np.ptp(score) < TIE:
        return Group(tuple(left), tuple(right), DEFINITION, "neither order of execution nor names tell them apart")
    return Group(tuple(left), by_name, NAME, "names do not tell all of them apart")


def common(score: np.ndarray) -> list[tuple[int, int]]:
    """The pairs (row, column), both rising, whose scores have the largest sum; scores of 0 are no pairs."""
    rows, columns = score.shape
    best = np.zeros((rows + 1, columns + 1))
    for row in range(rows):
        taken = np.where(score[row] > 0, best[row, :-1] + score[row], 0.0)
        best[row + 1, 1:] = np.maximum.accumulate(np.maximum(best[row, 1:], taken))
    found, row, column = [], rows, columns
    while row and column:
        if best[row, column] == best[row - 1, column]:
            row -= 1
        elif best[row, column] == best[row, column - 1]:
            column -= 1
        else:
            row, column = row - 1, column - 1
            found.append((row, column))
    return found[::-1]


def aligned(left: Sequence[Unit], right: Sequence[Unit], affinity: np.ndarray) -> list[tuple[int, int]]:
    """`common` pairs of two sequences; among equally good ones those whose names are most alike."""
    names = _score(left, right, partial_similarity) / (16 * (min(len(left), len(right)) + 1))
    return common(np.where(affinity > 0, affinity + names, 0.0))


def grouped(mxnet: Sequence[Unit], torch: Sequence[Unit], key: Key, unequal: bool = True) -> list[Group]:
    """Groups of units with equal keys, in sequence.

    With `unequal` counts the two sequences of all units are aligned, so that a layer that only one side has is the one
    without partner; otherwise such units are left out.
    """
    sides = sequence(mxnet), sequence(torch)
    members: dict[Hashable, tuple[list[Unit], list[Unit]]] = defaultdict(lambda: ([], []))
    for index, side in enumerate(sides):
        for unit in side:
            members[key(unit)][index].append(unit)
    groups, odd = [], {}
    for value, (left, right) in members.items():
        if len(left) == len(right):
            groups += settle(left, right)
        elif left and right:
            odd[value] = (left, right)
    if odd and unequal:
        groups += _unequal(sides, key, odd)
    return groups


def _equal(sides: tuple[list[Unit], list[Unit]], key: Key) -> np.ndarray:
    """1.0 where the keys of two units are equal, else 0.0: (len(left), len(right))."""
    codes: dict[Hashable, int] = {}
    left, right = (np.array([codes.setdefault(key(unit), len(codes)) for unit in side]) for side in sides)
    return (left[:, None] == right[None, :]).astype(float)


def _either_raw(sides: tuple[list[Unit], list[Unit]]) -> np.ndarray:
    left, right = (np.array([unit.kind == "raw" for unit in side]) for side in sides)
    return left[:, None] | right[None, :]


def _shapes(unit: Unit) -> Hashable:
    return tuple(sorted(shape_key(slot) for slot in unit.slots))


def kinship(left: Sequence[Unit], right: Sequence[Unit]) -> np.ndarray:
    """How nearly units are equal: (len(left), len(right)); see `_kin`."""
    sides = [[unit.signature() for unit in side] for side in (left, right)]
    first, second = (dict(zip(*each)) for each in zip(sides, (left, right)))
    rows, columns = ({sign: index for index, sign in enumerate(found)} for found in (first, second))
    table = np.array([[_kin(unit, other) for other in second.values()] for unit in first.values()])
    return table[np.ix_([rows[sign] for sign in sides[0]], [columns[sign] for sign in sides[1]])]


def _kin(unit: Unit, other: Unit) -> float:
    """2 to 3 for equal kinds, by the slots they share; 1 for related kinds; else 0."""
    if "raw" in (unit.kind, other.kind):
        return 0.0
    if unit.kind == other.kind:
        first, second = ({(slot.role, slot.shape) for slot in each.slots} for each in (unit, other))
        return 2.0 + len(first & second) / len(first | second)
    return float(any(unit.kind in family and other.kind in family for family in FAMILIES))


def _unequal(sides: tuple[list[Unit], list[Unit]], key: Key, odd: dict) -> list[Group]:
    affinity = np.maximum(_equal(sides, key), RAW * _equal(sides, _shapes) * _either_raw(sides))
    affinity = np.maximum(affinity, kinship(*sides) / (12 * (min(map(len, sides)) + 1)))
    found = aligned(*sides, affinity)
    partner = {id(sides[0][row]): sides[1][column] for row, column in found}
    groups = []
    for first, second in odd.values():
        score = _score(first, second, partial_similarity)
        ordered = _in_order(first) and _in_order(second)
        if ordered or np.ptp(score) < TIE:
            place = {id(unit): index for index, unit in enumerate(second)}
            chosen = np.array([place.get(id(partner.get(id(unit))), -1) for unit in first])
            evidence = ORDER if ordered else DEFINITION
        else:
            chosen, evidence = best_by_name(score), NAME
        runs = (_runs(sides[0], first), _runs(sides[1], second)) if ordered else ([0] * len(first), [0] * len(second))
        doubtful = _doubtful(_score(first, second, certain_similarity), chosen, *map(np.array, runs))
        groups.append(_padded(first, second, chosen, evidence, doubtful))
    return groups


def _runs(side: list[Unit], members: list[Unit]) -> list[int]:
    """For each member the number of the others before it: members with equal numbers follow each other directly."""
    own = {id(unit) for unit in members}
    others, found = 0, []
    for unit in side:
        if id(unit) in own:
            found.append(others)
        else:
            others += 1
    return found


def _doubtful(score: np.ndarray, chosen: np.ndarray, left_runs: np.ndarray, right_runs: np.ndarray) -> bool:
    """Whether one without partner fits as well, by name, as one of the same run that has a partner."""
    rows = np.flatnonzero(chosen >= 0)
    columns = chosen[rows]
    own = score[rows, columns] - TIE
    for row in np.flatnonzero(chosen < 0):
        if ((score[row, columns] >= own) & (left_runs[rows] == left_runs[row])).any():
            return True
    for column in np.setdiff1d(np.arange(score.shape[1]), columns):
        if ((score[rows, column] >= own) & (right_runs[columns] == right_runs[column])).any():
            return True
    return False


def _padded(first: list[Unit], second: list[Unit], chosen: np.ndarray, evidence: str, doubtful: bool) -> Group:
    """A group whose spare units stand opposite None."""
    spare = [column for column in range(len(second)) if column not in set(chosen.tolist())]
    left = (*first, *[None] * len(spare))
    right = (*(second[column] if column >= 0 else None for column in chosen), *(second[column] for column in spare))
    doubt = "names do not tell which of them has no partner" if doubtful else ""
    return Group(left, right, evidence, doubt)

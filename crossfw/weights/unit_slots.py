"""Which slot of one unit stands for which of its partner, and whether it stands there transposed."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from crossfw.weights.unit_names import parts
from crossfw.weights.units import Slot, Unit

NORMS = ("batch_norm", "layer_norm", "instance_norm", "group_norm")
ROLE_WORDS = {
    "weight": "weight",
    "bias": "bias",
    "gamma": "gamma",
    "scale": "gamma",
    "beta": "beta",
    "shift": "beta",
    "mean": "mean",
    "var": "var",
    "alpha": "alpha",
}


@dataclass(frozen=True)
class SlotPair:
    """Two slots that hold the same numbers; `transposed`: the torch slot has the axes of MXNet's exchanged."""

    mxnet: Slot
    torch: Slot
    transposed: bool = False


def shape_key(slot: Slot) -> tuple[int, ...]:
    """The shape, the same for a matrix and its transpose."""
    return tuple(sorted(slot.shape)) if len(slot.shape) == 2 else tuple(slot.shape)


def role_class(slot: Slot) -> str:
    """What a role means in any kind of unit (`W_hq`, `kernel`: weight); `` if its words do not say."""
    found = [ROLE_WORDS[word] for word in parts(slot.role)[0] if word in ROLE_WORDS]
    return found[-1] if found else ""


def paired_slots(left: Unit, right: Unit) -> list[SlotPair]:
    """Slots of equal role and shape; where one unit is raw, also by what the role means and by shape alone."""
    pairs = _by(left.slots, right.slots, lambda slot: (slot.role, slot.shape))
    if "raw" not in (left.kind, right.kind):
        return pairs
    for key in (lambda slot: (role_class(slot), shape_key(slot)), shape_key):
        used = {pair.mxnet for pair in pairs}, {pair.torch for pair in pairs}
        first = [slot for slot in left.slots if slot not in used[0]]
        second = [slot for slot in right.slots if slot not in used[1]]
        pairs += _by(first, second, key)
    return [replace(pair, transposed=pair.mxnet.shape != pair.torch.shape) for pair in pairs]


def _by(left: Iterable[Slot], right: Iterable[Slot], key: Callable[[Slot], Hashable]) -> list[SlotPair]:
    """The first of `left` with the first of `right` that has an equal key, and so on."""
    free: dict[Hashable, deque[Slot]] = defaultdict(deque)
    for slot in right:
        free[key(slot)].append(slot)
    return [SlotPair(slot, free[key(slot)].popleft()) for slot in left if free[key(slot)]]


def may_be_transposed(left: Unit, right: Unit, pair: SlotPair) -> bool:
    """Whether shapes leave open if a matrix stands transposed: a square one of which a side's class owns the array."""
    square = len(pair.mxnet.shape) == 2 and len(set(pair.mxnet.shape)) == 1
    return square and "raw" in (left.kind, right.kind) and "embedding" not in (left.kind, right.kind)


def votes(pairs: Sequence[tuple[Unit, Unit, SlotPair]]) -> Counter:
    """How many matrices of raw units stand transposed: (path of the raw unit or None for all, transposed) -> count."""
    counts: Counter = Counter()
    for left, right, pair in pairs:
        kinds = (left.kind, right.kind)
        shape = pair.mxnet.shape
        if len(shape) != 2 or shape[0] == shape[1] or "raw" not in kinds or "embedding" in kinds:
            continue
        for path in {None, *(unit.path for unit in (left, right) if unit.kind == "raw")}:
            counts[path, pair.transposed] += 1
    return counts


def guessed_transposition(left: Unit, right: Unit, pair: SlotPair, counts: Counter) -> tuple[bool, bool]:
    """(whether a square matrix stands transposed, whether other matrices settle that).

    Other matrices of the same class say so, else those of the whole model. Without any, an array that its class calls
    `weight` is taken to be laid out as in a library, and one beside a library's layer under another name as (in, out).
    """
    for path in [*(unit.path for unit in (left, right) if unit.kind == "raw"), None]:
        for_it, against = counts[path, True], counts[path, False]
        if for_it != against:
            return for_it > against, not (for_it and against)
    if left.kind == right.kind:
        return False, False
    raw = pair.mxnet if left.kind == "raw" else pair.torch
    return not raw.role.lower().endswith("weight"), False


def without(unit: Unit, used: set[tuple[str, int]]) -> Unit | None:
    """The unit with those slots only that do not stand at the places `used`; None if none is left."""
    rest = tuple(slot for slot in unit.slots if (slot.name, slot.offset) not in used)
    return replace(unit, slots=rest) if rest else None


def single(unit: Unit) -> list[Unit]:
    """One unit for each slot."""
    return [replace(unit, slots=(slot,)) for slot in unit.slots]


def count(slot: Slot) -> int:
    """How many numbers the slot has in the model's own array."""
    return int(np.prod(slot.shape, dtype=np.int64)) * slot.repeat

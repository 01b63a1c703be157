"""Which slot of one unit stands for which of its partner, and whether it stands there transposed."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from crossfw.matching.names import parts
from crossfw.matching.units import Slot, Unit

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
    """Two slots that hold the same numbers; `transposed`: the torch slot has the axes of MXNet's exchanged.

    Apart from that the shapes may differ in axes of 1, or as those of a convolution and of a linear layer.
    """

    mxnet: Slot
    torch: Slot
    transposed: bool = False

    def as_torch(self, value: np.ndarray) -> np.ndarray:
        """Numbers of MXNet's slot in the shape of torch's."""
        return _turned(value, self.torch.shape, self.transposed)

    def as_mxnet(self, value: np.ndarray) -> np.ndarray:
        """Numbers of torch's slot in the shape of MXNet's."""
        return _turned(value, self.mxnet.shape, self.transposed)


def _turned(value: np.ndarray, shape: tuple[int, ...], transposed: bool) -> np.ndarray:
    if transposed:
        value = (value if value.ndim == 2 else value.squeeze()).T
    return value.reshape(shape)


def plain(shape: Sequence[int]) -> tuple[int, ...]:
    """A shape without its axes of 1."""
    return tuple(size for size in shape if size != 1)


def shape_key(slot: Slot) -> tuple[int, ...]:
    """What shapes of equal numbers share: axes of 1 and the direction of a matrix do not matter."""
    shape = plain(slot.shape)
    return tuple(sorted(shape)) if len(shape) == 2 else shape


def flat_key(slot: Slot) -> tuple[int, ...]:
    """What the weights of a linear layer and of a convolution over all of its input share."""
    return (slot.shape[0], int(np.prod(slot.shape[1:], dtype=np.int64))) if slot.shape else ()


def fitting(left: Slot, right: Slot) -> SlotPair | None:
    """The two slots as a pair, where their shapes allow that they hold the same numbers."""
    if left.shape == right.shape or plain(left.shape) == plain(right.shape):
        return SlotPair(left, right, left.shape != right.shape and left.shape == right.shape[::-1])
    if shape_key(left) == shape_key(right):
        return SlotPair(left, right, transposed=True)
    return SlotPair(left, right) if flat_key(left) == flat_key(right) else None


def role_class(slot: Slot) -> str:
    """What a role means in any kind of unit (`W_hq`, `kernel`: weight); `` if its words do not say."""
    found = [ROLE_WORDS[word] for word in parts(slot.role)[0] if word in ROLE_WORDS]
    return found[-1] if found else ""


def paired_slots(left: Unit, right: Unit) -> list[SlotPair]:
    """Slots of equal role whose shapes agree; where one unit is raw, also by what the role means and by shape alone."""
    pairs = _by(left.slots, right.slots, lambda slot: (slot.role, slot.shape))
    if "raw" in (left.kind, right.kind):
        keys: tuple = (lambda slot: (role_class(slot), shape_key(slot)), shape_key)
    elif left.kind == right.kind and left.kind not in NORMS:
        keys = ()
    else:
        keys = (lambda slot: (slot.role, plain(slot.shape)), lambda slot: (slot.role, flat_key(slot)))
    for key in keys:
        used = {pair.mxnet for pair in pairs}, {pair.torch for pair in pairs}
        first = [slot for slot in left.slots if slot not in used[0]]
        second = [slot for slot in right.slots if slot not in used[1]]
        pairs += _by(first, second, key)
    return pairs


def _by(left: Iterable[Slot], right: Iterable[Slot], key: Callable[[Slot], Hashable]) -> list[SlotPair]:
    """The first of `left` with the first of `right` that has an equal key, and so on."""
    free: dict[Hashable, deque[Slot]] = defaultdict(deque)
    for slot in right:
        free[key(slot)].append(slot)
    found = [(slot, free[key(slot)].popleft()) for slot in left if free[key(slot)]]
    return [pair for pair in (fitting(*both) for both in found) if pair]


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
    """The unit with those slots only that do not stand at the places `used`, itself if none does; None without any."""
    rest = tuple(slot for slot in unit.slots if (slot.name, slot.offset) not in used)
    if len(rest) == len(unit.slots):
        return unit
    return replace(unit, slots=rest) if rest else None


def single(unit: Unit) -> list[Unit]:
    """One unit for each slot."""
    return [replace(unit, slots=(slot,)) for slot in unit.slots]


def cut_in_parts(slot: Slot, parts: int) -> list[Slot]:
    """Equal parts of a slot along its first axis."""
    shape = (slot.shape[0] // parts, *slot.shape[1:])
    blocks = slot.blocks // parts if slot.blocks > 1 else 1
    step = blocks * slot.stride if slot.blocks > 1 else slot.count // parts
    return [
        replace(slot, shape=shape, offset=slot.offset + index * step, blocks=blocks, part=(index, parts))
        for index in range(parts)
    ]


def columns(slot: Slot, first: int, last: int) -> Slot:
    """The part of a matrix that stands in some of its columns."""
    rows, width = slot.shape
    return replace(slot, shape=(rows, last - first), offset=slot.offset + first, blocks=rows, stride=width)


def interleaved(slot: Slot, heads: int) -> Slot:
    """A part of a packed array as it stands where the parts take turns, head by head."""
    index, count = slot.part or (0, 1)
    rest = slot.count // slot.shape[0]
    rows = slot.shape[0] // heads
    offset = slot.offset - index * slot.count + index * rows * rest
    return replace(slot, offset=offset, blocks=heads, stride=count * rows * rest)

"""What is wrong with a mapping between two models' units, one sentence for each fault."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Dictionary

import numpy as np

from crossfw.matching.mapping import Mapping, Pair, full_name
from crossfw.matching.slots import NORMS, SlotPair
from crossfw.matching.units import Slot, Unit

LINEAR = {"dense", "conv"}  # the same function where their weights hold the same numbers
NUMERALS = {2: "two", 3: "three", 4: "four"}
Place = tuple  # (name, offset)


def place(slot: Slot) -> Place:
    """Where a slot stands; slots with equal places are tied."""
    return slot.name, slot.offset


def mapped(pairs: Iterable[Pair], side: str) -> set[Place]:
    """The places of one side's slots that have a partner."""
    return {place(getattr(slots, side)) for pair in pairs for slots in pair.slots}


def title(pair: Pair) -> str:
    """The pair as faults call it: `dense fc1`, or `dense fc1 (torch: layers.0)` where the paths differ."""
    name = f"{pair.mxnet.kind} {pair.mxnet.path}".rstrip()
    return name if pair.mxnet.path == pair.torch.path else f"{name} (torch: {pair.torch.path or 'the model itself'})"


def fixed(unit: Unit, slot: Slot) -> bool:
    """Whether a slot is a norm's gamma or beta that does not learn, so that it stays one or zero."""
    return unit.kind in NORMS and slot.role in ("gamma", "beta") and not slot.learns


def optional(unit: Unit, slot: Slot) -> bool:
    """Whether a slot needs no partner: the other side may have a number in its code, or compute the array there."""
    return fixed(unit, slot) or (unit.kind == "raw" and not slot.learns)


def pair_faults(pair: Pair, mapped_mxnet: set[Place], mapped_torch: set[Place], renamed: bool) -> list[str]:
    """Differences in kind, roles, shapes and learning between two partners."""
    found = []
    kinds = (pair.mxnet.kind, pair.torch.kind)
    used = {slots.mxnet for slots in pair.slots}, {slots.torch for slots in pair.slots}
    left = [slot for slot in pair.mxnet.slots if slot not in used[0]]
    right = [slot for slot in pair.torch.slots if slot not in used[1]]
    same = not left and not right and set(kinds) <= LINEAR
    if kinds[0] != kinds[1] and "raw" not in kinds and not renamed and not same:
        found.append(f"{title(pair)}: a {kinds[0]} in MXNet, a {kinds[1]} in torch")
    if len(left) == len(right) == len(pair.mxnet.slots) == len(pair.torch.slots) == 1:
        names = f"{left[0].name} of MXNet is {left[0].shape}, {right[0].name} of torch {right[0].shape}"
        return [*found, f"{title(pair)}: {names}"]
    partners = {slot.role: slot for slot in right}
    for slot in left:
        other = partners.pop(slot.role, None)
        if other is not None:
            found.append(f"{title(pair)}: MXNet's {slot.role} is {slot.shape}, torch's {other.shape}")
        elif not optional(pair.mxnet, slot) and place(slot) not in mapped_mxnet:
            found.append(f"{title(pair)}: MXNet has {_one(slot)}, torch has none")
    for slot in partners.values():
        if not optional(pair.torch, slot) and place(slot) not in mapped_torch:
            found.append(f"{title(pair)}: torch has {_one(slot)}, MXNet has none")
    return found + [fault for slots in pair.slots for fault in _learning(pair, slots)]


def _one(slot: Slot) -> str:
    return f"{'an' if slot.role[0] in 'aeiou' else 'a'} {slot.role} of shape {slot.shape}"


def _learning(pair: Pair, slots: SlotPair) -> list[str]:
    mine, other = slots.mxnet, slots.torch
    if mine.learns == other.learns:
        return []
    if mine.learns:
        return [f"{title(pair)}: MXNet's {mine.role} learns, torch's {other.name} does not"]
    state = "is fixed at 1" if mine.role == "gamma" and pair.mxnet.settings.get("fix_gamma") else "does not learn"
    return [f"{title(pair)}: MXNet's {mine.role} {state}, torch's {other.name} learns"]


def lonely(units: Iterable[Unit]) -> list[tuple[Unit, list[Slot]]]:
    """What of the units without partner is a fault: all but a norm's ones and zeros, and constants."""
    rest = [(unit, [slot for slot in unit.slots if not optional(unit, slot)]) for unit in units]
    return [(unit, slots) for unit, slots in rest if slots]


def lonely_faults(mxnet: Sequence[Unit], torch: Sequence[Unit]) -> list[str]:
    """A sentence for each unit without partner; one more with all shapes where a raw one is among them."""
    sides = (("MXNet", "torch", lonely(mxnet)), ("torch", "MXNet", lonely(torch)))
    found = [
        f"{unit.kind} {unit.path}".rstrip() + f" of {framework} has no partner in {other}: {_listed(unit, slots)}"
        for framework, other, side in sides
        for unit, slots in side
    ]
    rest = [side for *_, side in sides]
    if all(rest) and any(unit.kind == "raw" for side in rest for unit, _ in side):
        shapes = [", ".join(_listed(unit, slots) for unit, slots in side) for side in rest]
        found.append(
            f"what remains differs in shape: {shapes[0]} in MXNet; {shapes[1]} in torch. "
            "Where one side stacks what the other keeps apart, `rename` can map several names to one"
        )
    return found


def _listed(unit: Unit, slots: Iterable[Slot]) -> str:
    return ", ".join(f"{full_name(slot, unit)} {slot.shape}" for slot in slots)


def constant_faults(
    mapping: Mapping, mxnet_arrays: Dictionary[str, np.ndarray], torch_arrays: Dictionary[str, np.ndarray]
) -> list[str]:
    """Gammas and betas that have no partner because they do not learn, and yet are not ones and zeros.

    A gamma that counts as 1 whatever is stored is left out.
    """
    found = []
    for framework, units, arrays in (("MXNet", mapping.mxnet, mxnet_arrays), ("torch", mapping.torch, torch_arrays)):
        done = mapped(mapping.pairs, framework.lower())
        lonely_slots = [(unit, slot) for unit in units for slot in unit.slots if place(slot) not in done]
        for unit, slot in lonely_slots:
            value, word = (1, "ones") if slot.role == "gamma" else (0, "zeros")
            if fixed(unit, slot) and slot.counts_as is None and (slot.read(arrays[slot.name]) != value).any():
                name = full_name(slot, unit)
                found.append(f"{name} of {framework} has no partner, does not learn, and is not {word}")
    return found


def tie_faults(pairs: Sequence[Pair]) -> list[str]:
    """Arrays that one side has once and the other more than once."""
    found = []
    for mine, other, where, there in (("mxnet", "torch", "MXNet", "torch"), ("torch", "mxnet", "torch", "MXNet")):
        partners: dict[Place, dict[Place, str]] = defaultdict(dict)
        for pair in pairs:
            for slots in pair.slots:
                partner = getattr(slots, other)
                partners[place(getattr(slots, mine))][place(partner)] = full_name(partner, getattr(pair, other))
        for names in partners.values():
            if len(names) > 1:
                listed = " and ".join(names.values())
                found.append(f"{listed} are one array in {where} and {NUMERALS.get(len(names), len(names))} in {there}")
    return found


def coverage_faults(units: Iterable[Unit], framework: str, sizes: dict[str, int] | None = None) -> list[str]:
    """Arrays of a model that its slots do not cover wholly, each number once.

    Args:
        units: all units of the model.
        framework: as it is called in the sentences.
        sizes: array name -> number of its elements, of all arrays; without it only gaps between slots are found.
    """
    spans: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for unit in units:
        for slot in unit.slots:
            length = slot.count // slot.blocks
            starts = [slot.offset + block * slot.stride for block in range(slot.blocks)]
            spans[slot.name].update((start, start + length) for start in starts)
    found = []
    for name in sizes if sizes is not None else spans:
        if name not in spans:
            found.append(f"{name} of {framework} belongs to no unit")
            continue
        order = np.array(sorted(spans[name]))
        end = sizes[name] if sizes is not None else order[-1, 1]
        whole = order[0, 0] == 0 and order[-1, 1] == end and (order[1:, 0] == order[:-1, 1]).all()
        if not whole:
            found.append(f"{name} of {framework} is not covered by its units, each number once")
    return found

"""A mapping between the units of an MXNet model and those of a torch model, over which weights travel either way."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, replace

import numpy as np

from crossfw.checks import nearest
from crossfw.errors import CrossfwError
from crossfw.matching.slots import SlotPair
from crossfw.matching.units import Slot, Unit

TRIAL = "trial"


@dataclass(frozen=True)
class Pair:
    """Two units, or parts of them, that stand for each other, and what says so."""

    mxnet: Unit
    torch: Unit
    slots: tuple[SlotPair, ...]
    evidence: str


@dataclass(frozen=True)
class Ambiguity:
    """Candidates that the evidence did not settle: their names on both sides, as they are paired now; and why."""

    mxnet: tuple[str, ...]
    torch: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        return f"{', '.join(self.mxnet)} of MXNet against {', '.join(self.torch)} of torch: {self.reason}"


@dataclass(frozen=True)
class Mapping:
    """What `match` found.

    Attributes:
        pairs: units that stand for each other, with their slots; in MXNet's order of the tree.
        faults: one sentence for each parameter without partner, and for each difference in shape, kind, learning, ties.
        ambiguous: what is to be settled by trial.
        mxnet, torch: all units of both sides.
    """

    pairs: tuple[Pair, ...]
    faults: tuple[str, ...]
    ambiguous: tuple[Ambiguity, ...]
    mxnet: tuple[Unit, ...] = ()
    torch: tuple[Unit, ...] = ()

    def settled(self) -> Mapping:
        """This mapping after a trial has shown that it is right: nothing is ambiguous any more."""
        doubtful = {name for ambiguity in self.ambiguous for name in ambiguity.mxnet}
        pairs = [
            replace(pair, evidence=TRIAL) if doubtful & names(pair.mxnet, pair.slots) else pair for pair in self.pairs
        ]
        return replace(self, pairs=tuple(pairs), ambiguous=())

    def slot_pairs(self) -> list[SlotPair]:
        """All pairs of slots."""
        return [slots for pair in self.pairs for slots in pair.slots]

    def to_torch(
        self, mxnet_arrays: Dictionary[str, np.ndarray], torch_arrays: Dictionary[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Torch's arrays with MXNet's numbers: name -> array of the shape and dtype in `torch_arrays`.

        A gamma that MXNet fixes (setting `fix_gamma`) travels as ones. What has no partner keeps torch's numbers.

        Raises:
            CrossfwError: an array of a slot is missing or has another size.
        """
        moves = []
        for slots in self.slot_pairs():
            moves.append((slots.torch, slots.as_torch(_read(slots.mxnet, mxnet_arrays, "MXNet"))))
        return _written(moves, torch_arrays, "torch")

    def to_mxnet(
        self, torch_arrays: Dictionary[str, np.ndarray], mxnet_arrays: Dictionary[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """MXNet's arrays with torch's numbers; as `to_torch`, the other way."""
        moves = []
        for slots in self.slot_pairs():
            moves.append((slots.mxnet, slots.as_mxnet(_read(slots.torch, torch_arrays, "torch"))))
        return _written(moves, mxnet_arrays, "MXNet")

    def table(self) -> list[dict[str, str]]:
        """A row for each pair of slots: `mxnet`, `torch`, `shape` (both where they differ), `evidence`."""
        rows = []
        for pair in self.pairs:
            for slots in pair.slots:
                shape = str(slots.mxnet.shape)
                if slots.mxnet.shape != slots.torch.shape:
                    shape += f", {slots.torch.shape}" + " transposed" * slots.transposed
                rows.append(
                    {"mxnet": full_name(slots.mxnet, pair.mxnet), "torch": full_name(slots.torch, pair.torch)}
                    | {"shape": shape, "evidence": pair.evidence}
                )
        return rows


def full_name(slot: Slot, unit: Unit) -> str:
    """The array's own name, with the role where the array holds more than this slot."""
    whole = slot.offset == 0 and slot.part is None
    return slot.name if whole and slot.role in slot.name else f"{slot.name} ({unit.path}.{slot.role})"


def names(unit: Unit, slots: tuple[SlotPair, ...]) -> set[str]:
    """What an Ambiguity may call the MXNet unit of a pair: its path, or the name of its single array."""
    return {unit.path, *(pair.mxnet.name for pair in slots)}


def _array(slot: Slot, arrays: Dictionary[str, np.ndarray], framework: str) -> np.ndarray:
    if slot.name not in arrays:
        found = f"no array of that name{nearest(slot.name, arrays)}"
        raise CrossfwError(f"{slot.name} of the {framework} model", found, "give the arrays of the model described")
    if arrays[slot.name].size < slot.end:
        found = f"an array of {arrays[slot.name].size} numbers where the description has {slot.end}"
        raise CrossfwError(f"{slot.name} of the {framework} model", found, "give the arrays of the model described")
    return arrays[slot.name]


def _read(slot: Slot, arrays: Dictionary[str, np.ndarray], framework: str) -> np.ndarray:
    return slot.read(_array(slot, arrays, framework))


def _written(moves: list[tuple[Slot, np.ndarray]], arrays: Dictionary[str, np.ndarray], framework: str) -> dict:
    """Copies of `arrays` with each place written once."""
    result = {name: np.array(array, order="C") for name, array in arrays.items()}
    done: set[tuple[str, int]] = set()
    for slot, value in moves:
        target = _array(slot, result, framework)
        if (slot.name, slot.offset) not in done:
            done.add((slot.name, slot.offset))
            slot.write(target, np.ascontiguousarray(value))
    return result

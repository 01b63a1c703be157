"""A `.params` file under the names and in the layouts of a torch module that shall load it."""

from __future__ import annotations

import difflib
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from crossfw.checkpoints.names import STATISTICS, units_from_names
from crossfw.checkpoints.params import ParamsFile, plain_names
from crossfw.checkpoints.plan import Plan
from crossfw.checkpoints.safetensors_file import Tensor, chunks
from crossfw.checkpoints.stored import StoredArray
from crossfw.checkpoints.symbol_file import fixed_gammas, ones_like, slopes
from crossfw.checkpoints.torch_side import TorchSide, describe_torch
from crossfw.errors import CrossfwError
from crossfw.matching.mapping import Pair
from crossfw.matching.match import Mapping as Matched
from crossfw.matching.match import match
from crossfw.matching.units import Slot, Unit

SHOWN = 8  # lines of an error
CONSTANTS = {"gamma": 1, "beta": 0}


def plan_for_module(params: ParamsFile, port: str, torch_python: str | None) -> Plan:
    """The tensors that the module's `load_state_dict(strict=True)` takes.

    Raises:
        CrossfwError: something in the file or the module has no partner, or names and shapes leave open which it is.
    """
    plan = Plan(params, [])
    arrays: dict[str, StoredArray] = {}
    for name, plain in plain_names(params).items():
        if params[name].storage == "none":
            plan.left_out[name] = "it is a None array: never initialised, without numbers"
        else:
            arrays[plain] = params[name]
    for name in fixed_gammas(params.file.path) & set(arrays):
        arrays[name] = ones_like(arrays[name])
        plan.notes[name] = "fixed at 1 by the symbol beside the file; it is written as ones"
    side = describe_torch(port, list(arrays), torch_python)
    shapes = {name: array.shape for name, array in arrays.items()}
    units = _tied(units_from_names(shapes, side.units, slopes(params.file.path)), side.units, arrays)
    units = [_learning(unit, arrays) for unit in units]
    mapping = match(units, side.units, side.rename)
    mapping = match(units, _learn_alike(side.units, mapping), side.rename)
    _refuse_faults(mapping, arrays, side, port)
    sources: dict[str, list[Pair]] = {}
    for pair in mapping.pairs:
        for slots in pair.slots:
            sources.setdefault(slots.torch.name, []).append(replace(pair, slots=(slots,)))
    used = {pair.slots[0].mxnet.name for pairs in sources.values() for pair in pairs}
    for name in [slot.name for unit in units for slot in unit.slots if slot.name not in used]:
        plan.left_out[name] = "it is constant, and the module has no place for it"
    for name, shape in side.shapes.items():
        if side.first[name] in sources:
            plan.tensors.append(_tensor(name, shape, sources[side.first[name]], arrays))
        else:
            initial = side.initial[name]
            plan.tensors.append(Tensor(name, initial.dtype.name, shape, partial(np.reshape, initial, shape)))
            plan.notes[name] = "no weight; it is written as the module starts with it"
    return plan


def _learning(unit: Unit, arrays: Mapping[str, StoredArray]) -> Unit:
    """The unit with what its file tells of learning: running statistics do not, nor gammas of ones and betas of zeros.

    MXNet stores such constants also for layers with scale=False or center=False; where torch has no place for one,
    nothing is lost.
    """

    def learns(slot: Slot) -> bool:
        constant = CONSTANTS.get(slot.role) if unit.kind.endswith("_norm") else None
        return slot.role not in STATISTICS and (constant is None or (arrays[slot.name].to_dense() != constant).any())

    return replace(unit, slots=tuple(replace(slot, learns=bool(learns(slot))) for slot in unit.slots))


def _learn_alike(torch: list[Unit], mapping: Matched) -> list[Unit]:
    """Torch's units with each partner's word on what learns: a file cannot say that it differs."""
    partner = {slots.torch.name: slots.mxnet.learns for pair in mapping.pairs for slots in pair.slots}

    def learns(slot: Slot) -> bool:
        return partner.get(slot.name, slot.role not in STATISTICS and not slot.constant)

    return [replace(unit, slots=tuple(replace(s, learns=learns(s)) for s in unit.slots)) for unit in torch]


def _tied(units: list[Unit], torch: list[Unit], arrays: Mapping[str, StoredArray]) -> list[Unit]:
    """The file's units, with one name for equal arrays where torch ties arrays of that shape.

    A file that was saved without `deduplicate` holds a tied weight once under each of its names.
    """
    uses: dict[tuple, int] = {}
    for unit in torch:
        for slot in unit.slots:
            uses[slot.name, slot.offset, slot.shape] = uses.get((slot.name, slot.offset, slot.shape), 0) + 1
    tied = {shape for (_, _, shape), count in uses.items() if count > 1}
    first: dict[tuple, str] = {}

    def named(slot: Slot) -> Slot:
        if slot.shape not in tied or slot.offset:
            return slot
        array = arrays[slot.name]
        digest = hashlib.blake2b()
        for piece in chunks(array.bits()):
            digest.update(piece)
        key = array.dtype, slot.shape, digest.digest()
        return replace(slot, name=first.setdefault(key, slot.name))

    return [replace(unit, slots=tuple(named(slot) for slot in unit.slots)) for unit in units]


def _refuse_faults(mapping: Matched, arrays: Mapping[str, StoredArray], side: TorchSide, port: str) -> None:
    asked = f"weights for {port}"
    names = "rename = {'name in the file': 'name in torch'}"
    remedy = f"mend the module, or say in {port.rpartition(':')[0]} which is which: {names}"
    if mapping.faults:
        lines = [*_first(mapping.faults), *_first(_nearest(mapping, arrays, side))]
        paired = f"{matched(mapping)} of the module's {len(mapping.torch)} layers have a partner in the file"
        raise CrossfwError(asked, "\n  ".join([f"{len(mapping.faults)} faults; {paired}", *lines]), remedy)
    if mapping.ambiguous:
        lines = _first([str(ambiguity) for ambiguity in mapping.ambiguous])
        raise CrossfwError(asked, "names and shapes leave open what is what\n  " + "\n  ".join(lines), remedy)


def matched(mapping: Matched) -> int:
    """How many of the module's layers have a partner that fits."""
    filled = {(slots.torch.name, slots.torch.offset) for slots in mapping.slot_pairs()}
    return sum(all((slot.name, slot.offset) in filled for slot in unit.slots) for unit in mapping.torch)


def _first(lines: Sequence[str]) -> list[str]:
    """The first SHOWN lines, and how many more there are."""
    return [*lines[:SHOWN], f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN + 1 else list(lines)


def _nearest(mapping: Matched, arrays: Mapping[str, StoredArray], side: TorchSide) -> list[str]:
    """For torch names without partner those in the file without partner that have as many numbers, the likest first."""
    done = {slots.mxnet.name for pair in mapping.pairs for slots in pair.slots}
    filled = {slots.torch.name for pair in mapping.pairs for slots in pair.slots}
    free = [name for name in arrays if name not in done]
    wanted = [name for name in side.shapes if side.first[name] == name not in {*filled, *side.initial}]
    lines = []
    for name in wanted:
        alike = [other for other in free if math.prod(arrays[other].shape) == math.prod(side.shapes[name])]
        close = difflib.get_close_matches(name, alike, n=2, cutoff=0.0)
        if close:
            found = " or ".join(f"{other} {arrays[other].shape}" for other in close)
            lines.append(f"{name} {side.shapes[name]} of torch: it may be {found}")
    return lines


def _tensor(name: str, shape: tuple[int, ...], sources: list[Pair], arrays: Mapping[str, StoredArray]) -> Tensor:
    """One tensor of the state dict from the places in the file that its parts come from."""
    dtypes = {arrays[pair.slots[0].mxnet.name].dtype for pair in sources}
    same = len(dtypes) == 1
    dtype = dtypes.pop() if same else np.result_type(*(np.float32 if d == "bfloat16" else d for d in dtypes)).name
    read = StoredArray.bits if same else StoredArray.to_dense
    return Tensor(name, dtype, shape, partial(_assemble, shape, sources, arrays, read))


def _assemble(
    shape: tuple[int, ...],
    sources: list[Pair],
    arrays: Mapping[str, StoredArray],
    read: Callable[[StoredArray], np.ndarray],
) -> np.ndarray:
    parts = []
    for pair in sources:
        slots = pair.slots[0]
        value = slots.mxnet.read(read(arrays[slots.mxnet.name]))
        parts.append((slots.torch, slots.as_torch(value)))
    slot, value = parts[0]
    if slot.repeat == 1 and slot.part is None and len(parts) == 1 and slot.count == math.prod(shape):
        return value.reshape(shape)
    whole = np.zeros(shape, np.result_type(*(value for _, value in parts)))
    for slot, value in parts:
        slot.write(whole, np.ascontiguousarray(value))
    return whole

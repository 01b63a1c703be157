"""What the mapping itself says: parameters that one side lacks or does not train; weights of two checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from crossfw.matching.units import Unit
from crossfw.verification.comparing import label
from crossfw.verification.diagnosis.case import close
from crossfw.verification.diagnosis.weights import GATES, block_order, reordered
from crossfw.verification.row import Cause
from crossfw.verification.stages import Stages

BIASES = ("bias", "b_ih", "b_hh")


def causes(stages: Stages) -> list[Cause]:
    """Causes of faults in the parameters."""
    found = [*biases(stages), *learning(stages), *numbers(stages)]
    return list({(cause.name, cause.place): cause for cause in found}.values())


def biases(stages: Stages) -> Iterator[Cause]:
    """Biases of matched layers that only one side has, and a second bias of recurrent code."""
    held = {
        side: {(getattr(s, side).name, getattr(s, side).offset) for p in stages.mapping.pairs for s in p.slots}
        for side in ("mxnet", "torch")
    }
    for pair in stages.mapping.pairs:
        partners = [other for other in stages.mapping.pairs if other.torch.layer == pair.torch.layer]
        roles = {slot.role for part in partners for slot in part.torch.slots}
        for unit in {part.mxnet.path: part.mxnet for part in partners}.values():
            for slot in unit.slots:
                if slot.role in BIASES and slot.role not in roles and (slot.name, slot.offset) not in held["mxnet"]:
                    where = pair.torch.path or "(model)"
                    yield Cause("missing bias", where, f"MXNet has {slot.name}, torch no bias", f"bias=True in {where}")
    yield from second_biases(stages, held["torch"])


def second_biases(stages: Stages, held: set) -> Iterator[Cause]:
    """A bias of torch without partner, where another of its shape and layer has one."""
    for unit in stages.pair.units["torch"]:
        free = [
            s for s in unit.slots if (s.name, s.offset) not in held and len(s.shape) == 1 and bias_like(unit, s.role)
        ]
        near = [
            u
            for u in stages.pair.units["torch"]
            if u is unit or (unit.kind == u.kind == "raw" and u.layer == unit.layer)
        ]
        others = [slot for other in near for slot in other.slots if (slot.name, slot.offset) in held]
        for slot in free:
            if any(other.shape == slot.shape for other in others):
                found = f"{slot.name} is a second bias, MXNet has one: it learns twice as fast"
                yield Cause(
                    "doubled bias", unit.path or "(model)", found, f"leave {slot.name} out, or freeze it at zero", 32
                )


def bias_like(unit: Unit, role: str) -> bool:
    """Whether an array is a bias by its role."""
    return role in BIASES or unit.kind == "raw"


def learning(stages: Stages) -> Iterator[Cause]:
    """Parameters that learn on one side only."""
    for pair in stages.mapping.pairs:
        for slots in pair.slots:
            if slots.mxnet.learns and not slots.torch.learns:
                name = slots.torch.name
                yield Cause(
                    "frozen parameter", name, f"{name} does not learn, MXNet's does", f"{name}.requires_grad_(True)"
                )
            if slots.torch.learns and not slots.mxnet.learns and slots.mxnet.role in ("gamma", "beta"):
                name = slots.torch.name
                found = f"MXNet's {slots.mxnet.role} is fixed, {name} learns"
                yield Cause(
                    "fix_gamma",
                    name,
                    found,
                    f"fill {name} with {int(slots.mxnet.role == 'gamma')}; {name}.requires_grad_(False)",
                    10,
                )


def numbers(stages: Stages) -> Iterator[Cause]:
    """Arrays of two checkpoints that hold the same numbers otherwise arranged."""
    if not all(stages.pair.settings["checkpoints"].values()):
        return
    failing = {row.tensor for row in stages.rows if row.stage == "parameters" and row.grade == "different"}
    weights = stages.weights
    for pair in stages.mapping.pairs:
        for slots in pair.slots:
            if label(slots.torch) not in failing:
                continue
            ours, theirs = (
                slots.torch.read(weights["torch"][slots.torch.name]),
                slots.mxnet.read(weights["mxnet"][slots.mxnet.name]),
            )
            told = arrangement(ours, theirs, GATES.get(pair.torch.kind, 4))
            if told:
                name, found, remedy = told
                yield Cause(name, slots.torch.name, found, remedy)


def arrangement(ours: np.ndarray, theirs: np.ndarray, gates: int) -> tuple[str, str, str] | None:
    """(cause, what is found, remedy) of an array with another arrangement or scale."""
    if ours.ndim == 2 and close(ours.T, theirs):
        return "transposition", "MXNet's numbers, transposed", "transpose it when it is converted"
    if not np.any(ours) and np.any(theirs) and ours.ndim == 1:
        return "missing bias", "zeros, where MXNet has numbers", "convert it too"
    for order in list(permutations(range(gates)))[1:] if ours.shape == theirs.shape and len(ours) % gates == 0 else ():
        if close(reordered(ours, 0, order), theirs):
            return (
                "gate order",
                f"MXNet's numbers, the gates in another order {order}",
                block_order("array", gates, 0, order),
            )
    if ours.shape == theirs.shape and np.any(ours):
        factor = float((ours * theirs).sum() / (ours * ours).sum())
        if factor and close(ours * factor, theirs):
            doubled = ours.ndim == 1 and abs(factor - 0.5) < 1e-9
            return (
                ("doubled bias" if doubled else "scale"),
                f"MXNet's numbers times {1 / factor:.6g}",
                f"multiply it by {factor:.6g}",
            )
    return None

"""Units as matching reads them: norms that a user wrote, constants by themselves, gammas that count as 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from crossfw.matching.slots import plain, role_class
from crossfw.matching.units import Slot, Unit

NORM_ROLES = {"weight": "gamma", "gamma": "gamma", "bias": "beta", "beta": "beta",
              "mean": "running_mean", "var": "running_var"}  # fmt: skip


def as_read(units: Sequence[Unit], mxnet: bool) -> list[Unit]:
    """The units of a model, in its order; `mxnet` tells that they are MXNet's."""
    found = []
    for unit in units:
        if mxnet and unit.kind == "batch_norm" and unit.settings.get("fix_gamma", True):
            unit = replace(unit, slots=tuple(map(_gamma_of_one, unit.slots)))
        found += [_as_norm(unit)] if _is_norm(unit) else _without_constants(unit)
    return [unit if unit.kind == "raw" else _as_layer(unit) for unit in found]


def _as_layer(unit: Unit) -> Unit:
    """A library's layer has no constants: its buffers are statistics."""
    return replace(unit, slots=tuple(replace(slot, constant=False) for slot in unit.slots))


def _gamma_of_one(slot: Slot) -> Slot:
    """A gamma that does not learn counts as 1 by the operator's default, whatever is stored."""
    return replace(slot, counts_as=1.0) if slot.role == "gamma" and not slot.learns else slot


def _is_norm(unit: Unit) -> bool:
    """Whether a class of a user's own holds what a BatchNorm does, and nothing else."""
    roles = [NORM_ROLES.get(role_class(slot)) for slot in unit.slots]
    alike = len({plain(slot.shape) for slot in unit.slots}) == 1
    return unit.kind == "raw" and len(roles) == 4 and set(roles) == set(NORM_ROLES.values()) and alike


def _as_norm(unit: Unit) -> Unit:
    slots = [replace(slot, role=NORM_ROLES[role_class(slot)], shape=plain(slot.shape)) for slot in unit.slots]
    return replace(unit, kind="batch_norm", slots=tuple(slots))


def _without_constants(unit: Unit) -> list[Unit]:
    """A raw unit, and each of its arrays that do not learn as one of its own."""
    still = [slot for slot in unit.slots if unit.kind == "raw" and not slot.learns]
    rest = tuple(slot for slot in unit.slots if slot not in still)
    return [replace(unit, slots=rest)] * bool(rest) + [replace(unit, slots=(slot,)) for slot in still]


def still(unit: Unit) -> bool:
    """Whether a unit is an array of a user's own that does not learn."""
    return unit.kind == "raw" and not unit.slots[0].learns


def constant_key(unit: Unit) -> tuple:
    """What two such arrays share that stand for each other: what they are called, and their shape."""
    slot: Slot = unit.slots[0]
    return role_class(slot) or slot.role.lower().strip("_"), plain(slot.shape)

"""Which parameters of an MXNet model stand for which of a torch model, from descriptions alone.

The evidence, in this order: what the user says (`rename`); kind and shapes; the order of execution; names. What these
leave open is reported as ambiguous, for trials to settle. First whole layers are matched, and what one side packs into
one layer is cut into the parts that the other has. Arrays that a user's own class holds, or of which only names are
known (kind `raw`), are then matched one by one with what remains. At last, layers that stand at the same place without
being equal are paired, to tell the fault exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

from crossfw.matching.cuts import applied, cuts
from crossfw.matching.exchange import by_names, crossing_faults
from crossfw.matching.faults import constant_faults, coverage_faults, place
from crossfw.matching.groups import Key, grouped
from crossfw.matching.mapping import Ambiguity, Mapping, Pair
from crossfw.matching.plan import Plan
from crossfw.matching.reading import as_read, constant_key, still
from crossfw.matching.rename import Rename, renamed_pairs
from crossfw.matching.slots import (
    NORMS,
    SlotPair,
    flat_key,
    plain,
    role_class,
    shape_key,
    single,
)
from crossfw.matching.units import Unit

__all__ = ["Ambiguity", "Mapping", "Pair", "SlotPair", "by_names", "constant_faults", "coverage_faults",
           "crossing_faults", "match", "place"]  # fmt: skip

Side = Sequence[Unit]
Both = tuple  # of the units of either side, lists
Chosen = Callable[[Side, Side], Both]


def match(mxnet: Sequence[Unit], torch: Sequence[Unit], rename: Rename = None) -> Mapping:
    """The mapping between the units of two models, each in the order of its tree.

    Args:
        mxnet, torch: every unit of the model; paths are unique on each side.
        rename: see `unit_rename.renamed_pairs`.

    Raises:
        CrossfwError: `rename` has names that no side has, or that clash.
    """
    left, right = tuple(as_read(mxnet, True)), tuple(as_read(torch, False))
    plan = _equal_layers(Plan(left, right, tuple(renamed_pairs(left, right, rename))))
    rest = plan.remaining()
    found = cuts(*rest)
    if found:
        plan = replace(plan, mxnet=applied(plan.mxnet, found), torch=applied(plan.torch, found))
        plan = _equal_layers(plan)
    plan = _with(plan, _layers, layer_key)
    for key in (_role_and_shape, _shape):
        plan = _with(plan, _raw_of_mxnet, key)
        plan = _with(plan, _raw_of_torch, key)
    return _with(plan, _own_arrays, constant_key, unequal=False).mapping()


def _equal_layers(plan: Plan) -> Plan:
    """The plan and groups of whole layers, as many on either side; constants; convolutions that are linear layers."""
    plan = _with(plan, _constants, constant_key)
    plan = _with(plan, _layers, layer_key, unequal=False)
    plan = _with(plan, _convolutions_of_mxnet, _linear_key, unequal=False)
    return _with(plan, _convolutions_of_torch, _linear_key, unequal=False)


def _with(plan: Plan, chosen: Chosen, key: Key, unequal: bool = True) -> Plan:
    """The plan and groups of some of what it leaves."""
    return replace(plan, groups=(*plan.groups, *grouped(*chosen(*plan.remaining()), key, unequal)))


def layer_key(unit: Unit) -> Hashable:
    """What layers must share: kind, roles and shapes; norms only kind and width, because what is constant may lack."""
    return (unit.kind, plain(unit.slots[0].shape)) if unit.kind in NORMS else unit.signature()


def _linear_key(unit: Unit) -> Hashable:
    return tuple(sorted((slot.role, flat_key(slot)) for slot in unit.slots))


def _role_and_shape(unit: Unit) -> Hashable:
    return role_class(unit.slots[0]), shape_key(unit.slots[0])


def _shape(unit: Unit) -> Hashable:
    return shape_key(unit.slots[0])


def _constants(left: Side, right: Side) -> Both:
    return [unit for unit in left if still(unit)], [unit for unit in right if still(unit)]


def _layers(left: Side, right: Side) -> Both:
    return [unit for unit in left if not still(unit)], [unit for unit in right if not still(unit)]


def _convolutions_of_mxnet(left: Side, right: Side) -> Both:
    return [unit for unit in left if unit.kind == "conv"], [unit for unit in right if unit.kind == "dense"]


def _convolutions_of_torch(left: Side, right: Side) -> Both:
    return [unit for unit in left if unit.kind == "dense"], [unit for unit in right if unit.kind == "conv"]


def _raw_of_mxnet(left: Side, right: Side) -> Both:
    """MXNet's raw arrays, one by one, and any of torch; no constants."""
    singles = _singles(left), _singles(right)
    return [unit for unit in singles[0] if unit.kind == "raw"], singles[1]


def _raw_of_torch(left: Side, right: Side) -> Both:
    singles = _singles(left), _singles(right)
    return singles[0], [unit for unit in singles[1] if unit.kind == "raw"]


def _singles(side: Side) -> list[Unit]:
    return [part for unit in side for part in single(unit) if not part.slots[0].constant]


def _own_arrays(left: Side, right: Side) -> Both:
    """Raw arrays whether they learn or not: what learns on one side only is told of as such."""
    sides = [[part for unit in side for part in single(unit) if unit.kind == "raw"] for side in (left, right)]
    return sides[0], sides[1]

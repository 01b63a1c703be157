"""Which parameters of an MXNet model stand for which of a torch model, from descriptions alone.

The evidence, in this order: what the user says (`rename`); kind and shapes; the order of execution; names. What these
leave open is reported as ambiguous, with the mappings that a trial may choose from. First whole layers are matched.
Arrays that a user's own class holds, or of which only names are known (kind `raw`), are then matched one by one with
what remains. At last, layers that stand at the same place without being equal are paired, to tell the fault exactly.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

from crossfw.weights.unit_faults import constant_faults, coverage_faults
from crossfw.weights.unit_groups import Group, grouped
from crossfw.weights.unit_mapping import Ambiguity, Mapping, Pair
from crossfw.weights.unit_plan import Plan
from crossfw.weights.unit_rename import Rename, renamed_pairs
from crossfw.weights.unit_slots import NORMS, SlotPair, role_class, shape_key, single
from crossfw.weights.unit_trials import mapping
from crossfw.weights.units import Unit

__all__ = ["Ambiguity", "Mapping", "Pair", "SlotPair", "constant_faults", "coverage_faults", "match"]


def match(mxnet: Sequence[Unit], torch: Sequence[Unit], rename: Rename = None) -> Mapping:
    """The mapping between the units of two models, each in the order of its tree.

    Args:
        mxnet, torch: every unit of the model; paths are unique on each side.
        rename: see `unit_rename.renamed_pairs`.

    Raises:
        CrossfwError: `rename` has names that no side has, or that clash.
    """
    plan = Plan(tuple(mxnet), tuple(torch), tuple(renamed_pairs(mxnet, torch, rename)))
    left, right = plan.remaining(plan.fixed)
    plan = replace(plan, groups=tuple(grouped(left, right, layer_key)))
    for key in (_role_and_shape, _shape):
        plan = _with(plan, key, raw_first=True)
        plan = _with(plan, key, raw_first=False)
    return mapping(plan)


def layer_key(unit: Unit) -> Hashable:
    """What layers must share: kind, roles and shapes; norms only kind and width, because what is constant may lack."""
    return (unit.kind, unit.slots[0].shape) if unit.kind in NORMS else unit.signature()


def _role_and_shape(unit: Unit) -> Hashable:
    return role_class(unit.slots[0]), shape_key(unit.slots[0])


def _shape(unit: Unit) -> Hashable:
    return shape_key(unit.slots[0])


def _with(plan: Plan, key, raw_first: bool) -> Plan:
    """The plan and groups of single arrays: MXNet's raw ones and any of torch, or any of MXNet and torch's raw ones."""
    left, right = ([part for unit in side for part in single(unit)] for side in plan.remaining(plan.pairs()))
    if raw_first:
        left = [unit for unit in left if unit.kind == "raw"]
    else:
        right = [unit for unit in right if unit.kind == "raw"]
    found: list[Group] = grouped(left, right, key)
    return replace(plan, groups=(*plan.groups, *found))

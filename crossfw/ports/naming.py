"""Names of a model's arrays, and its units in the order of its tree: what both frameworks share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Callable

from crossfw.matching.units import Slot, Unit

Own = Callable[[Any], "list[tuple[str, Any]]"]
Parts = Callable[[Any, "ArrayNames"], "list[tuple[str, str, list[Slot], dict]]"]


class ArrayNames:
    """The name of every array that travels: a tied one has the name under which it stands first.

    Args:
        tree: (dotted path, layer), parents first.
        own: gives a layer's own arrays by name.
        learns: tells whether an optimizer changes an array.
    """

    def __init__(self, tree: Iterable[tuple[str, Any]], own: Own, learns: Callable[[Any], bool]):
        self.learns = learns
        self.by_id: dict = {}
        self.arrays: dict = {}
        for path, layer in tree:
            for name, array in own(layer):
                self.by_id.setdefault(id(array), f"{path}.{name}" if path else name)
                self.arrays.setdefault(self.by_id[id(array)], array)

    def slot(self, role: str, array: Any, shape: Any = None, **more: Any) -> Slot:
        """The slot of a whole array, or of a part of one."""
        more = {"learns": self.learns(array), "constant": self.constant(array), **more}
        return Slot(role, self.by_id[id(array)], tuple(array.shape if shape is None else shape), **more)

    @staticmethod
    def constant(array: Any) -> bool:
        """Whether an array's numbers belong to the model as its layers do."""
        raise NotImplementedError


def units_in(
    tree: Iterable[tuple[str, Any]], own: Own, parts: Parts, names: ArrayNames, order: dict[str, int]
) -> list[Unit]:
    """All units in the order of the tree.

    Args:
        tree, own: as for `names`.
        parts: gives (suffix of the path, kind, slots, settings) of every unit in one layer.
        order: when a layer was first run, by path.
    """
    found, seen = [], set()
    for path, layer in tree:
        if id(layer) in seen or not own(layer):
            continue
        seen.add(id(layer))
        for suffix, kind, slots, settings in parts(layer, names):
            where = f"{path}.{suffix}" if path and suffix else path or suffix
            run = where if where in order else path  # an operator is called by itself, a direction within its layer
            found.append(Unit(where, kind, tuple(slots), settings, order.get(run), run))
    return found

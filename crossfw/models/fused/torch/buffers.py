"""What the loops of a cell write, with its views by step: made once, and used again by the next passes.

Memory and views made anew take a twentieth of a training step; MXNet's sibling is spared them by `static_alloc`.
Buffers belong to one forward pass and its back-propagation, from `take` to `give_back`. Whatever leaves the loops is a
copy, so that nobody sees them used again; on a graphics card all work on them is expected in one stream. Free ones are
kept as long as the weight that they serve lives and the shapes stay: no memory is held for what may never come again.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from threading import Lock
from types import ModuleType
from weakref import WeakValueDictionary

import torch
from torch.utils.weak import WeakTensorKeyDictionary

from crossfw.models.stack.spec import Place

_gradients: WeakValueDictionary[tuple, Gradients] = WeakValueDictionary()  # alive as long as buffers of their shape
_free = WeakTensorKeyDictionary()  # lists of buffers, of one shape, by weight
_lock = Lock()


class Gradients:
    """What back-propagation writes, for all places of one cell and shape: of a deep stack one after the other.

    Attributes:
        lock: for who uses it.
        d_sums: (T, N, G H), of the gates' sums.
        d_kept: (T, N, width H) each, what the cell keeps for its steps of back-propagation.
        d_h: (T + 1, N, H), of h, as the states stand; `d_hidden` after all steps.
        rows: what every step writes, see the cells' `d_parts`.
        old, new: for each step d_h before and after it.
    """

    def __init__(self, cell: ModuleType, place: Place, like: torch.Tensor):
        self.lock, (steps, size, H) = Lock(), like.shape
        self.d_sums = like.new_empty(steps, size, place.spec.GATES * H)
        self.d_kept = {name: like.new_empty(steps, size, width * H) for name, width in cell.d_widths(place).items()}
        self.d_h = like.new_empty(steps + 1, size, H)
        self.rows = by_step(cell.d_parts(place, self.d_sums, self.d_kept), steps)
        _, before, after = ends(place, steps)
        d_h = self.d_h.unbind()
        self.old, self.new, self.d_hidden = d_h[before], d_h[after], self.d_h[after]


class Buffers:
    """What the forward pass writes.

    Attributes:
        projected: (T, G, N, H), the projected inputs, which the cell turns into its gates.
        states: (T + 1, N, H) each, the first one at the end where the cell starts, so that the states before and after
            all steps, `before` and `hidden`, are views of the same tensor.
        kept: (T, N, width H) each, what else the cell keeps.
        parts: all tensors that a step reads and writes besides the states; `rows` has those of each step.
        old, new: for each step the states before and after it.
        first, last: where the first and the last state stand.
    """

    def __init__(self, cell: ModuleType, key: tuple, like: torch.Tensor):
        place, steps, size, *_ = key
        H, spec = place.hidden_size, place.spec
        self.cell, self.place, self.key = cell, place, key
        self.projected = like.new_empty(steps, spec.GATES, size, H)
        self.states = {name: like.new_empty(steps + 1, size, H) for name in spec.STATES}
        self.kept = {name: like.new_empty(steps, size, width * H) for name, width in cell.KEPT.items()}
        self.parts = cell.parts(place, self.projected, self.kept)
        self.rows, states = by_step(self.parts, steps), by_step(self.states.values(), steps + 1)
        self.first, before, after = ends(place, steps)
        self.last = steps - self.first
        self.old, self.new = states[before], states[after]
        self.before = {name: array[before] for name, array in self.states.items()}
        self.hidden = self.states["h"][after]

    @cached_property
    def gradients(self) -> Gradients:
        """What back-propagation writes, from when it is first asked for."""
        place, shape = self.place, self.key[1:]
        key = place.cell, place.reset, place.backwards, place.hidden_size, *shape
        with _lock:
            found = _gradients.get(key) or Gradients(self.cell, place, self.hidden)
            return _gradients.setdefault(key, found)

    @cached_property
    def reread(self) -> list[tuple[torch.Tensor, ...]]:
        """For each step what back-propagation reads of the forward pass."""
        return by_step(self.cell.reread(self.place, self.parts), len(self.rows))


def take(cell: ModuleType, place: Place, steps: int, size: int, weight: torch.Tensor) -> Buffers:
    """Buffers that nobody uses, of a weight that the loops will multiply with, in its dtype and on its device."""
    key = place, steps, size, weight.dtype, weight.device
    with _lock:
        free = _free_of(weight, key)
        if free:
            return free.pop()
    with torch.inference_mode(False):  # tensors of that mode could not be used outside it
        return Buffers(cell, key, weight)


def give_back(buffers: Buffers, weight: torch.Tensor) -> None:
    """For the next pass with the same weight and shapes."""
    with _lock:
        _free_of(weight, buffers.key).append(buffers)


def _free_of(weight: torch.Tensor, key: tuple) -> list[Buffers]:
    """The free buffers of a weight; where they are of another shape, all free ones are dropped before new are made."""
    free = _free.get(weight)
    if free and free[-1].key != key:
        _free.clear()
    return _free.setdefault(weight, [])


def ends(place: Place, steps: int) -> tuple[int, slice, slice]:
    """Where the first state is kept, and the parts of all states that stand before and after the steps."""
    first, then = slice(0, steps), slice(1, steps + 1)
    return (steps, then, first) if place.backwards else (0, first, then)


def by_step(tensors: Iterable[torch.Tensor], steps: int) -> list[tuple[torch.Tensor, ...]]:
    """For each step its views of all tensors: indexing in the loop costs as much as an operation."""
    return list(zip(*(tensor.unbind() for tensor in tensors))) or [()] * steps

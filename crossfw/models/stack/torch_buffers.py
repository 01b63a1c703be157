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

import torch
from torch.utils.weak import WeakTensorKeyDictionary

from crossfw.models.cells.torch_operations import halves
from crossfw.models.stack.spec import Place

_free = WeakTensorKeyDictionary()  # lists of buffers, of one shape, by weight
_lock = Lock()


class Gradients:
    """What back-propagation writes.

    Attributes:
        d_sums: (T, N, G H), of the gates' sums.
        d_kept: (T, N, width H) each, what the cell keeps for its steps of back-propagation.
        d_h: (T + 1, 2, N, H / 2), of h in halves of its columns, as the states stand; `d_hidden` after all steps.
        parts: what every step reads and writes, see the cells' `d_parts`.
        old, new: for each step d_h before and after it.
    """

    def __init__(self, cell: ModuleType, place: Place, buffers: Buffers):
        steps, size, H = buffers.hidden.shape
        pieces = halves(H)
        self.d_sums = buffers.hidden.new_empty(steps, size, place.spec.GATES * H)
        self.d_h = buffers.hidden.new_empty(steps + 1, pieces, size, H // pieces)
        self.d_kept = {
            name: buffers.hidden.new_empty(steps, size, width * H) for name, width in cell.d_kept(place).items()
        }
        self.parts = by_step(cell.d_parts(place, buffers.parts, self.d_sums, self.d_kept))
        _, before, after = ends(place, steps)
        rows = self.d_h.unbind()
        self.old, self.new, self.d_hidden = rows[before], rows[after], self.d_h[after]


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
        self.rows, states = by_step(self.parts), by_step(self.states.values())
        self.first, before, after = ends(place, steps)
        self.last = steps - self.first
        self.old, self.new = states[before], states[after]
        self.before = {name: array[before] for name, array in self.states.items()}
        self.hidden = self.states["h"][after]

    @cached_property
    def gradients(self) -> Gradients:
        """What back-propagation writes, from when it is first asked for."""
        return Gradients(self.cell, self.place, self)


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
    """The free buffers of a weight, without those of another shape, which are dropped before new ones are made."""
    free = _free.setdefault(weight, [])
    if free and free[-1].key != key:
        free.clear()
    return free


def ends(place: Place, steps: int) -> tuple[int, slice, slice]:
    """Where the first state is kept, and the parts of all states that stand before and after the steps."""
    first, then = slice(0, steps), slice(1, steps + 1)
    return (steps, then, first) if place.backwards else (0, first, then)


def by_step(tensors: Iterable[torch.Tensor]) -> list[tuple[torch.Tensor, ...]]:
    """For each step its views of all tensors: indexing in the loop costs as much as an operation."""
    return list(zip(*(tensor.unbind() for tensor in tensors)))

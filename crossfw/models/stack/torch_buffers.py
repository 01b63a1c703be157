"""What the loops of a cell write, with its views by step: made once, and used again by the next passes.

Memory and views made anew take a twentieth of a training step; MXNet's sibling is spared them by `static_alloc`.
Buffers belong to one forward pass and its back-propagation, from `take` to `give_back`. Whatever leaves the loops is a
copy, so that nobody sees them used again; on a graphics card all work on them is expected in one stream.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from threading import Lock
from types import ModuleType

import torch

from crossfw.models.cells.torch_operations import halves
from crossfw.models.stack.spec import Place

KEPT = 24  # as many as graphs of the sibling: each has its memory

_free: list[Buffers] = []  # those given back last stand last
_lock = Lock()


class Gradients:
    """What back-propagation writes.

    Attributes:
        d_sums: (T, N, G H), of the gates' sums.
        d_kept: (T, N, width H) each, what the cell keeps for its steps of back-propagation.
        d_h: (T + 1, 2, N, H / 2), of h in halves of its columns, as the states stand.
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
        self.old, self.new = rows[before], rows[after]


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

    def __init__(self, cell: ModuleType, place: Place, steps: int, size: int, like: torch.Tensor):
        H, spec = place.hidden_size, place.spec
        self.cell, self.place, self.key = cell, place, key_of(place, steps, size, like)
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


def take(cell: ModuleType, place: Place, steps: int, size: int, like: torch.Tensor) -> Buffers:
    """Buffers of the dtype and device of `like` that nobody uses."""
    key = key_of(place, steps, size, like)
    with _lock:
        for i in reversed(range(len(_free))):
            if _free[i].key == key:
                return _free.pop(i)
    with torch.inference_mode(False):  # tensors of that mode could not be used outside it
        return Buffers(cell, place, steps, size, like)


def give_back(buffers: Buffers) -> None:
    """For the next who takes buffers of this kind; those that were given back longest ago are dropped."""
    with _lock:
        _free.append(buffers)
        del _free[:-KEPT]


def key_of(place: Place, steps: int, size: int, like: torch.Tensor) -> tuple:
    """What buffers must have in common."""
    return place, steps, size, like.dtype, like.device


def ends(place: Place, steps: int) -> tuple[int, slice, slice]:
    """Where the first state is kept, and the parts of all states that stand before and after the steps."""
    first, then = slice(0, steps), slice(1, steps + 1)
    return (steps, then, first) if place.backwards else (0, first, then)


def by_step(tensors: Iterable[torch.Tensor]) -> list[tuple[torch.Tensor, ...]]:
    """For each step its views of all tensors: indexing in the loop costs as much as an operation."""
    return list(zip(*(tensor.unbind() for tensor in tensors)))

"""Units: the parametrised layers of a model in one language for both frameworks, and the slots that hold their arrays.

A unit is one layer that owns arrays: a dense layer, a convolution, one direction of one layer of a recurrent network.
Its slots have roles (`weight`, `bias`, `W_ih`, ...) that mean the same in both frameworks, and shapes in the layout
that both frameworks use where they agree (outputs first). A slot says where its numbers stand in the model's own
arrays: a whole array, or a part of one (`in_proj_weight` holds three dense layers, `rnn_param` a whole network).

Kinds and roles:

    dense                       weight (out, in), bias
    conv, conv_transpose        weight (out, in / groups, *window) or (in, out / groups, *window), bias
    batch_norm                  gamma, beta, running_mean, running_var
    layer_norm, instance_norm   gamma, beta
    group_norm                  gamma, beta (Gluon: one number per group; torch: one per channel)
    embedding                   weight (tokens, size)
    prelu                       alpha
    rnn, gru, lstm              W_ih (G H, in), W_hh (G H, H), b_ih, b_hh: one direction of one layer, or a cell
    raw                         the layer's own names: arrays that a user's class owns itself
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Slot:
    """An array of a unit, and where its numbers stand.

    Attributes:
        role: what it is to the unit.
        name: of the model's own array.
        shape: of the slot.
        offset: of its first number in the flattened array.
        repeat: how often each number along the first axis stands there in a row.
        learns: whether an optimizer changes it.
        blocks, stride: in how many pieces of equal length it stands, and from where to where they begin.
        part: (index, count) of a slot that was cut out of a packed array along its first axis.
        constant: whether its numbers belong to the model as its layers do: a buffer of torch, a Constant of Gluon.
        counts_as: the number that the model takes for each of its own, whatever is stored.
    """

    role: str
    name: str
    shape: tuple[int, ...]
    offset: int = 0
    repeat: int = 1
    learns: bool = True
    blocks: int = 1
    stride: int = 0
    part: tuple[int, int] | None = None
    constant: bool = False
    counts_as: float | None = None

    @property
    def count(self) -> int:
        """How many numbers it has in the model's own array."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.repeat

    @property
    def end(self) -> int:
        """Behind its last number in the flattened array."""
        return self.offset + (self.blocks - 1) * self.stride + self.count // self.blocks

    def numbers(self, array: np.ndarray) -> np.ndarray:
        """What stands in the model's own array: (shape[0], repeat, *shape[1:]); a view where it stands in one piece."""
        rows = self.shape or (1,)
        return self._pieces(array.reshape(-1)).reshape(rows[0], self.repeat, *rows[1:])

    def read(self, array: np.ndarray) -> np.ndarray:
        """The slot's numbers from the model's own array, as they count; of repeated numbers the first."""
        if self.counts_as is not None:
            return np.full(self.shape, self.counts_as, array.dtype)
        return self.numbers(array)[:, 0].reshape(self.shape)

    def write(self, array: np.ndarray, value: np.ndarray) -> None:
        """Put the slot's numbers into the model's own array, in place; it must be contiguous."""
        value = np.repeat(value, self.repeat, axis=0) if self.repeat > 1 else value
        self._pieces(array.reshape(-1))[...] = value.reshape(self.blocks, -1)

    def _pieces(self, flat: np.ndarray) -> np.ndarray:
        """A view of the places of its numbers: (blocks, length)."""
        length = self.count // self.blocks
        if self.blocks == 1:
            return flat[self.offset : self.end].reshape(1, length)
        steps = (self.stride * flat.itemsize, flat.itemsize)
        return np.lib.stride_tricks.as_strided(flat[self.offset : self.end], (self.blocks, length), steps)


@dataclass(frozen=True)
class Unit:
    """A parametrised layer.

    Attributes:
        path: where it stands in the tree, dotted; for one direction of one recurrent layer with `.l0`, `.l0_reverse`.
        kind: one of those above.
        slots: its arrays.
        settings: what else it depends on: `eps`, `momentum`, `groups`, `strides`, ...
        order: its place among all units by first execution; None if it was never run.
        layer: the path of the module that runs it.
    """

    path: str
    kind: str
    slots: tuple[Slot, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    order: int | None = None
    layer: str = ""

    def signature(self) -> tuple:
        """What two units must share to be candidates for each other: kind, roles and shapes."""
        return (self.kind, tuple(sorted((slot.role, slot.shape) for slot in self.slots)))

    def to_json(self) -> dict[str, Any]:
        """Plain values, to travel between processes."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Unit:
        """What `to_json` wrote."""
        slots = tuple(Slot(**{**slot, "shape": tuple(slot["shape"])}) for slot in plain["slots"])
        return cls(**{**plain, "slots": slots})

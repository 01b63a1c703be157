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
    """

    role: str
    name: str
    shape: tuple[int, ...]
    offset: int = 0
    repeat: int = 1
    learns: bool = True

    def read(self, array: np.ndarray) -> np.ndarray:
        """The slot's numbers from the model's own array; of repeated numbers the first."""
        count = int(np.prod(self.shape, dtype=np.int64)) * self.repeat
        flat = array.reshape(-1)[self.offset : self.offset + count]
        if self.repeat == 1:
            return flat.reshape(self.shape)
        return flat.reshape(self.shape[0], self.repeat, *self.shape[1:])[:, 0]

    def write(self, array: np.ndarray, value: np.ndarray) -> None:
        """Put the slot's numbers into the model's own array, in place; it must be contiguous."""
        value = np.repeat(value, self.repeat, axis=0) if self.repeat > 1 else value
        array.reshape(-1)[self.offset : self.offset + value.size] = value.reshape(-1)


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

"""Layers and directions of cells: where each cell stands, and its names, shapes and states.

Layer l takes the hidden states of layer l - 1 as its inputs. With two directions the second one has parameters of its
own, and both hidden states stand side by side, (T, N, h1 + h2):

    "forward"        one direction
    "bidirectional"  the second runs from the last step to the first: its state at t follows from t + 1
    "both forward"   the second runs forward too, as published in S5b; it is no bidirectional network

A mask (T, N) says which steps are real; padding stands at the end. There the state stays as it was and the hidden
state is 0, in either direction. A model that reads neither the last state nor a backward direction runs over the
padding. Between layers a dropout mask `keep_l0`, `keep_l1`, ... (0 or 1 / (1 - p)) multiplies the hidden states where
one is given, so that every implementation drops the same units.

Names: `W_xh`, `W_hh`, `b_h` (or `b_xh`, `b_hh`), states `h` and `c`; `_l1` stands behind them in the second layer,
`_reverse` in the second direction. Weights are stored as (outputs, inputs), which is how both frameworks' library
layers store them, and rows of a batch are multiplied from the left: x W^T.

Two recurrent biases compute the same function as one, and learn differently: the effective bias b_xh + b_hh moves twice
as far, and the global gradient norm counts it twice. `biases` says which of the two models it is, and every
implementation follows it: a library layer under `biases = 1` keeps its second bias frozen at zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

from crossfw.models.cells import cell_spec

DIRECTIONS = ("forward", "bidirectional", "both forward")


@dataclass(frozen=True)
class Place:
    """One cell of a stack: layer and direction, sizes, and how its arrays are called.

    Attributes:
        prefix, suffix: of the names of its parameters; the states have the suffix alone.
        inputs: "tokens", whose rows of W_xh^T are looked up, or "features".
        backwards: whether it runs from the last step to the first.
    """

    cell: str
    activation: str
    reset: str
    biases: int
    layer: int
    prefix: str
    suffix: str
    input_size: int
    hidden_size: int
    inputs: str
    backwards: bool

    @property
    def spec(self) -> ModuleType:
        """The cell's equations."""
        return cell_spec(self.cell)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The cell's parameters by short name."""
        rows = self.spec.GATES * self.hidden_size
        recurrent = {"W_hh": (rows, self.hidden_size)} if self.spec.RECURRENT else {}
        biases = ("b_h",) if self.biases == 1 else ("b_xh", "b_hh")
        return {"W_xh": (rows, self.input_size), **recurrent, **dict.fromkeys(biases, (rows,))}

    @property
    def projected_biases(self) -> tuple[str, ...]:
        """The biases that are added before the recurrence, with W_xh x_t."""
        if self.biases == 1:
            return ("b_h",)
        return ("b_xh", "b_hh") if self.spec.folds_biases(self) else ("b_xh",)

    @property
    def recurrent(self) -> tuple[str, ...]:
        """The parameters that meet the state in every step."""
        return tuple(name for name in self.shapes() if name not in ("W_xh", *self.projected_biases))

    def order(self, steps: int) -> range:
        """The steps in the order in which the cell meets them."""
        return range(steps - 1, -1, -1) if self.backwards else range(steps)

    def parameters(self, named: dict[str, Any]) -> dict[str, Any]:
        """The cell's own by short name, from all by canonical name."""
        return {name: named[f"{self.prefix}{name}{self.suffix}"] for name in self.shapes()}

    def state(self, named: dict[str, Any]) -> dict[str, Any]:
        """The cell's own by short name, from the whole state."""
        return {name: named[name + self.suffix] for name in self.spec.STATES}

    def named(self, state: dict[str, Any]) -> dict[str, Any]:
        """The cell's state as part of the whole one."""
        return {name + self.suffix: value for name, value in state.items()}


@dataclass(frozen=True)
class StackSpec:
    """A stack by its settings; the fields are those of the models' `Spec`."""

    cell: str
    input_size: int
    hidden_size: int
    backward_size: int | None = None
    layers: int = 1
    direction: str = "forward"
    activation: str = "tanh"
    reset: str = "after"
    biases: int = 1
    dropout: float = 0.0
    inputs: str = "tokens"
    prefix: str = ""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units of each direction."""
        one = (self.hidden_size,)
        return one if self.direction == "forward" else one + (self.backward_size or self.hidden_size,)

    @property
    def width(self) -> int:
        """Size of the hidden state that a layer hands on, all directions together."""
        return sum(self.sizes)

    @property
    def regular(self) -> bool:
        """Whether one library layer can stand for all: equal sizes, true directions, no dropout mask to take in."""
        return len(set(self.sizes)) == 1 and self.direction != "both forward" and self.dropout == 0

    @cached_property
    def all_places(self) -> tuple[Place, ...]:
        """Every cell, layer by layer, the forward direction first."""
        return tuple(
            Place(
                cell=self.cell,
                activation=self.activation,
                reset=self.reset,
                biases=self.biases,
                layer=layer,
                prefix=self.prefix,
                suffix=(f"_l{layer}" if layer else "") + ("_reverse" if second else ""),
                input_size=self.width if layer else self.input_size,
                hidden_size=size,
                inputs="features" if layer else self.inputs,
                backwards=bool(second) and self.direction == "bidirectional",
            )
            for layer in range(self.layers)
            for second, size in enumerate(self.sizes)
        )

    def places(self, layer: int) -> tuple[Place, ...]:
        """The cells of a layer, one for each direction."""
        count = len(self.sizes)
        return self.all_places[layer * count : (layer + 1) * count]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The canonical parameters in canonical order, each with its shape."""
        return {
            f"{place.prefix}{name}{place.suffix}": shape
            for place in self.all_places
            for name, shape in place.shapes().items()
        }

    def state_shapes(self, batch_size: int) -> dict[str, tuple[int, ...]]:
        """The arrays of the state, each (N, H)."""
        return {
            name + place.suffix: (batch_size, place.hidden_size)
            for place in self.all_places
            for name in place.spec.STATES
        }

    def keep_shapes(self, steps: int, batch_size: int) -> dict[str, tuple[int, ...]]:
        """The dropout masks between layers, each (T, N, width); none without dropout."""
        between = range(self.layers - 1) if self.dropout else ()
        return {f"{self.prefix}keep_l{layer}": (steps, batch_size, self.width) for layer in between}

    def longest_sum(self) -> int:
        """Terms of the longest inner product in one step."""
        return max(
            max(place.hidden_size, place.input_size if place.inputs == "features" else 1) for place in self.all_places
        )

    def products_per_step(self) -> int:
        """Multiplications of all matrix products for one token; a token's row of W_xh is looked up, not multiplied."""
        return sum(
            shape[0] * shape[1]
            for place in self.all_places
            for name, shape in place.shapes().items()
            if name == "W_hh" or (name == "W_xh" and place.inputs == "features")
        )

    def input_products_per_step(self) -> int:
        """Those among them that multiply what goes into the first layer."""
        places = [place for place in self.places(0) if place.inputs == "features"]
        return sum(place.spec.GATES * place.hidden_size * place.input_size for place in places)

    def kept_per_step(self) -> int:
        """Numbers that back-propagation needs of one step of one sequence."""
        return sum(place.spec.kept_per_step(place) * place.hidden_size for place in self.all_places)

    def unread(self, positions: int) -> int:
        """Elements of looked-up matrices W_xh that so many tokens cannot touch."""
        rows = [place.spec.GATES * place.hidden_size for place in self.places(0) if place.inputs == "tokens"]
        return sum(rows) * max(0, self.input_size - positions)

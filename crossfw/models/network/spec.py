"""One stack of cells with a head on top: language model, tagger, classifier, generator, contextual vectors.

    tokens or features -> [embedding] -> stack -> head -> loss

Without an embedding a token is the one-hot vector x_t, so that W_xh x_t is a column of W_xh; with one it is a row of
W_e (V, E), which learns. The parts have their equations in `cells`, `stack`, `heads` and `losses`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

from crossfw.models import settings
from crossfw.models.cost import Counts, batch_elements
from crossfw.models.heads import HEADS, POOLS, head_spec
from crossfw.models.losses.spec import positions
from crossfw.models.stack.spec import DIRECTIONS, StackSpec

INPUTS = ("tokens", "features")


@dataclass(frozen=True)
class Spec:
    """What every implementation of the model needs to know.

    Attributes:
        input_size: V tokens of the vocabulary, or D features of an input vector.
        hidden_size: H units of every cell (of the forward direction, where `backward_size` is given).
        output_size: Q outputs, the classes of the softmax.
        activation: the name of f, for the cells "rnn" and "dense".
        biases: recurrent biases, 1 (b_h) or 2 (b_xh and b_hh).
        inputs: "tokens", integers (T, N), or "features", reals (T, N, D).
        cell: "rnn", "gru", "lstm" or "dense".
        reset: where a GRU's reset gate acts, "before" or "after" the product.
        layers, direction, backward_size, dropout: of the stack; dropout is the probability p to drop a unit.
        embedding_size: E, or None for one-hot tokens.
        head: a key of `crossfw.models.heads.HEADS`.
        readout: whether a linear layer stands on top; without it the hidden states are the outputs.
        pool: what a classifier reads, the "last" state or the "mean" over the steps.
        reduction: of the loss, see `crossfw.models.losses.spec`.

    Raises:
        CrossfwError: for a value that is not allowed, and for a setting that would have no effect.
    """

    input_size: int
    hidden_size: int
    output_size: int
    activation: str = "tanh"
    biases: int = 1
    inputs: str = "tokens"
    cell: str = "rnn"
    reset: str = "after"
    layers: int = 1
    direction: str = "forward"
    backward_size: int | None = None
    dropout: float = 0.0
    embedding_size: int | None = None
    head: str = "language model"
    readout: bool = True
    pool: str = "last"
    reduction: str = "mean"

    def __post_init__(self) -> None:
        settings.check_cell(self)
        settings.check_choice("direction", self.direction, DIRECTIONS)
        settings.check_choice("head", self.head, HEADS)
        settings.check_choice("pool", self.pool, POOLS)
        if self.backward_size is not None:
            settings.check_size("backward_size", self.backward_size)
        idle = {
            "backward_size": self.backward_size is not None and self.direction == "forward",
            "pool": self.pool != "last" and self.head != "classifier",
            "embedding_size": self.embedding_size is not None and self.inputs == "features",
            "direction": self.cell == "dense" and self.direction != "forward",
            "reduction": self.reduction == "sequence means" and not head_spec(self.head).PER_STEP,
        }
        settings.refuse_idle(self, idle)
        if self.head == "context" and self.direction != "bidirectional":
            settings.refuse("head", self.head, f'direction is "{self.direction}"', 'set direction = "bidirectional"')
        if self.cell == "dense" and self.head == "classifier" and self.pool == "last":
            settings.refuse("pool", self.pool, "a dense cell has no last state", 'set pool = "mean"')
        if not self.readout and (HEADS[self.head] != "sequence" or self.width != self.output_size):
            found = f"{self.width} hidden units and {self.output_size} outputs, head {self.head}"
            settings.refuse("readout", False, found, "use an output per step, and as many hidden units as outputs")

    @cached_property
    def stack(self) -> StackSpec:
        """The stack under the head."""
        return StackSpec(
            cell=self.cell,
            input_size=self.embedding_size or self.input_size,
            hidden_size=self.hidden_size,
            backward_size=self.backward_size,
            layers=self.layers,
            direction=self.direction,
            activation=self.activation,
            reset=self.reset,
            biases=self.biases,
            dropout=self.dropout,
            inputs="features" if self.embedding_size else self.inputs,
        )

    @property
    def width(self) -> int:
        """Size of the hidden states, all directions together."""
        return self.stack.width

    @property
    def steppable(self) -> bool:
        """Whether outputs can be had step by step: nothing comes from later steps, and every step has its output."""
        return self.direction != "bidirectional" and HEADS[self.head] == "sequence"

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The canonical parameters in canonical order, each with its shape."""
        embedding = {"W_e": (self.input_size, self.embedding_size)} if self.embedding_size else {}
        return {**embedding, **self.stack.shapes(), **head_spec(self.head).shapes(self)}

    def activation_names(self) -> tuple[str, ...]:
        """What `forward` returns besides the last state: hidden (T, N, width) and output."""
        return ("hidden", "output")

    def state_shapes(self, batch_size: int) -> dict[str, tuple[int, ...]]:
        """The arrays of the state that one batch hands to the next, each (N, H)."""
        return self.stack.state_shapes(batch_size)

    def last_states(self) -> list[str]:
        """The names of the last layer's h, one for each direction; none where cells have no state."""
        return ["h" + place.suffix for place in self.stack.places(self.layers - 1) if place.spec.RECURRENT]

    def keep_shapes(self, batch: dict) -> dict[str, tuple[int, ...]]:
        """The dropout masks of a batch."""
        return self.stack.keep_shapes(*batch["inputs"].shape[:2])

    def output_shape(self, batch: dict) -> tuple[int, ...]:
        """Shape of the output for a batch."""
        return head_spec(self.head).output_shape(self, *batch["inputs"].shape[:2])

    def state_mask(self, batch: dict) -> object:
        """The mask under which states stay as they are; None where padding, which stands at the end, does no harm."""
        needed = self.direction == "bidirectional" or self.head == "classifier"
        return batch.get("mask") if needed else None

    def loss_mask(self, batch: dict) -> object:
        """The mask of the outputs: `shown` where a batch has it, else that of the steps."""
        return batch.get("shown", batch.get("mask")) if head_spec(self.head).PER_STEP else None

    def positions(self, batch: dict) -> int:
        """How many outputs the loss of a batch (of NumPy arrays) is about."""
        return positions(batch["targets"], self.loss_mask(batch))

    def tokens(self, batch: dict) -> int:
        """How many real steps the inputs of a batch (of NumPy arrays) have: what speed counts."""
        return int(np.prod(batch["inputs"].shape[:2]) if "mask" not in batch else batch["mask"].sum())

    def check(self, batch: dict) -> None:
        """Refuse a batch (of NumPy arrays) that a framework might take without a word.

        Raises:
            ValueError: for tokens or targets out of range, shapes that do not fit, and sequences without a real step.
        """
        inputs, steps = batch["inputs"], batch["inputs"].shape[:2]
        settings.check_shape("inputs", inputs, steps if self.inputs == "tokens" else (*steps, self.input_size))
        if self.inputs == "tokens":
            settings.check_indices("input token", inputs, self.input_size)
        if "targets" in batch:
            settings.check_shape("targets", batch["targets"], self.output_shape(batch)[:-1])
            settings.check_indices("target", batch["targets"], self.output_size)
        settings.check_mask("mask", batch.get("mask"), steps)
        settings.check_shown(batch.get("shown"), steps)

    def longest_sum(self) -> int:
        """Terms of the longest inner product in one step; the bounds on rounding grow with it."""
        return max(self.stack.longest_sum(), self.width, self.output_size)

    def depth(self, batch: dict) -> int:
        """How many sums feed one another."""
        return len(batch["inputs"]) * self.layers

    def counts(self, batch: dict) -> Counts:
        """What a step on a batch (of NumPy arrays) needs at least."""
        steps, sequences = batch["inputs"].shape[:2]
        positions, outputs = steps * sequences, prod(self.output_shape(batch))
        head = (positions if head_spec(self.head).PER_STEP else sequences) * self.output_size * self.width
        learned = self.embedding_size or self.inputs == "tokens"
        masks = sum(prod(shape) for shape in self.keep_shapes(batch).values())
        real, tokens = batch_elements(batch)
        embedding = max(0, self.input_size - positions) * (self.embedding_size or 0)
        return Counts(
            products=positions * self.stack.products_per_step() + (head if self.readout else 0),
            unlearned=0 if learned else positions * self.stack.input_products_per_step(),
            parameters=sum(prod(shape) for shape in self.shapes().values()),
            looked_up=embedding + self.stack.unread(positions),
            batch=real,
            tokens=tokens,
            hidden=positions * self.width * self.layers,
            kept=positions * self.stack.kept_per_step() + masks,
            outputs=outputs,
        )

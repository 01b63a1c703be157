"""Encoder and decoder (Sutskever et al., 2014; Cho et al., 2014): a sequence in, another of another length out.

    source (S, N) -> [embedding] -> encoder stack -> last state
    inputs (T, N) -> [embedding] -> decoder stack, which starts from that state -> y_t = W_hq h_t + b_q

The decoder's inputs are the right outputs one step earlier (teacher forcing); when it runs freely its own outputs are
fed back. With `context` the last hidden state of the encoder's last layer stands beside every input of the decoder,
as in D2L 9.7. A source mask holds the encoder's state where the source is padding; without one the encoder reads the
padding too, as D2L's does. The parameters of the two stacks are called `encoder.` and `decoder.`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod

from crossfw.models import settings
from crossfw.models.cost import Counts, batch_elements
from crossfw.models.losses.spec import positions
from crossfw.models.stack.spec import StackSpec


@dataclass(frozen=True)
class Spec:
    """What every implementation of the model needs to know.

    Attributes:
        source_size: tokens of the source's vocabulary.
        input_size, output_size: tokens of the target's vocabulary, going in and coming out.
        hidden_size: H units of every cell.
        context: whether the encoder's last hidden state stands beside the decoder's inputs; needs an embedding.
        The rest as in `crossfw.models.network.spec`.

    Raises:
        CrossfwError: for a value that is not allowed, and for a setting that would have no effect.
    """

    source_size: int
    input_size: int
    hidden_size: int
    output_size: int
    activation: str = "tanh"
    biases: int = 1
    cell: str = "rnn"
    reset: str = "after"
    layers: int = 1
    dropout: float = 0.0
    embedding_size: int | None = None
    context: bool = False
    reduction: str = "mean"
    inputs: str = "tokens"

    def __post_init__(self) -> None:
        settings.check_cell(self)
        if self.cell == "dense":
            settings.refuse(
                "cell", self.cell, "a cell without a state, which is all the encoder hands on", "use another"
            )
        if self.context and not self.embedding_size:
            settings.refuse("context", True, "no embedding_size", "set embedding_size: the context stands beside it")

    def _stack(self, prefix: str, tokens: int, beside: int) -> StackSpec:
        return StackSpec(
            cell=self.cell,
            input_size=(self.embedding_size or tokens) + beside,
            hidden_size=self.hidden_size,
            layers=self.layers,
            activation=self.activation,
            reset=self.reset,
            biases=self.biases,
            dropout=self.dropout,
            inputs="features" if self.embedding_size else "tokens",
            prefix=prefix,
        )

    @cached_property
    def encoder(self) -> StackSpec:
        """The stack that reads the source."""
        return self._stack("encoder.", self.source_size, 0)

    @cached_property
    def decoder(self) -> StackSpec:
        """The stack that writes the target."""
        return self._stack("decoder.", self.input_size, self.hidden_size if self.context else 0)

    @property
    def readout(self) -> bool:
        """There is always a linear layer on top."""
        return True

    @property
    def width(self) -> int:
        """Size of the hidden states."""
        return self.hidden_size

    @property
    def steppable(self) -> bool:
        """The decoder's steps follow from the source as a whole; see `crossfw.training.decoding`."""
        return False

    @property
    def top(self) -> str:
        """The name of the last layer's h."""
        return "h" + self.encoder.places(self.layers - 1)[0].suffix

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The canonical parameters in canonical order, each with its shape."""
        E = self.embedding_size
        return {
            **({"encoder.W_e": (self.source_size, E)} if E else {}),
            **self.encoder.shapes(),
            **({"decoder.W_e": (self.input_size, E)} if E else {}),
            **self.decoder.shapes(),
            "W_hq": (self.output_size, self.hidden_size),
            "b_q": (self.output_size,),
        }

    def activation_names(self) -> tuple[str, ...]:
        """What `forward` returns besides the last state: encoded (S, N, H), hidden (T, N, H), output (T, N, Q)."""
        return ("encoded", "hidden", "output")

    def state_shapes(self, batch_size: int) -> dict[str, tuple[int, ...]]:
        """The arrays of the encoder's first state and of the decoder's last, each (N, H)."""
        return self.encoder.state_shapes(batch_size)

    def keep_shapes(self, batch: dict) -> dict[str, tuple[int, ...]]:
        """The dropout masks of a batch."""
        return {
            **self.encoder.keep_shapes(*batch["source"].shape),
            **self.decoder.keep_shapes(*batch["inputs"].shape),
        }

    def output_shape(self, batch: dict) -> tuple[int, ...]:
        """(T, N, Q)."""
        return (*batch["inputs"].shape, self.output_size)

    def loss_mask(self, batch: dict) -> object:
        """The mask of the outputs."""
        return batch.get("mask")

    def positions(self, batch: dict) -> int:
        """How many outputs the loss of a batch (of NumPy arrays) is about."""
        return positions(batch["targets"], batch.get("mask"))

    def tokens(self, batch: dict) -> int:
        """How many real steps the targets of a batch (of NumPy arrays) have: what speed counts, as D2L does."""
        return self.positions(batch)

    def check(self, batch: dict) -> None:
        """Refuse a batch (of NumPy arrays) that a framework might take without a word.

        Raises:
            ValueError: for tokens or targets out of range, shapes that do not fit, and sequences without a real step.
        """
        steps, source = batch["inputs"].shape, (batch["source"].shape[0], batch["inputs"].shape[1])
        settings.check_shape("inputs", batch["inputs"], steps)
        settings.check_shape("source", batch["source"], source)
        settings.check_indices("source token", batch["source"], self.source_size)
        settings.check_indices("input token", batch["inputs"], self.input_size)
        if "targets" in batch:
            settings.check_shape("targets", batch["targets"], steps)
            settings.check_indices("target", batch["targets"], self.output_size)
        settings.check_mask("mask", batch.get("mask"), steps)
        settings.check_mask("source_mask", batch.get("source_mask"), source)

    def longest_sum(self) -> int:
        """Terms of the longest inner product in one step; the bounds on rounding grow with it."""
        return max(self.encoder.longest_sum(), self.decoder.longest_sum(), self.output_size)

    def depth(self, batch: dict) -> int:
        """How many sums feed one another."""
        return (len(batch["source"]) + len(batch["inputs"])) * self.layers

    def counts(self, batch: dict) -> Counts:
        """What a step on a batch (of NumPy arrays) needs at least."""
        read, written, E = batch["source"].size, batch["inputs"].size, self.embedding_size or 0
        masks = sum(prod(shape) for shape in self.keep_shapes(batch).values())
        real, tokens = batch_elements(batch)
        unread = max(0, self.source_size - read) * E + max(0, self.input_size - written) * E
        products = read * self.encoder.products_per_step() + written * self.decoder.products_per_step()
        return Counts(
            products=products + written * self.output_size * self.hidden_size,
            unlearned=0,
            parameters=sum(prod(shape) for shape in self.shapes().values()),
            looked_up=unread + self.encoder.unread(read) + self.decoder.unread(written),
            batch=real,
            tokens=tokens,
            hidden=(read + written) * self.hidden_size * self.layers,
            kept=read * self.encoder.kept_per_step() + written * self.decoder.kept_per_step() + masks,
            outputs=written * self.output_size,
        )

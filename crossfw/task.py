"""A task: model, data, recipe and published numbers, as frozen values; `catalogue.py` reads them from TOML files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crossfw.checks import require_choice, require_integer
from crossfw.data.inline import InlineSpec
from crossfw.errors import CrossfwError
from crossfw.models import IMPLEMENTATIONS, spec_class
from crossfw.models.cells.rnn.spec import ACTIVATIONS
from crossfw.models.initial import DISTRIBUTIONS, SCALED
from crossfw.optimizers.spec import OptimizerSpec

ENCODER_DECODER = "encoder-decoder"
QUANTITIES = ("training perplexity", "training loss", "D2L's seq2seq loss", "tokens per second")


@dataclass(frozen=True)
class ModelSection:
    """`[model]`: the kind of model, and the parts of its `Spec` that the data does not decide."""

    kind: str
    settings: dict[str, Any]


@dataclass(frozen=True)
class Recipe:
    """`[recipe]`: how it is trained. The keys of `OptimizerSpec` stand in the same table, its name as `optimizer`.

    Attributes:
        epochs: as published; quick_epochs: for `--suite quick`, where all are run if it is left out.
        quick_updates: batches of an epoch that `--suite quick` uses; None for all.
        seeds: from how many seeds at least it is trained in `--suite full`.
        compared_epochs: how many epochs of the curves are compared exactly, and trained in float64.
        full_implementations: those of crossfw's own that go through all epochs where the whole catalogue is run in
            full; the others stop where curves stop being compared. Long recipes name those that the published figures
            speak of. Empty for all.
        initial, initial_scale: how the weights start, see `crossfw.models.initial`.
    """

    epochs: int
    optimizer: OptimizerSpec
    quick_epochs: int | None = None
    quick_updates: int | None = None
    seeds: int = 1
    compared_epochs: int = 100
    full_implementations: tuple = ()
    initial: str = "normal"
    initial_scale: float | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "seeds", "compared_epochs"):
            require_integer(f"recipe.{name}", getattr(self, name), 1)
        for name in ("quick_epochs", "quick_updates"):
            if getattr(self, name) is not None:
                require_integer(f"recipe.{name}", getattr(self, name), 1)
        for name in self.full_implementations:
            require_choice("recipe.full_implementations", name, IMPLEMENTATIONS[1:])
        require_choice("recipe.initial", self.initial, DISTRIBUTIONS)
        if (self.initial in SCALED) != (self.initial_scale is not None):
            found = "no initial_scale" if self.initial in SCALED else "an initial_scale, which has no effect"
            raise CrossfwError(f'recipe.initial = "{self.initial}"', found, "give a scale to normal and uniform alone")
        if self.initial_scale is not None and not self.initial_scale > 0:
            raise CrossfwError(
                f"recipe.initial_scale = {self.initial_scale}", "not a positive number", "give a number above 0"
            )


@dataclass(frozen=True)
class Generation:
    """`[generate]`: what a trained language model is asked to continue, or how much a generator is to write."""

    prefix: str = ""
    count: int = 50
    temperature: float = 1.0


@dataclass(frozen=True)
class Published:
    """`[[published]]`: a number that somebody else measured.

    Attributes:
        quantity: one of `QUANTITIES`, or a measure that the task's data have, such as "accuracy (test)".
        implementation: the one it speaks of.
        epoch: after which it was measured; None for the last one.
        margin: on the ratio of measured and published, for figures that are printed with few digits.
        low, high: between which the measured one must lie, in place of the margin.

    Raises:
        CrossfwError: an unknown quantity or implementation, or half of a range.
    """

    quantity: str
    framework: str
    implementation: str
    value: float
    source: str
    epoch: int | None = None
    margin: float = 0.1
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        require_choice("published.implementation", self.implementation, IMPLEMENTATIONS[1:])
        if not self.quantity.endswith(")"):  # a measure names its data: "accuracy (test data)"
            require_choice("published.quantity", self.quantity, QUANTITIES)
        if (self.low is None) != (self.high is None):
            raise CrossfwError(f"published {self.quantity}", "only one of low and high", "give both, or neither")


@dataclass(frozen=True)
class Example:
    """`[[example]]`: outputs that follow from all weights 1 and all biases 0, worked out by hand.

    Outputs are (T, Q), for the inline features of the first sequence; hidden the first states (t, H). They are
    exact to 1e-15, or printed with so many `decimals`.
    """

    activation: str
    outputs: tuple
    framework: str
    source: str
    hidden: tuple = ()
    decimals: int | None = None

    def __post_init__(self) -> None:
        require_choice("example.activation", self.activation, ACTIVATIONS)


@dataclass(frozen=True)
class Task:
    """One experiment, without the implementations that carry it out."""

    name: str
    title: str
    description: str
    model: ModelSection
    data: Any
    recipe: Recipe | None = None
    generate: Generation | None = None
    published: tuple[Published, ...] = ()
    example: tuple[Example, ...] = ()

    def spec(self, sizes: dict[str, int]) -> Any:
        """The model's `Spec`, with the sizes that the data gave.

        Raises:
            CrossfwError: settings that do not go together.
        """
        inputs = {"inputs": "features"} if isinstance(self.data, InlineSpec) else {}
        return spec_class(self.model.kind)(**sizes, **inputs, **self.model.settings)

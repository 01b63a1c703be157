"""Sequence classification: one class for a whole text ("many-to-one")."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from crossfw.checks import require_integer
from crossfw.data.batches import Batch
from crossfw.data.columns import read_pairs
from crossfw.data.examples import Example, Examples, divide
from crossfw.data.grammars import sentiment
from crossfw.data.preparation import sentence_tokens
from crossfw.data.sequences import lengths, pad, real_steps
from crossfw.data.settings import SequenceSpec, require_idle
from crossfw.data.splits import SplitDataset, build_vocabulary, encode_splits
from crossfw.data.vocabulary import Vocabulary
from crossfw.errors import CrossfwError
from crossfw.measures import accuracy, f1


@dataclass(frozen=True)
class ClassificationSpec(SequenceSpec):
    """`[data]` with kind = "classification".

    Args:
        corpus: "sentiment" (reviews of one to five stars), or a file `.tsv`: on each line a label, a tab and a text,
            which is put into lower case, with blanks before `, . ! ?`.
        min_frequency: rarer tokens become `<unk>`.
        binary: with corpus "sentiment", two classes, negative and positive, in place of five.
    """

    kind: ClassVar[str] = "classification"
    CORPORA: ClassVar[tuple[str, ...]] = ("sentiment",)
    SUFFIX: ClassVar[str] = ".tsv"

    min_frequency: int = 1
    binary: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require_integer("min_frequency", self.min_frequency, 1)
        self._require_corpus()
        if not isinstance(self.binary, bool):
            raise CrossfwError(f"binary = {self.binary!r}", f"a {type(self.binary).__name__}", "give true or false")
        if self.own:
            require_idle(self, ("binary",), "corpus")


@dataclass(frozen=True, eq=False)
class ClassificationDataset(SplitDataset):
    """Batches with inputs (T, N) and targets (N,); see `SplitDataset`."""

    def measures(self, predictions: list[np.ndarray], split: str) -> dict[str, float]:
        """The "accuracy", and the macro "F1"."""
        fitting = self._fitting(predictions, split)
        if not fitting:
            return {}
        expected = np.concatenate([batch.targets for batch, _ in fitting])
        predicted = np.concatenate([array for _, array in fitting])
        return {"accuracy": accuracy(expected, predicted), "F1": f1(expected, predicted)}

    def _as_text(self, predictions: list[np.ndarray], split: str) -> list[list[str]]:
        labels = self.vocabularies["output"]
        return [[label] for _, array in self._fitting(predictions, split) for label in labels.decode(array)]


def load_classification(spec: ClassificationSpec) -> ClassificationDataset:
    """Read or draw the examples, and encode them.

    Raises:
        CrossfwError: if the user's file cannot be read, or has too few examples or one class only.
    """
    examples = _read(spec) if spec.own else sentiment.draw(spec, spec.binary)
    every = [example for split in examples.values() for example in split]
    counts = lengths([example.given for example in every], "classification")
    inputs = build_vocabulary((example.given for example in examples["training"]), spec.min_frequency)
    labels = Vocabulary(tuple(sorted({label for example in every for label in example.wanted})), closed=True)
    steps = spec.steps or int(counts.max())
    masked = bool((counts < steps).any())
    splits = encode_splits(examples, lambda part: _encode(part, inputs, labels, steps, masked))
    return ClassificationDataset(
        spec, {"input": inputs, "output": labels}, examples, splits, int((counts > steps).sum())
    )


def _read(spec: ClassificationSpec) -> Examples:
    pairs = read_pairs(Path(spec.corpus), ("a label", "a text"))
    if len({label for label, _ in pairs}) < 2:
        found = f"one label only: {pairs[0][0]!r}"
        raise CrossfwError(f"classes of {spec.corpus}", found, "give examples of at least two classes")
    return divide([Example(sentence_tokens(text), (label,)) for label, text in pairs], spec)


def _encode(examples: tuple[Example, ...], inputs: Vocabulary, labels: Vocabulary, steps: int, masked: bool) -> Batch:
    counts = np.array([len(example.given) for example in examples])
    return Batch(
        pad([inputs.encode(example.given) for example in examples], steps, inputs.padding),
        np.concatenate([labels.encode(example.wanted) for example in examples]),
        real_steps(counts, steps) if masked else None,
    )

"""Sequence labelling: a tag for every token ("many-to-many" of equal length)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from crossfw.checks import require_choice, require_integer
from crossfw.data.batches import Batch
from crossfw.data.columns import read_conll
from crossfw.data.examples import Example, Examples, divide
from crossfw.data.grammars import names
from crossfw.data.preparation import UNITS
from crossfw.data.sequences import lengths, pad, real_steps, unpad
from crossfw.data.settings import SequenceSpec, require_idle
from crossfw.data.splits import SplitDataset, build_vocabulary, encode_splits
from crossfw.data.vocabulary import Vocabulary
from crossfw.errors import CrossfwError
from crossfw.measures import accuracy, f1


@dataclass(frozen=True)
class TaggingSpec(SequenceSpec):
    """`[data]` with kind = "tagging".

    Args:
        corpus: "names" (is a word part of a person's name?), or a column file `.conll`: on each line a token and, in
            the last column, its tag; an empty line ends a sentence.
        min_frequency: rarer tokens become `<unk>`.
        sequences: in place of a corpus, pairs of a sequence and its tags as texts of equal length.
        unit: with `sequences`, what a token and a tag is: "character" or "word".
        alphabet: with unit "character", all symbols, in the order of their indices; there is then no `<unk>` and no
            `<pad>`, and the tags are of the same alphabet.
    """

    kind: ClassVar[str] = "tagging"
    CORPORA: ClassVar[tuple[str, ...]] = ("names",)
    SUFFIX: ClassVar[str] = ".conll"

    min_frequency: int = 1
    sequences: tuple = ()
    unit: str = "word"
    alphabet: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_integer("min_frequency", self.min_frequency, 1)
        require_choice("unit", self.unit, UNITS)
        self._require_corpus("sequences")
        if not self.sequences:
            require_idle(self, ("unit", "alphabet"), "corpus")
        if self.unit == "word":
            require_idle(self, ("alphabet",), "unit")
        if self.alphabet:
            require_idle(self, ("min_frequency",), "alphabet")
            Vocabulary(tuple(self.alphabet), closed=True)
        for place, pair in enumerate(self.sequences, 1):
            self._require_pair(pair, place)

    def _require_pair(self, pair: Any, place: int) -> None:
        asked = f"sequences, number {place}: {pair!r}"
        if not isinstance(pair, tuple) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
            raise CrossfwError(asked, "not two texts", 'write each as ["sequence", "its tags"]')
        given, wanted = map(self.split, pair)
        if len(given) != len(wanted) or not given:
            found = f"{len(given)} tokens and {len(wanted)} tags"
            raise CrossfwError(asked, found, f"give one tag ({self.unit}) for every token, and at least one")
        strange = sorted({*given, *wanted} - set(self.alphabet)) if self.alphabet else []
        if strange:
            raise CrossfwError(asked, f"not in the alphabet: {''.join(strange)}", "add it to the alphabet")

    def split(self, text: str) -> tuple[str, ...]:
        """The tokens, or tags, of an inline text."""
        return tuple(text) if self.unit == "character" else tuple(text.split())


@dataclass(frozen=True, eq=False)
class TaggingDataset(SplitDataset):
    """Batches with inputs (T, N) and targets (T, N); see `SplitDataset`."""

    @property
    def separator(self) -> str:
        """What stands between tokens in a text for people."""
        return "" if self.spec.unit == "character" else " "

    def measures(self, predictions: list[np.ndarray], split: str) -> dict[str, float]:
        """Over the real steps: "accuracy", and "F1" of names; with other tags than these the macro F1."""
        fitting = self._fitting(predictions, split)
        if not fitting:
            return {}
        expected = np.concatenate([step for batch, _ in fitting for step in unpad(batch.targets, batch.mask)])
        predicted = np.concatenate([step for batch, array in fitting for step in unpad(array, batch.mask)])
        positive = self.vocabularies["output"].index(names.NAME) if self.spec.corpus == "names" else None
        return {"accuracy": accuracy(expected, predicted), "F1": f1(expected, predicted, positive)}

    def _as_text(self, predictions: list[np.ndarray], split: str) -> list[list[str]]:
        tags = self.vocabularies["output"]
        fitting = self._fitting(predictions, split)
        return [tags.decode(steps) for batch, array in fitting for steps in unpad(array, batch.mask)]

    def pair(self) -> tuple[Batch, int]:
        """Two sentences that are the same up to a word which is a name in the first one only.

        Returns:
            A batch of both, and the step of that word.

        Raises:
            CrossfwError: for another corpus than "names".
        """
        if self.spec.corpus != "names":
            raise CrossfwError(f"a pair of {self.spec.corpus!r}", "it has none", 'use corpus = "names"')
        vocabularies = self.vocabularies["input"], self.vocabularies["output"]
        steps = self.splits["training"].inputs.shape[0]
        return _encode(names.PAIR, *vocabularies, steps, masked=True), names.PAIR_POSITION


def load_tagging(spec: TaggingSpec) -> TaggingDataset:
    """Read, draw or take over the examples, and encode them.

    Raises:
        CrossfwError: if the user's file cannot be read, or there are too few examples.
    """
    examples = _examples(spec)
    both = [(example.given, example.wanted) for split in examples.values() for example in split]
    counts = lengths([given for given, _ in both], "tagging")
    if spec.alphabet:
        inputs = tags = Vocabulary(tuple(spec.alphabet), closed=True)
    else:
        inputs = build_vocabulary((example.given for example in examples["training"]), spec.min_frequency)
        tags = Vocabulary(_tags(spec, both), closed=True)
    steps = spec.steps or int(counts.max())
    masked = bool((counts < steps).any())
    splits = encode_splits(examples, lambda part: _encode(part, inputs, tags, steps, masked))
    return TaggingDataset(spec, {"input": inputs, "output": tags}, examples, splits, int((counts > steps).sum()))


def _examples(spec: TaggingSpec) -> Examples:
    if spec.sequences:
        inline = tuple(Example(*map(spec.split, pair)) for pair in spec.sequences)
        return {"training": inline, "validation": (), "test": ()}
    return divide(read_conll(Path(spec.corpus)), spec) if spec.own else names.draw(spec)


def _tags(spec: TaggingSpec, both: list[tuple]) -> tuple[str, ...]:
    return names.TAGS if spec.corpus == "names" else tuple(sorted({tag for _, tags in both for tag in tags}))


def _encode(examples: tuple[Example, ...], inputs: Vocabulary, tags: Vocabulary, steps: int, masked: bool) -> Batch:
    counts = np.array([len(example.given) for example in examples])
    return Batch(
        pad([inputs.encode(example.given) for example in examples], steps, inputs.padding),
        pad([tags.encode(example.wanted) for example in examples], steps, 0),
        real_steps(counts, steps) if masked else None,
    )

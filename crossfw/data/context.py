"""Word vectors in context: at every word the next and the previous one are predicted, one by each direction.

The states of such a network at a word are its vector there, and a word of two senses should have two kinds of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from crossfw.checks import require_integer
from crossfw.data.batches import Batch
from crossfw.data.examples import Example, Examples
from crossfw.data.grammars import senses
from crossfw.data.sequences import lengths, pad, real_steps, unpad
from crossfw.data.settings import SPLIT_SETTINGS, SequenceSpec, require_idle
from crossfw.data.splits import SplitDataset, build_vocabulary, encode_splits
from crossfw.data.vocabulary import PAD, Vocabulary
from crossfw.errors import CrossfwError
from crossfw.measures import accuracy

BOS, EOS = "<bos>", "<eos>"
_FRAME = 2  # <bos> and <eos>


@dataclass(frozen=True)
class ContextSpec(SequenceSpec):
    """`[data]` with kind = "context".

    Args:
        corpus: "bank" (two sentences, to train on and to probe) or "senses" (words of two senses).
        min_frequency: rarer tokens become `<unk>`.
        steps: with `<bos>` and `<eos>`, so at least 3.
    """

    kind: ClassVar[str] = "context"
    CORPORA: ClassVar[tuple[str, ...]] = ("bank", "senses")
    SUFFIX: ClassVar[str] = ""

    min_frequency: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        require_integer("min_frequency", self.min_frequency, 1)
        if self.steps is not None:
            require_integer("steps", self.steps, 1 + _FRAME)
        self._require_corpus()
        if self.corpus == "bank":
            require_idle(self, (*SPLIT_SETTINGS, "source_seed"), "corpus")


@dataclass(frozen=True, eq=False)
class Probes:
    """M sentences in which one word has two senses.

    Args:
        batches: the sentences, in order; inputs (T, N).
        sentences: as text, (M,).
        positions: the step of the word in its sentence, int64 (M,).
        words: the word itself, (M,).
        senses: its sense, (M,).
    """

    batches: list[Batch]
    sentences: tuple[str, ...]
    positions: np.ndarray
    words: tuple[str, ...]
    senses: tuple[str, ...]

    def vectors(self, states: list[np.ndarray]) -> np.ndarray:
        """The states at the words.

        Args:
            states: for each batch, (T, N, H).

        Returns:
            (M, H).

        Raises:
            CrossfwError: if the states do not fit the batches.
        """
        wanted = [batch.inputs.shape for batch in self.batches]
        found = [np.shape(array) for array in states]
        if [shape[:2] for shape in found] != wanted or any(len(shape) != 3 for shape in found):
            asked = f"states for batches of shapes {wanted}"
            raise CrossfwError(asked, f"states of shapes {found}", "give the states of each batch, (T, N, H)")
        columns = np.concatenate(states, axis=1)  # (T, M, H)
        return columns[self.positions, np.arange(len(self.positions))]


@dataclass(frozen=True, eq=False)
class ContextDataset(SplitDataset):
    """Batches with inputs (T, N), whole sentences between `<bos>` and `<eos>`, and targets (T, N, 2).

    `targets[t, n]` are the next and the previous token; `shown` is 1 at words only, which always have both.
    """

    def measures(self, predictions: list[np.ndarray], split: str) -> dict[str, float]:
        """Over the words: "next word accuracy" and "previous word accuracy"."""
        fitting = self._fitting(predictions, split)
        if not fitting:
            return {}
        expected = np.concatenate([step for batch, _ in fitting for step in unpad(batch.targets, batch.shown)])
        predicted = np.concatenate([step for batch, array in fitting for step in unpad(array, batch.shown)])
        sides = enumerate(("next", "previous"))
        return {f"{side} word accuracy": accuracy(expected[:, place], predicted[:, place]) for place, side in sides}

    def show(self, predictions: list[np.ndarray], split: str, count: int) -> list[dict[str, str]]:
        """The first `count` sentences; expected and predicted are the next words, one for each word."""
        words, shown = self.vocabularies["output"], []
        for batch, array in self._fitting(predictions, split):
            for expected, predicted in zip(unpad(batch.targets, batch.shown), unpad(array, batch.shown), strict=True):
                shown.append((" ".join(words.decode(expected[:, 0])), " ".join(words.decode(predicted[:, 0]))))
        return [
            {"input": " ".join(example.given), "expected": expected, "predicted": predicted}
            for example, (expected, predicted) in zip(self.examples[split][:count], shown, strict=False)
        ]

    def probes(self) -> Probes:
        """The test sentences, which no training has seen; of the corpus "bank" the two there are."""
        split = "training" if self.spec.corpus == "bank" else "test"
        examples = self.examples[split]
        positions = np.array([senses.ambiguous_word(example.given) for example in examples], dtype=np.int64)
        return Probes(
            self.batches(split),
            tuple(" ".join(example.given) for example in examples),
            positions + 1,  # <bos> comes first
            tuple(example.given[position] for example, position in zip(examples, positions, strict=True)),
            tuple(example.wanted[0] for example in examples),
        )


def load_context(spec: ContextSpec) -> ContextDataset:
    """Take or draw the sentences, and encode them.

    Raises:
        CrossfwError: if `steps` cuts a sentence before its word of two senses, or the grammar does not make so many.
    """
    bank = {"training": senses.BANK, "validation": (), "test": ()}
    examples = bank if spec.corpus == "bank" else senses.draw(spec)
    every = [example for split in examples.values() for example in split]
    counts = lengths([example.given for example in every], "context") + _FRAME
    vocabulary = build_vocabulary(
        (example.given for example in examples["training"]), spec.min_frequency, (PAD, BOS, EOS)
    )
    steps = spec.steps or int(counts.max())
    _require_words_within(examples, steps)
    splits = encode_splits(examples, lambda part: _encode(part, vocabulary, steps))
    cut = int((counts > steps).sum())
    return ContextDataset(spec, {"input": vocabulary, "output": vocabulary}, examples, splits, cut)


def _require_words_within(examples: Examples, steps: int) -> None:
    last = max(senses.ambiguous_word(example.given) for split in examples.values() for example in split) + 1
    if last + 1 >= steps:
        found = f"a word of two senses at step {last}, and <eos> must follow"
        raise CrossfwError(f"steps = {steps}", found, f"give at least {last + 2}, or leave steps out")


def _encode(examples: tuple[Example, ...], vocabulary: Vocabulary, steps: int) -> Batch:
    # What is too long is cut between <bos> and <eos>, so that every word has a neighbour on both sides.
    sentences = [(BOS, *example.given[: steps - _FRAME], EOS) for example in examples]
    inputs = pad([vocabulary.encode(sentence) for sentence in sentences], steps, vocabulary.padding)  # (T, M)
    following, previous = np.roll(inputs, -1, axis=0), np.roll(inputs, 1, axis=0)
    counts = np.array([len(sentence) for sentence in sentences])
    words = real_steps(counts - 1, steps)
    words[0] = 0
    targets = np.stack([following, previous], axis=-1)
    targets[words == 0] = vocabulary.padding
    return Batch(inputs, targets, real_steps(counts, steps), shown=words)

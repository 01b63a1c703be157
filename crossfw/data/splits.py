"""Data of separate sequences: training, validation and test examples, their arrays, and how well they are predicted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from crossfw.checks import require_choice, require_integer
from crossfw.data.batches import Batch
from crossfw.data.examples import Example, Examples
from crossfw.data.sequences import cut
from crossfw.data.settings import SPLITS, SequenceSpec
from crossfw.data.vocabulary import PAD, UNKNOWN, Vocabulary
from crossfw.errors import CrossfwError


@dataclass(frozen=True, eq=False)
class SplitDataset:
    """What one task trains on and is judged by, where the data are separate sequences.

    Args:
        spec: what it was made from.
        vocabularies: "input" and "output"; for translation "source" too.
        examples: the sequences as text; all three splits, of which "validation" and "test" may be empty.
        splits: by split one batch of all its sequences; the empty ones are left out.
        cut_sequences: how many sequences were longer than the steps.
    """

    carries_state: ClassVar[bool] = False
    floor: ClassVar[None] = None
    separator: ClassVar[str] = " "

    spec: SequenceSpec
    vocabularies: dict[str, Vocabulary]
    examples: Examples
    splits: dict[str, Batch]
    cut_sequences: int

    def training(self, seed: int, epoch: int) -> list[Batch]:
        """The batches of one epoch; the same seed and epoch give the same batches in every process.

        Raises:
            CrossfwError: if `seed` or `epoch` is no integer of at least 0.
        """
        require_integer("seed", seed, 0)
        require_integer("epoch", epoch, 0)
        whole = self.splits["training"]
        order = np.random.default_rng([seed, epoch]).permutation(whole.inputs.shape[1])
        return cut(whole, self.spec.batch_size, order)

    def validation(self) -> list[Batch]:
        """The batches to validate on, always the same."""
        return self.batches("validation")

    def test(self) -> list[Batch]:
        """The batches to judge by, always the same."""
        return self.batches("test")

    def batches(self, split: str) -> list[Batch]:
        """The batches of a split, also of "training", in the order of its examples; empty if the split is.

        Raises:
            CrossfwError: for an unknown split.
        """
        require_choice("split", split, SPLITS)
        return cut(self.splits[split], self.spec.batch_size) if split in self.splits else []

    @property
    def sizes(self) -> dict[str, int]:
        """The sizes that a model needs: "input_size", "output_size"; for translation "source_size" too."""
        return {f"{role}_size": len(vocabulary) for role, vocabulary in self.vocabularies.items()}

    def describe(self) -> dict[str, int]:
        """Sizes of vocabularies and splits, for a report."""
        facts = {f"{role} vocabulary": len(vocabulary) for role, vocabulary in self.vocabularies.items()}
        facts["steps"] = self.splits["training"].inputs.shape[0]
        for split, whole in self.splits.items():
            facts[f"{split} sequences"] = whole.inputs.shape[1]
            facts[f"{split} tokens"] = int(_real(whole).sum())
            facts[f"{split} tokens unknown"] = self._unknown(whole)
        return {**facts, "sequences cut": self.cut_sequences}

    def _unknown(self, whole: Batch) -> int:
        vocabulary = self.vocabularies["input"]
        return 0 if vocabulary.closed else int(((whole.inputs == vocabulary.unknown) * _real(whole)).sum())

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over spec, vocabularies, examples and arrays, to cache by."""
        vocabularies = {role: vocabulary.tokens for role, vocabulary in self.vocabularies.items()}
        examples = {split: [asdict(example) for example in self.examples[split]] for split in SPLITS}
        described = [self.spec.kind, asdict(self.spec), vocabularies, examples]
        digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
        for split, whole in self.splits.items():
            for name, array in whole.arrays().items():
                digest.update(f"{split} {name} {array.shape}".encode())
                digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
        return digest.hexdigest()

    def measures(self, predictions: list[np.ndarray], split: str) -> dict[str, float]:
        """How well a split is predicted, by the name of the measure.

        Args:
            predictions: a class for every target of `batches(split)`: int64, of the shape of `targets`.
            split: "training", "validation" or "test".

        Raises:
            CrossfwError: if the predictions do not fit the batches of that split.
        """
        raise NotImplementedError

    def show(self, predictions: list[np.ndarray], split: str, count: int) -> list[dict[str, str]]:
        """The first `count` examples of a split: {"input", "expected", "predicted"}, as text.

        Raises:
            CrossfwError: as `measures`.
        """
        predicted = self._as_text(predictions, split)
        return [
            {
                "input": self.separator.join(example.given),
                "expected": self.separator.join(example.wanted),
                "predicted": self.separator.join(tokens),
            }
            for example, tokens in zip(self.examples[split][:count], predicted, strict=False)
        ]

    def _as_text(self, predictions: list[np.ndarray], split: str) -> list[list[str]]:
        """The predictions for each sequence of a split, as tokens."""
        raise NotImplementedError

    def _fitting(self, predictions: list[np.ndarray], split: str) -> list[tuple[Batch, np.ndarray]]:
        """Each batch of a split with its predictions, which have the shape of its targets."""
        batches = self.batches(split)
        wanted, found = [batch.targets.shape for batch in batches], [np.shape(array) for array in predictions]
        if wanted != found:
            remedy = f'predict each of batches("{split}"), in that order'
            raise CrossfwError(f"predictions of shapes {wanted} for {split}", f"predictions of shapes {found}", remedy)
        return list(zip(batches, map(np.asarray, predictions), strict=True))


def _real(whole: Batch) -> np.ndarray:
    return np.ones(whole.inputs.shape) if whole.mask is None else whole.mask


def build_vocabulary(
    training: Iterable[Iterable[str]], min_frequency: int, reserved: tuple[str, ...] = (PAD,)
) -> Vocabulary:
    """The vocabulary of training sequences; what occurs in the other splits only is `<unk>`.

    Raises:
        CrossfwError: if no token is frequent enough.
    """
    vocabulary = Vocabulary.build((t for tokens in training for t in tokens), min_frequency, reserved=reserved)
    if len(vocabulary) == 1 + len(reserved):
        found = f"a vocabulary of no token beside {UNKNOWN}"
        raise CrossfwError(f"min_frequency = {min_frequency}", found, "lower min_frequency")
    return vocabulary


def encode_splits(examples: Examples, encode: Callable[[tuple[Example, ...]], Batch]) -> dict[str, Batch]:
    """The arrays of the splits that are not empty."""
    return {split: encode(examples[split]) for split in SPLITS if examples[split]}

"""Generation from a single token: a genre in, a tune out, each note given back as the next input ("one-to-many")."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from crossfw.data.batches import Batch
from crossfw.data.examples import Example, divide
from crossfw.data.grammars import music
from crossfw.data.sequences import lengths, pad, real_steps, unpad
from crossfw.data.settings import SequenceSpec
from crossfw.data.splits import SplitDataset, encode_splits
from crossfw.data.tunes import read_tunes
from crossfw.data.vocabulary import Vocabulary
from crossfw.measures import accuracy


@dataclass(frozen=True)
class GenerationSpec(SequenceSpec):
    """`[data]` with kind = "generation".

    Args:
        corpus: "music" (tunes of four genres), or a folder with one folder for each genre, which hold tunes as `.abc`,
            `.mid` or `.midi` files (this needs the extra `music`); its path must have a "/" in it.
    """

    kind: ClassVar[str] = "generation"
    CORPORA: ClassVar[tuple[str, ...]] = ("music",)
    SUFFIX: ClassVar[str] = "/"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_corpus()


@dataclass(frozen=True, eq=False)
class GenerationDataset(SplitDataset):
    """Batches with inputs (T, N), first the genre and then the notes up to the last but one, and targets (T, N), notes.

    The input vocabulary begins with the output vocabulary, so that a note that was put out can be put in; the genres
    follow.
    """

    @property
    def genres(self) -> tuple[str, ...]:
        """The genres, in the order of their indices."""
        return self.vocabularies["input"].tokens[len(self.vocabularies["output"]) :]

    def measures(self, predictions: list[np.ndarray], split: str) -> dict[str, float]:
        """The "accuracy" of the next note, over the real steps."""
        fitting = self._fitting(predictions, split)
        if not fitting:
            return {}
        expected = np.concatenate([step for batch, _ in fitting for step in unpad(batch.targets, batch.mask)])
        predicted = np.concatenate([step for batch, array in fitting for step in unpad(array, batch.mask)])
        return {"accuracy": accuracy(expected, predicted)}

    def _as_text(self, predictions: list[np.ndarray], split: str) -> list[list[str]]:
        notes = self.vocabularies["output"]
        fitting = self._fitting(predictions, split)
        return [notes.decode(steps) for batch, array in fitting for steps in unpad(array, batch.mask)]


def load_generation(spec: GenerationSpec) -> GenerationDataset:
    """Read or draw tunes, and encode them; the vocabulary has the notes of all splits, in alphabetical order.

    Raises:
        CrossfwError: if the extra `music` is missing, a file cannot be read, or there are too few tunes.
    """
    if spec.own:
        examples = divide(read_tunes(Path(spec.corpus)), spec, key=lambda example: example.wanted)
    else:
        examples = music.draw(spec)
    every = [example for split in examples.values() for example in split]
    counts = lengths([example.wanted for example in every], "tunes")
    notes = sorted({token for example in every for token in example.wanted})
    outputs = Vocabulary(tuple(notes), closed=True)
    inputs = Vocabulary((*notes, *sorted({example.given[0] for example in every})), closed=True)
    steps = spec.steps or int(counts.max())
    masked = bool((counts < steps).any())
    splits = encode_splits(examples, lambda part: _encode(part, inputs, steps, masked))
    cut = int((counts > steps).sum())
    return GenerationDataset(spec, {"input": inputs, "output": outputs}, examples, splits, cut)


def _encode(examples: tuple[Example, ...], vocabulary: Vocabulary, steps: int, masked: bool) -> Batch:
    counts = np.array([len(example.wanted) for example in examples])
    return Batch(
        pad([vocabulary.encode((*example.given, *example.wanted[:-1])) for example in examples], steps, 0),
        pad([vocabulary.encode(example.wanted) for example in examples], steps, 0),
        real_steps(counts, steps) if masked else None,
    )

"""How pairs of texts become arrays for an encoder-decoder; the decoder is given the target one step late.

"words", as in D2L 0.17 (`load_data_nmt`): source and target end in `<eos>` and are cut and padded to T steps; decoder
inputs are `<bos>` and the target without its last step. What is cut loses its `<eos>`.

"padded words", letters of single words: the alphabet is S, E, ? and a to z. A word is padded with ? to T letters; the
source ends in E, decoder inputs are S and the target, targets are the target and E, so that all have T + 1 steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_lowercase

import numpy as np

from crossfw.data.batches import Batch
from crossfw.data.examples import Example, Examples
from crossfw.data.sequences import lengths, pad, real_steps
from crossfw.data.splits import build_vocabulary, encode_splits
from crossfw.data.vocabulary import PAD, Vocabulary
from crossfw.errors import CrossfwError

WORDS, PADDED_WORDS = SCHEMES = ("words", "padded words")
BOS, EOS = "<bos>", "<eos>"
START, END, BLANK = "S", "E", "?"
RESERVED = (PAD, BOS, EOS)


@dataclass(frozen=True, eq=False)
class Encoded:
    """Arrays and vocabularies of pairs, and how many pairs were cut; see `SplitDataset`."""

    vocabularies: dict[str, Vocabulary]
    splits: dict[str, Batch]
    cut_sequences: int


def end_of(scheme: str) -> str:
    """The token that ends a target."""
    return END if scheme == PADDED_WORDS else EOS


def encode_words(examples: Examples, steps: int | None, min_frequency: int, mask_source: bool) -> Encoded:
    """Pairs of sentences, in the scheme "words".

    Args:
        examples: source and target tokens.
        steps: T; None: the longest sentence and its `<eos>`.
        min_frequency: rarer tokens become `<unk>`.
        mask_source: whether batches have a `source_mask`.
    """
    sides = [[example.given for example in examples["training"]], [example.wanted for example in examples["training"]]]
    source, target = (build_vocabulary(side, min_frequency, RESERVED) for side in sides)
    longest = _longest(examples) + 1
    steps = steps or int(longest.max())

    def encode(part: tuple[Example, ...]) -> Batch:
        sources = [source.encode((*example.given, EOS)) for example in part]
        targets = [target.encode((*example.wanted, EOS)) for example in part]
        padded = pad(targets, steps, target.padding)
        return Batch(
            _one_later(padded, target.index(BOS)),
            padded,
            real_steps(lengths(targets, "targets"), steps),
            pad(sources, steps, source.padding),
            real_steps(lengths(sources, "sources"), steps) if mask_source else None,
        )

    vocabularies = {"source": source, "input": target, "output": target}
    return Encoded(vocabularies, encode_splits(examples, encode), int((longest > steps).sum()))


def encode_padded_words(examples: Examples, steps: int | None) -> Encoded:
    """Pairs of words, in the scheme "padded words".

    Args:
        examples: source and target letters.
        steps: T; None: the longest word.

    Raises:
        CrossfwError: for another letter than a to z.
    """
    alphabet = Vocabulary((START, END, BLANK, *ascii_lowercase), closed=True)
    longest = _longest(examples)
    steps = steps or int(longest.max())
    _require_letters(examples)

    def encode(part: tuple[Example, ...]) -> Batch:
        source, target = (
            pad([alphabet.encode(word) for word in side], steps, alphabet.index(BLANK))
            for side in ([example.given for example in part], [example.wanted for example in part])
        )
        end = np.full((1, len(part)), alphabet.index(END))
        targets = np.concatenate([target, end])
        return Batch(_one_later(targets, alphabet.index(START)), targets, source=np.concatenate([source, end]))

    vocabularies = dict.fromkeys(("source", "input", "output"), alphabet)
    return Encoded(vocabularies, encode_splits(examples, encode), int((longest > steps).sum()))


def _require_letters(examples: Examples) -> None:
    for example in (example for split in examples.values() for example in split):
        for word in (example.given, example.wanted):
            if strange := sorted(set(word) - set(ascii_lowercase)):
                found = f"not among the letters a to z: {', '.join(map(repr, strange))}"
                raise CrossfwError(f'{"".join(word)!r} with scheme = "{PADDED_WORDS}"', found, 'use scheme = "words"')


def _longest(examples: Examples) -> np.ndarray:
    """The length of the longer text of each pair."""
    every = [example for split in examples.values() for example in split]
    sides = [example.given for example in every], [example.wanted for example in every]
    return np.maximum(lengths(sides[0], "sources"), lengths(sides[1], "targets"))


def _one_later(targets: np.ndarray, start: int) -> np.ndarray:
    """(T, M): the start token, and the targets without their last step."""
    return np.concatenate([np.full((1, targets.shape[1]), start), targets[:-1]])

"""Translation: a sentence in, another one of another length out ("many-to-many" of unequal length), encoder-decoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from crossfw.checks import require_choice, require_integer
from crossfw.data.columns import read_pairs
from crossfw.data.corpora import PARALLEL_CORPORA
from crossfw.data.examples import Example, Examples, divide
from crossfw.data.fra_eng import read_fra_eng
from crossfw.data.grammars import parallel
from crossfw.data.preparation import sentence_tokens
from crossfw.data.schemes import PADDED_WORDS, SCHEMES, encode_padded_words, encode_words, end_of
from crossfw.data.settings import SequenceSpec, require_idle
from crossfw.data.splits import SplitDataset
from crossfw.errors import CrossfwError
from crossfw.measures import bleu, exact_match


@dataclass(frozen=True)
class TranslationSpec(SequenceSpec):
    """`[data]` with kind = "translation".

    Args:
        corpus: "parallel" (English to Spanish), "fra-eng" (English to French, prepared as in D2L 0.17: the first 601
            pairs train, where `training_sequences` does not say otherwise), or a file `.tsv`: on each line a sentence,
            a tab and its translation; both are put into lower case, with blanks before `, . ! ?`.
        min_frequency: rarer tokens become `<unk>`.
        pairs: in place of a corpus, pairs of texts.
        scheme: "words": tokens are words; see `crossfw.data.schemes`. "padded words": each text is one word of the
            letters a to z, a token is a letter, and there are no masks.
        mask_source: whether `source_mask` tells the encoder where the padding is; D2L's encoder runs over it.
    """

    kind: ClassVar[str] = "translation"
    CORPORA: ClassVar[tuple[str, ...]] = ("parallel", *PARALLEL_CORPORA)
    SUFFIX: ClassVar[str] = ".tsv"

    min_frequency: int = 1
    pairs: tuple = ()
    scheme: str = "words"
    mask_source: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require_integer("min_frequency", self.min_frequency, 1)
        require_choice("scheme", self.scheme, SCHEMES)
        self._require_corpus("pairs")
        if not isinstance(self.mask_source, bool):
            found = f"a {type(self.mask_source).__name__}"
            raise CrossfwError(f"mask_source = {self.mask_source!r}", found, "give true or false")
        if self.scheme == PADDED_WORDS:
            require_idle(self, ("min_frequency", "mask_source"), "scheme")
        if self.corpus in self.CORPORA:
            require_idle(self, ("scheme",), "corpus")
        if self.corpus in PARALLEL_CORPORA:
            require_idle(self, ("source_seed",), "corpus")
        for place, pair in enumerate(self.pairs, 1):
            _require_pair(pair, place)


def _require_pair(pair: Any, place: int) -> None:
    asked = f"pairs, number {place}: {pair!r}"
    if not isinstance(pair, tuple) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
        raise CrossfwError(asked, "not two texts", 'write each as ["source", "target"]')
    if not all(text.split() for text in pair):
        raise CrossfwError(asked, "an empty text", "write something, or leave the pair out")


@dataclass(frozen=True, eq=False)
class TranslationDataset(SplitDataset):
    """Batches with source (S, N), and inputs and targets (T, N) of the decoder; see `SplitDataset`."""

    @property
    def separator(self) -> str:
        """What stands between tokens in a text for people."""
        return "" if self.spec.scheme == PADDED_WORDS else " "

    @property
    def start(self) -> int:
        """The token that the decoder is given first."""
        return int(self.splits["training"].inputs[0, 0])

    @property
    def end(self) -> int:
        """The token that ends a translation."""
        return self.vocabularies["output"].index(end_of(self.spec.scheme))

    def decode(self, ids: np.ndarray) -> list[str]:
        """The target tokens of indices (T',) up to the end token, which is left out with all that follows it."""
        ids = np.asarray(ids)
        ends = np.flatnonzero(ids == self.end)
        tokens = self.vocabularies["output"].decode(ids[: ends[0]] if ends.size else ids)
        return list("".join(tokens).rstrip("?")) if self.spec.scheme == PADDED_WORDS else tokens

    def measures(self, predictions: list[np.ndarray], split: str) -> dict[str, float]:
        """ "BLEU" (0 to 100, against the whole reference, also where the batches cut it) and "exact match".

        Args:
            predictions: decoded target tokens for each of `batches(split)`, int64 (T', N) with any T'.
            split: "training", "validation" or "test".
        """
        predicted = self._as_text(predictions, split)
        if not predicted:
            return {}
        expected = [example.wanted for example in self.examples[split]]
        return {"BLEU": bleu(expected, predicted), "exact match": exact_match(expected, predicted)}

    def _as_text(self, predictions: list[np.ndarray], split: str) -> list[list[str]]:
        wanted = [batch.targets.shape[1] for batch in self.batches(split)]
        shapes = [np.shape(array) for array in predictions]
        if [shape[1:] for shape in shapes] != [(count,) for count in wanted]:
            asked = f"predictions of shapes {[('any', count) for count in wanted]} for {split}"
            remedy = f'decode each of batches("{split}"), in that order'
            raise CrossfwError(asked, f"predictions of shapes {shapes}", remedy)
        return [self.decode(array[:, column]) for array in predictions for column in range(np.shape(array)[1])]


def load_translation(spec: TranslationSpec, data_dir: Path | None = None) -> TranslationDataset:
    """Read, draw or take over the examples, and encode them.

    Args:
        spec: what to load.
        data_dir: see `read_corpus`.

    Raises:
        CorpusUnavailable: if "fra-eng" has to be downloaded and that fails.
        CrossfwError: if the user's file cannot be read, a line of it is empty, or there are too few pairs.
    """
    examples = _examples(spec, data_dir)
    if spec.scheme == PADDED_WORDS:
        encoded = encode_padded_words(examples, spec.steps)
    else:
        encoded = encode_words(examples, spec.steps, spec.min_frequency, spec.mask_source)
    return TranslationDataset(spec, encoded.vocabularies, examples, encoded.splits, encoded.cut_sequences)


def _examples(spec: TranslationSpec, data_dir: Path | None) -> Examples:
    if spec.pairs:
        return {"training": _tokens(spec, spec.pairs), "validation": (), "test": ()}
    if spec.own:
        return divide(_tokens(spec, read_pairs(Path(spec.corpus), ("a sentence", "its translation"))), spec)
    return parallel.draw(spec) if spec.corpus == "parallel" else read_fra_eng(spec, data_dir)


def _tokens(spec: TranslationSpec, pairs: Sequence[tuple[str, str]]) -> tuple[Example, ...]:
    cut = tuple if spec.scheme == PADDED_WORDS else sentence_tokens
    return tuple(Example(cut(source), cut(target)) for source, target in pairs)

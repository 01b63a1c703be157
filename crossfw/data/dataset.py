"""A spec made into integers: vocabulary, training text, validation text, and their batches."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from crossfw.checks import require_integer
from crossfw.data import batches
from crossfw.data.batches import Batch
from crossfw.data.corpora import read_corpus
from crossfw.data.markov import MarkovSource
from crossfw.data.preparation import prepare, tokenize
from crossfw.data.spec import MARKOV, DataSpec
from crossfw.data.vocabulary import UNKNOWN, Vocabulary
from crossfw.errors import CrossfwError

_SAMPLE_SEED = 0


@dataclass(frozen=True, eq=False)
class Dataset:
    """What one task trains on and is judged by.

    Args:
        spec: what it was made from.
        vocabulary: of the whole prepared text.
        training_ids: int64 (n,), read-only.
        validation_ids: int64 (m,), read-only; empty if there is no validation text. With windows it shares its first
            `steps` tokens with the end of the training text, as in D2L 1.0.
        floor: the perplexity floor where it is known (corpus "markov"), else None.
    """

    spec: DataSpec
    vocabulary: Vocabulary
    training_ids: np.ndarray
    validation_ids: np.ndarray
    floor: float | None = None

    @property
    def carries_state(self) -> bool:
        """Whether each training batch continues the one before it."""
        return self.spec.sampling in ("sequential", "consecutive")

    def training(self, seed: int, epoch: int) -> list[Batch]:
        """The batches of one epoch; the same seed and epoch give the same batches in every process.

        Raises:
            CrossfwError: if `seed` or `epoch` is no integer of at least 0.
        """
        require_integer("seed", seed, 0)
        require_integer("epoch", epoch, 0)
        spec, rng = self.spec, np.random.default_rng([seed, epoch])
        if spec.sampling == "windows":
            return batches.windows(self.training_ids, 0, spec.windows, spec.batch_size, spec.steps, rng)
        if spec.sampling == "consecutive":
            return batches.sequential(self.training_ids, spec.batch_size, spec.steps)
        cut = batches.sequential if self.carries_state else batches.random
        return cut(self.training_ids, spec.batch_size, spec.steps, rng)

    def validation(self) -> list[Batch]:
        """The batches to validate on, always the same: cut sequentially from the start, or windows in order."""
        spec = self.spec
        if not self.validation_ids.size:
            return []
        if spec.sampling == "windows":
            return batches.windows(self.validation_ids, 0, spec.validation_windows, spec.batch_size, spec.steps)
        return batches.sequential(self.validation_ids, spec.batch_size, spec.steps)

    def test(self) -> list[Batch]:
        """None: a text is judged by its validation batches."""
        return []

    @property
    def sizes(self) -> dict[str, int]:
        """The sizes that a model needs: "input_size" and "output_size", both of the vocabulary."""
        return {"input_size": len(self.vocabulary), "output_size": len(self.vocabulary)}

    def describe(self) -> dict[str, int]:
        """Sizes of vocabulary and texts, for a report."""
        return {
            "vocabulary": len(self.vocabulary),
            "training tokens": len(self.training_ids),
            "validation tokens": len(self.validation_ids),
        }

    def measures(self, predictions: list[np.ndarray], split: str) -> dict[str, float]:
        """None beside the perplexity, which needs more than predictions."""
        return {}

    def show(self, predictions: list[np.ndarray], split: str, count: int) -> list[dict[str, str]]:
        """None: a text is not made of examples."""
        return []

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over spec, vocabulary and both texts, to cache by."""
        described = [asdict(self.spec), self.vocabulary.tokens, len(self.training_ids)]
        digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
        for ids in (self.training_ids, self.validation_ids):
            digest.update(ids.astype("<i8").tobytes())
        return digest.hexdigest()


def load_dataset(spec: DataSpec, data_dir: Path | None = None) -> Dataset:
    """Read, prepare and encode a corpus, or sample the Markov source.

    Args:
        spec: what to load.
        data_dir: see `read_corpus`.

    Raises:
        CorpusUnavailable: if the corpus has to be downloaded and that fails.
        CrossfwError: if no text is left after preparation, its vocabulary has fewer than two tokens, or it is too
            short for the lengths or the batches that the spec asks for.
    """
    tokens, vocabulary, floor = _sample(spec) if spec.corpus == MARKOV else _read(spec, data_dir)
    ids = vocabulary.encode(tokens)
    ids.setflags(write=False)
    training_ids, validation_ids = _split(ids, spec)
    dataset = Dataset(spec, vocabulary, training_ids, validation_ids, floor)
    _require_batches(dataset)
    return dataset


def _sample(spec: DataSpec) -> tuple[list[str], Vocabulary, float]:
    source = MarkovSource(spec.symbols, spec.source_seed)
    length = (
        spec.windows + spec.validation_windows + spec.steps
        if spec.sampling == "windows"
        else spec.max_tokens + spec.validation_tokens
    )
    vocabulary = Vocabulary.build(source.alphabet, order=spec.order)
    return source.sample(length, _SAMPLE_SEED), vocabulary, source.perplexity_floor


def _read(spec: DataSpec, data_dir: Path | None) -> tuple[list[str], Vocabulary, None]:
    tokens = tokenize(prepare(read_corpus(spec.corpus, data_dir), spec.preparation), spec.unit)
    asked = f"{spec.unit} tokens of {spec.corpus!r}, preparation {spec.preparation!r}"
    if not tokens:
        raise CrossfwError(asked, "no text is left after preparation", "take a text with something in it")
    vocabulary = Vocabulary.build(tokens, spec.min_frequency, spec.order)
    real = len(vocabulary) - 1
    if real < 2:
        found = f"a vocabulary of {real} token(s) beside {UNKNOWN}: there is nothing to predict"
        raise CrossfwError(asked, found, "take another text, or lower min_frequency")
    return tokens, vocabulary, None


def _split(ids: np.ndarray, spec: DataSpec) -> tuple[np.ndarray, np.ndarray]:
    if spec.sampling == "windows":
        training, validation = spec.windows, spec.validation_windows
        _require_length(ids, training + validation + spec.steps, f"{training} + {validation} windows")
        end = training + validation + spec.steps if validation else training
        return ids[: training + spec.steps], ids[training:end]
    validation = spec.validation_tokens
    training = len(ids) - validation if spec.max_tokens is None else spec.max_tokens
    _require_length(ids, max(training, 1) + validation, f"{max(training, 1)} training + {validation} validation tokens")
    return ids[:training], ids[training : training + validation]


def _require_length(ids: np.ndarray, needed: int, asked: str) -> None:
    if len(ids) < needed:
        found = f"a text of {len(ids)} tokens; {needed} are needed"
        raise CrossfwError(asked, found, "ask for fewer, or take a longer text")


def _require_batches(dataset: Dataset) -> None:
    """Cut once, so that a text too short is an error now and not in the middle of a run."""
    for split, cut in (("training", lambda: dataset.training(0, 0)), ("validation", dataset.validation)):
        try:
            cut()
        except CrossfwError as error:
            raise CrossfwError(f"{split}: {error.asked}", error.found, error.remedy) from error

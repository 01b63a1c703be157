"""The English-French pairs of D2L 0.17 (`load_data_nmt`), and pairs after them to validate and test on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from crossfw.data.corpora import read_corpus
from crossfw.data.examples import Example, Examples
from crossfw.data.preparation import sentence_tokens
from crossfw.data.settings import SPLITS, SequenceSpec
from crossfw.errors import CrossfwError

D2L_PAIRS = 601  # D2L asks for 600 and stops one later


def read_fra_eng(spec: SequenceSpec, data_dir: Path | None) -> Examples:
    """The first pairs to train on; to validate and test, where the spec asks for it, the next ones.

    The file is in the order of length, and an English sentence stands in it once for each translation: pairs whose
    English is in an earlier split are passed over.

    Raises:
        CrossfwError: if the file has fewer pairs than the spec asks for; and as `read_corpus`.
    """
    pairs = _pairs(read_corpus(spec.corpus, data_dir))
    counts = (spec.training_sequences or D2L_PAIRS, spec.validation_sequences or 0, spec.test_sequences or 0)
    examples, taken = {}, set()
    for split, count in zip(SPLITS, counts, strict=True):
        fresh = (pair for pair in pairs if pair.given not in taken)
        examples[split] = tuple(islice(fresh, count))
        if len(examples[split]) < count:
            found = f"{len(examples[split])} pairs are left"
            raise CrossfwError(f"{count} {split} sequences of {spec.corpus}", found, "ask for fewer")
        taken |= {example.given for example in examples[split]}
    return examples


def _pairs(text: str) -> Iterator[Example]:
    for line in text.split("\n"):
        columns = line.split("\t")
        if len(columns) == 2:
            yield Example(*map(sentence_tokens, columns))

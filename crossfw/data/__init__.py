"""Text to vocabulary to batches, in NumPy only: every framework is given the very same arrays.

The rooms in the order in which data flows through them:

- `spec`, `settings`: the `[data]` table of a task, validated: `DataSpec` for a running text, and what the kinds of
  separate sequences share.
- `corpora`: where a text comes from (carried, the user's folder, cache, download), and the proof that it is right.
- `markov`: an artificial text of which the best possible perplexity is known.
- `grammars`: artificial corpora of separate sequences.
- `columns`, `tunes`: the user's own files of examples.
- `preparation`: text to lines to tokens, as D2L does it and plainly.
- `examples`: division into training, validation and test.
- `vocabulary`: tokens to integers and back.
- `batches`, `sequences`, `schemes`: integers to batches: three ways to cut a text; padding; pairs of sequences.
- `dataset`, `splits`: all of these together, for a running text and for separate sequences; on the latter build
  `tagging`, `classification`, `generation`, `translation` (with `fra_eng`) and `context`, each with its spec.
- `inline`: data that a task file holds itself, for worked examples.

`load_dataset(spec)` is what the rest of crossfw calls.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crossfw.data import dataset
from crossfw.data.batches import Batch
from crossfw.data.classification import ClassificationDataset, ClassificationSpec, load_classification
from crossfw.data.context import ContextDataset, ContextSpec, Probes, load_context
from crossfw.data.corpora import CORPORA, PARALLEL_CORPORA, Corpus, CorpusUnavailable, read_corpus
from crossfw.data.dataset import Dataset
from crossfw.data.generation import GenerationDataset, GenerationSpec, load_generation
from crossfw.data.inline import InlineDataset, InlineSpec
from crossfw.data.markov import MarkovSource
from crossfw.data.preparation import prepare, tokenize
from crossfw.data.settings import SequenceSpec, is_path
from crossfw.data.spec import DataSpec
from crossfw.data.splits import SplitDataset
from crossfw.data.tagging import TaggingDataset, TaggingSpec, load_tagging
from crossfw.data.translation import TranslationDataset, TranslationSpec, load_translation
from crossfw.data.vocabulary import Vocabulary

__all__ = [
    "CORPORA",
    "DATA_SPECS",
    "PARALLEL_CORPORA",
    "Batch",
    "ClassificationDataset",
    "ClassificationSpec",
    "ContextDataset",
    "ContextSpec",
    "Corpus",
    "CorpusUnavailable",
    "DataSpec",
    "Dataset",
    "GenerationDataset",
    "GenerationSpec",
    "InlineDataset",
    "InlineSpec",
    "MarkovSource",
    "Probes",
    "SequenceSpec",
    "SplitDataset",
    "TaggingDataset",
    "TaggingSpec",
    "TranslationDataset",
    "TranslationSpec",
    "Vocabulary",
    "is_path",
    "load_dataset",
    "prepare",
    "read_corpus",
    "tokenize",
]

DATA_SPECS: dict[str, type] = {
    cls.kind: cls for cls in (DataSpec, TaggingSpec, ClassificationSpec, GenerationSpec, TranslationSpec, ContextSpec)
}
_READ_DATA_DIR = {DataSpec: dataset.load_dataset, TranslationSpec: load_translation}
_NEED_NO_FOLDER = {
    TaggingSpec: load_tagging,
    ClassificationSpec: load_classification,
    GenerationSpec: load_generation,
    ContextSpec: load_context,
    InlineSpec: InlineDataset,
}


def load_dataset(
    spec: DataSpec | InlineSpec | SequenceSpec, data_dir: Path | None = None
) -> Dataset | InlineDataset | SplitDataset:
    """The data of a task, ready in batches.

    Args:
        spec: one of `DATA_SPECS`, or an `InlineSpec`.
        data_dir: see `read_corpus`.

    Raises:
        CorpusUnavailable: if a corpus has to be downloaded and that fails.
        CrossfwError: if the data cannot be read, or do not suit the spec.
    """
    if type(spec) in _READ_DATA_DIR:
        return _READ_DATA_DIR[type(spec)](spec, data_dir)
    load: Any = _NEED_NO_FOLDER[type(spec)]
    return load(spec)

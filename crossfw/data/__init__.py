"""Text to vocabulary to batches, in NumPy only: every framework is given the very same arrays.

The rooms in the order in which data flows through them:

- `spec`: `DataSpec`, the `[data]` table of a task, validated.
- `corpora`: where a text comes from (carried, the user's folder, cache, download), and the proof that it is right.
- `preparation`: text to lines to tokens, as D2L does it and plainly.
- `vocabulary`: tokens to integers and back.
- `batches`: integers to (T, N) inputs and targets; three ways to cut a text.
- `markov`: an artificial text of which the best possible perplexity is known.
- `dataset`: all of these together; `load_dataset(spec)` is what the rest of crossfw calls.
- `inline`: data that a task file holds itself, for worked examples.
"""

from __future__ import annotations

from crossfw.data.batches import Batch
from crossfw.data.corpora import CORPORA, Corpus, CorpusUnavailable, read_corpus
from crossfw.data.dataset import Dataset, load_dataset
from crossfw.data.markov import MarkovSource
from crossfw.data.preparation import prepare, tokenize
from crossfw.data.spec import DataSpec
from crossfw.data.vocabulary import Vocabulary

__all__ = [
    "CORPORA",
    "Batch",
    "Corpus",
    "CorpusUnavailable",
    "DataSpec",
    "Dataset",
    "MarkovSource",
    "Vocabulary",
    "load_dataset",
    "prepare",
    "read_corpus",
    "tokenize",
]

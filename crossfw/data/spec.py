"""What a task says about its data: the `[data]` table of a TOML file as a checked value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from crossfw.checks import require_choice, require_integer
from crossfw.data.corpora import CORPORA, is_own_text
from crossfw.data.lyrics import JAY_CHOU
from crossfw.data.markov import MAX_SYMBOLS
from crossfw.data.preparation import PREPARATIONS, UNITS
from crossfw.data.settings import require_idle
from crossfw.data.vocabulary import ORDERS
from crossfw.errors import CrossfwError

MARKOV = "markov"
SAMPLINGS = ("sequential", "consecutive", "random", "windows")


@dataclass(frozen=True)
class DataSpec:
    """Corpus, preparation, vocabulary and batches of one task.

    Args:
        corpus: a name in `crossfw.data.CORPORA`, "jay-chou" (which only you can bring), "markov" for the artificial
            source, or the path of a `.txt` file; in a task file the path is relative to that file.
        preparation: "plain", "d2l-0.17", "d2l-1.0" or "d2l-zh"; see `crossfw.data.preparation`.
        unit: "character" or "word".
        order: order of the vocabulary, "frequency" (D2L 0.17) or "alphabetical" (D2L 1.0).
        min_frequency: rarer tokens become `<unk>`.
        max_tokens: the first so many tokens are the training text; None: all but the validation text.
        validation_tokens: the next so many tokens after the training text.
        sampling: "sequential", "random" or "windows"; see `crossfw.data.batches`. "consecutive" is sequential, and
            begins with the first token in every epoch, as D2L's Chinese edition does.
        batch_size: sequences in a batch, N.
        steps: tokens in a sequence, T.
        windows: with sampling "windows", the first so many windows train ...
        validation_windows: ... and the next so many validate.
        symbols: with corpus "markov", the size of the alphabet; `max_tokens` is then the training length.
        source_seed: with corpus "markov", the seed of the source.

    Raises:
        CrossfwError: for a value that is not allowed, and for a setting that would have no effect.
    """

    kind: ClassVar[str] = "text"

    corpus: str
    preparation: str = "plain"
    unit: str = "character"
    order: str = "frequency"
    min_frequency: int = 1
    max_tokens: int | None = None
    validation_tokens: int = 0
    sampling: str = "sequential"
    batch_size: int = 32
    steps: int = 35
    windows: int = 0
    validation_windows: int = 0
    symbols: int = 0
    source_seed: int = 0

    def __post_init__(self) -> None:
        if not is_own_text(self.corpus):
            require_choice("corpus", self.corpus, (*CORPORA, JAY_CHOU, MARKOV))
        require_choice("preparation", self.preparation, PREPARATIONS)
        require_choice("unit", self.unit, UNITS)
        require_choice("order", self.order, ORDERS)
        require_choice("sampling", self.sampling, SAMPLINGS)
        for name in ("min_frequency", "batch_size", "steps"):
            require_integer(name, getattr(self, name), 1)
        for name in ("validation_tokens", "windows", "validation_windows", "symbols", "source_seed"):
            require_integer(name, getattr(self, name), 0)
        if self.max_tokens is not None:
            require_integer("max_tokens", self.max_tokens, 1)
        self._require_no_idle_setting()
        self._require_lengths()

    def _require_no_idle_setting(self) -> None:
        of_corpus = ("preparation", "unit", "min_frequency") if self.corpus == MARKOV else ("symbols", "source_seed")
        require_idle(self, of_corpus, "corpus")
        windows = self.sampling == "windows"
        of_sampling = ("max_tokens", "validation_tokens") if windows else ("windows", "validation_windows")
        require_idle(self, of_sampling, "sampling")

    def _require_lengths(self) -> None:
        if self.sampling == "windows":
            require_integer("windows", self.windows, 1)
        if self.corpus != MARKOV:
            return
        require_integer("symbols", self.symbols, 2, MAX_SYMBOLS)
        if self.sampling != "windows" and self.max_tokens is None:
            remedy = "set max_tokens to the length of the training text"
            raise CrossfwError(f'corpus = "{MARKOV}"', "no max_tokens; the source never ends", remedy)

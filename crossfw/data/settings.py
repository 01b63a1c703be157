"""The settings that all data of separate sequences have in common, and checks for those that a task leaves idle."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from crossfw.checks import nearest, require_integer
from crossfw.errors import CrossfwError

SPLITS = ("training", "validation", "test")
SPLIT_SETTINGS = tuple(f"{split}_sequences" for split in SPLITS)


def require_idle(spec: Any, names: Iterable[str], cause: str) -> None:
    """Raise CrossfwError for a setting that is made meaningless by the setting `cause`.

    It would be believed in and do nothing. A setting counts as left out where it has its default.
    """
    defaults = {field.name: field.default for field in fields(spec)}
    for name in names:
        value = getattr(spec, name)
        if value != defaults[name]:
            reason = getattr(spec, cause)
            found = (
                f'it has no effect with {cause} = "{reason}"' if isinstance(reason, str) else f"{cause} is there too"
            )
            raise CrossfwError(f"{name} = {value!r}", found, f"leave {name} out, or change {cause}")


def is_path(corpus: str) -> bool:
    """Whether a corpus is the user's own: named by a path, which in a task file is relative to that file."""
    return isinstance(corpus, str) and ("/" in corpus or corpus.endswith((".txt", ".conll", ".tsv")))


@dataclass(frozen=True)
class SequenceSpec:
    """What the `[data]` tables of separate sequences share; the subclasses are the kinds.

    Args:
        corpus: a name in `CORPORA` of the class, or the path of the user's own data; see the class.
        batch_size: sequences in a batch, N.
        steps: tokens in a sequence, T: longer ones are cut, shorter ones padded. None: as the longest.
        training_sequences: None: as many as the corpus gives by itself.
        validation_sequences: None: as many as the corpus gives by itself; of the user's data a tenth.
        test_sequences: as `validation_sequences`.
        source_seed: draws a generated corpus, and divides the user's data.

    Raises:
        CrossfwError: for a value that is not allowed, and for a setting that would have no effect.
    """

    kind: ClassVar[str]
    CORPORA: ClassVar[tuple[str, ...]]
    SUFFIX: ClassVar[str]  # of the user's own files; "/" for a folder

    corpus: str | None = None
    batch_size: int = 32
    steps: int | None = None
    training_sequences: int | None = None
    validation_sequences: int | None = None
    test_sequences: int | None = None
    source_seed: int = 0

    def __post_init__(self) -> None:
        require_integer("batch_size", self.batch_size, 1)
        require_integer("source_seed", self.source_seed, 0)
        for name, minimum in (("steps", 1), *zip(SPLIT_SETTINGS, (1, 0, 0), strict=True)):
            if getattr(self, name) is not None:
                require_integer(name, getattr(self, name), minimum)

    @property
    def own(self) -> bool:
        """Whether the data are the user's, in a file or folder."""
        return bool(self.SUFFIX) and is_path(self.corpus)

    def _require_corpus(self, inline: str | None = None) -> None:
        """A known corpus, or a path of the right kind; where `inline` names a setting: either that or a corpus."""
        if inline and getattr(self, inline):
            require_idle(self, ("corpus", *SPLIT_SETTINGS, "source_seed"), inline)
            return
        if self.corpus in self.CORPORA:
            return
        asked = f'kind = "{self.kind}"' if self.corpus is None else f"corpus = {self.corpus!r}"
        found = f"no corpus of that name{nearest(self.corpus, self.CORPORA)}"
        if self.corpus is None:
            found = "no corpus" + (f" and no {inline}" if inline else "")
        elif self.own:
            if self.SUFFIX == "/" or self.corpus.endswith(self.SUFFIX):
                return
            found = f"a file that is no {self.SUFFIX}"
        raise CrossfwError(asked, found, self._remedy(inline))

    def _remedy(self, inline: str | None) -> str:
        path = 'a folder, its path with a "/"' if self.SUFFIX == "/" else f"the path of a {self.SUFFIX} file"
        ways = [*self.CORPORA, *([path] if self.SUFFIX else []), *([f"the setting {inline}"] if inline else [])]
        return f"use one of: {', '.join(ways)}"

"""Tokens to integers and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from crossfw.checks import nearest, require_choice, require_indices, require_integer
from crossfw.errors import CrossfwError

ORDERS = ("frequency", "alphabetical")
UNKNOWN = "<unk>"
PAD = "<pad>"


@dataclass(frozen=True)
class Vocabulary:
    """The known tokens; the place of a token is its index.

    Args:
        tokens: distinct strings, `<unk>` among them unless the vocabulary is closed.
        closed: another token than these is an error, not `<unk>`.

    Raises:
        CrossfwError: if a token stands twice, or `<unk>` is missing from a vocabulary that is not closed.
    """

    tokens: tuple[str, ...]
    closed: bool = False

    def __post_init__(self) -> None:
        asked = f"a vocabulary of {len(self.tokens)} tokens"
        if len(self._indices) != len(self.tokens):
            raise CrossfwError(asked, "a token that stands twice", "name every token once, or Vocabulary.build(tokens)")
        if not self.closed and UNKNOWN not in self._indices:
            raise CrossfwError(asked, f"no {UNKNOWN} among them", "use Vocabulary.build(tokens)")

    @classmethod
    def build(
        cls, text: Iterable[str], min_frequency: int = 1, order: str = "frequency", reserved: Iterable[str] = ()
    ) -> Vocabulary:
        """The vocabulary of a tokenized text.

        Args:
            text: the tokens of the text.
            min_frequency: rarer tokens are left out.
            order: "frequency": `<unk>`, the reserved tokens, then by falling frequency, ties by first appearance
                (D2L 0.17, `Vocab`). "alphabetical": by code point, `<unk>` and the reserved tokens in their
                alphabetical places (D2L 1.0, `Vocab`).
            reserved: tokens that are known whether they are in the text or not, such as `<pad>`.

        Raises:
            CrossfwError: for an unknown order or a frequency below 1.
        """
        require_choice("order", order, ORDERS)
        require_integer("min_frequency", min_frequency, 1)
        first = (UNKNOWN, *reserved)
        ranked = Counter(text).most_common()
        known = [token for token, frequency in ranked if frequency >= min_frequency and token not in first]
        return cls((*first, *known) if order == "frequency" else tuple(sorted([*first, *known])))

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {token: index for index, token in enumerate(self.tokens)}

    @property
    def unknown(self) -> int:
        """The index of `<unk>`.

        Raises:
            CrossfwError: if there is none.
        """
        return self.index(UNKNOWN)

    @property
    def padding(self) -> int:
        """The index of `<pad>`; 0 where there is none, and only a mask tells padding from a token."""
        return self._indices.get(PAD, 0)

    def index(self, token: str) -> int:
        """The index of a known token.

        Raises:
            CrossfwError: if it is not known.
        """
        if token not in self._indices:
            found = f"it is not among the {len(self)} known ones{nearest(token, self.tokens)}"
            raise CrossfwError(f"the index of token {token!r}", found, "use the tokens of this vocabulary")
        return self._indices[token]

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, tokens: Iterable[str]) -> np.ndarray:
        """The indices of tokens, int64 (n,); a token that is not known becomes `<unk>`.

        Raises:
            CrossfwError: if a token is not known and the vocabulary is closed.
        """
        if self.closed:
            return np.array([self.index(token) for token in tokens], dtype=np.int64)
        indices, unknown = self._indices, self.unknown
        return np.array([indices.get(token, unknown) for token in tokens], dtype=np.int64)

    def decode(self, ids: np.ndarray) -> list[str]:
        """The tokens of indices.

        Args:
            ids: integers (n,).

        Raises:
            CrossfwError: if `ids` is no one-dimensional array of integers, or an index is out of range.
        """
        ids = require_indices("text", ids)
        outside = np.flatnonzero((ids < 0) | (ids >= len(self)))
        if outside.size:
            place = int(outside[0])
            found = f"index {ids[place]} at position {place}; the vocabulary has the indices 0 to {len(self) - 1}"
            remedy = "decode with the vocabulary that encoded them"
            raise CrossfwError(f"decode {ids.size} token indices", found, remedy)
        return [self.tokens[index] for index in ids]

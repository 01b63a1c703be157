"""Tokens to integers and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from crossfw.checks import require_choice, require_indices, require_integer
from crossfw.errors import CrossfwError

ORDERS = ("frequency", "alphabetical")
UNKNOWN = "<unk>"


@dataclass(frozen=True)
class Vocabulary:
    """The known tokens; the place of a token is its index.

    Args:
        tokens: distinct strings, `<unk>` among them.

    Raises:
        CrossfwError: if a token stands twice or `<unk>` is missing.
    """

    tokens: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self._indices) != len(self.tokens) or UNKNOWN not in self._indices:
            found = "a token that stands twice" if UNKNOWN in self._indices else f"no {UNKNOWN} among them"
            raise CrossfwError(f"a vocabulary of {len(self.tokens)} tokens", found, "use Vocabulary.build(tokens)")

    @classmethod
    def build(cls, text: Iterable[str], min_frequency: int = 1, order: str = "frequency") -> Vocabulary:
        """The vocabulary of a tokenized text.

        Args:
            text: the tokens of the text.
            min_frequency: rarer tokens are left out.
            order: "frequency": `<unk>`, then by falling frequency, ties by first appearance (D2L 0.17, `Vocab`).
                "alphabetical": by code point, `<unk>` in its alphabetical place (D2L 1.0, `Vocab`).

        Raises:
            CrossfwError: for an unknown order or a frequency below 1.
        """
        require_choice("order", order, ORDERS)
        require_integer("min_frequency", min_frequency, 1)
        ranked = Counter(text).most_common()
        known = [token for token, frequency in ranked if frequency >= min_frequency and token != UNKNOWN]
        return cls((UNKNOWN, *known) if order == "frequency" else tuple(sorted([UNKNOWN, *known])))

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {token: index for index, token in enumerate(self.tokens)}

    @property
    def unknown(self) -> int:
        """The index of `<unk>`."""
        return self._indices[UNKNOWN]

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, tokens: Iterable[str]) -> np.ndarray:
        """The indices of tokens, int64 (n,); a token that is not known becomes `<unk>`."""
        return np.array([self._indices.get(token, self.unknown) for token in tokens], dtype=np.int64)

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

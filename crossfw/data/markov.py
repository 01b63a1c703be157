"""An artificial text of which the best possible perplexity is known: a first-order Markov chain over letters.

On fresh text no model can have a lower expected perplexity than the exponential of the chain's entropy rate, so the
distance to that floor says how well a model has learnt, which a natural text cannot say.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from string import ascii_letters

import numpy as np

from crossfw.checks import require_integer
from crossfw.errors import CrossfwError

MAX_SYMBOLS = len(ascii_letters)
_CONCENTRATION = 0.1
_UNIFORM_SHARE = 0.05
_MATRIX_STREAM = 0


@dataclass(frozen=True)
class MarkovSource:
    """A stationary Markov chain: row i of `transitions` is the distribution of the token after token i.

    Rows are drawn from a Dirichlet distribution of small concentration, which makes them far from uniform, and mixed
    with a little of the uniform one, which makes every transition possible and the chain ergodic.

    Args:
        symbols: size K of the alphabet, 2 to 52.
        seed: of the transition matrix.

    Raises:
        CrossfwError: if `symbols` or `seed` is out of range.
    """

    symbols: int
    seed: int = 0

    def __post_init__(self) -> None:
        require_integer("symbols", self.symbols, 2, MAX_SYMBOLS)
        require_integer("source_seed", self.seed, 0)

    @property
    def alphabet(self) -> tuple[str, ...]:
        """The K tokens, in the order of the rows."""
        return tuple(ascii_letters[: self.symbols])

    @cached_property
    def transitions(self) -> np.ndarray:
        """The transition matrix P, float64 (K, K); rows sum to 1, all entries are positive."""
        rng = np.random.default_rng([self.seed, _MATRIX_STREAM])
        rows = rng.dirichlet(np.full(self.symbols, _CONCENTRATION), size=self.symbols)
        return (1 - _UNIFORM_SHARE) * rows + _UNIFORM_SHARE / self.symbols

    @cached_property
    def stationary(self) -> np.ndarray:
        """The stationary distribution pi, float64 (K,): pi P = pi, sum(pi) = 1."""
        system = self.transitions.T - np.eye(self.symbols)
        system[-1] = 1.0
        return np.linalg.solve(system, np.eye(self.symbols)[-1])

    @cached_property
    def entropy_rate(self) -> float:
        """H = -sum_i pi_i sum_j P_ij ln P_ij, in nats per token.

        Source: Cover & Thomas, Elements of Information Theory, 2nd edition, section 4.2.
        """
        row_entropies = -(self.transitions * np.log(self.transitions)).sum(axis=1)  # (K,)
        return float(self.stationary @ row_entropies)

    @property
    def perplexity_floor(self) -> float:
        """exp(entropy rate): the lowest perplexity that any model can expect on fresh text."""
        return float(np.exp(self.entropy_rate))

    def sample(self, n: int, seed: int) -> list[str]:
        """A text of `n` tokens that starts in the stationary distribution; a longer one begins with the shorter.

        Raises:
            CrossfwError: if `n` or `seed` is negative.
        """
        require_integer("length of the sample", n, 0)
        require_integer("seed", seed, 0)
        rng = np.random.default_rng([self.seed, _MATRIX_STREAM + 1 + seed])
        rows = [_cumulative(row) for row in self.transitions]
        row, tokens = _cumulative(self.stationary), []
        for draw in rng.random(n):
            state = bisect_right(row, draw)
            tokens.append(ascii_letters[state])
            row = rows[state]
        return tokens

    def perplexity(self, tokens: Sequence[str]) -> float:
        """exp of the mean negative log-probability of the transitions in a text: what the source itself would score.

        Raises:
            CrossfwError: if there is no transition, or a token is not of this source's alphabet.
        """
        if len(tokens) < 2:
            found = f"{len(tokens)} token(s), so no transition"
            raise CrossfwError("perplexity under a Markov source", found, "give at least two tokens")
        indices = {token: index for index, token in enumerate(self.alphabet)}
        foreign = next((token for token in tokens if token not in indices), None)
        if foreign is not None:
            found = f"token {foreign!r}; the alphabet is {''.join(self.alphabet)}"
            raise CrossfwError("perplexity under a Markov source", found, "give tokens of this source")
        states = np.array([indices[token] for token in tokens])
        return float(np.exp(-np.log(self.transitions[states[:-1], states[1:]]).mean()))


def _cumulative(probabilities: np.ndarray) -> list[float]:
    # The last entry is set because rounding may leave the sum below a draw.
    return [*np.cumsum(probabilities)[:-1].tolist(), 1.0]

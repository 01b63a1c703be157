"""No recurrence at all, the degenerate case (one-to-one: a plain network):

h_t = f(W_xh x_t + b_h)        f: tanh, relu, sigmoid or identity
"""

from __future__ import annotations

from typing import Any

GATES = 1
STATES = ()
RECURRENT = False


def folds_biases(place: Any) -> bool:
    """There is but one bias."""
    return True


def kept_per_step(place: Any) -> int:
    """Arrays (N, H) that back-propagation needs of a step. The output alone."""
    return 1

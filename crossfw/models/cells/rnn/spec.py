"""The simple recurrent cell (Elman, "Finding structure in time", 1990; equations as in D2L chapter 9.4):

    h_t = f(W_xh x_t + W_hh h_{t-1} + b_h)        f: tanh, relu, sigmoid or identity

One recurrent bias, or b_xh + b_hh in place of b_h.
"""

from __future__ import annotations

from typing import Any

GATES = 1
STATES = ("h",)
RECURRENT = True
ACTIVATIONS = ("tanh", "relu", "sigmoid", "identity")


def folds_biases(place: Any) -> bool:
    """Whether b_hh may be added with b_xh, before the recurrence."""
    return True


def kept_per_step(place: Any) -> int:
    """Arrays (N, H) that back-propagation needs of a step. The state alone: the slope of f follows from it."""
    return 1

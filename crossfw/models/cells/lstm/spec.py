"""Long short-term memory (Hochreiter and Schmidhuber, 1997; with the forget gate of Gers et al., 2000; D2L 10.1):

    i_t, f_t, o_t = sigmoid(W_x x_t + W_h h_{t-1} + b)        input, forget and output gate
    g_t           = tanh(W_x x_t + W_h h_{t-1} + b)           candidate
    c_t = f_t c_{t-1} + i_t g_t
    h_t = o_t tanh(c_t)

The rows of W_xh, W_hh and of the biases are stacked in the order i, f, g, o, as both frameworks store them.
"""

from __future__ import annotations

from typing import Any

GATES = 4
STATES = ("h", "c")
RECURRENT = True
GATE_NAMES = ("i", "f", "g", "o")


def folds_biases(place: Any) -> bool:
    """Whether b_hh may be added with b_xh, before the recurrence."""
    return True


def kept_per_step(place: Any) -> int:
    """Arrays (N, H) that back-propagation needs of a step. Four gates, c and h; tanh(c) is made again."""
    return 6

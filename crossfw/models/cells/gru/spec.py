"""The gated recurrent unit (Cho et al., 2014; D2L 10.2), in both variants of its reset gate:

    r_t, z_t = sigmoid(W_x x_t + W_h h_{t-1} + b)                                reset and update gate
    n_t = tanh(W_xn x_t + b_xn + W_hn (r_t h_{t-1}) + b_hn)                      reset = "before" the product
    n_t = tanh(W_xn x_t + b_xn + r_t (W_hn h_{t-1} + b_hn))                      reset = "after" it
    h_t = (1 - z_t) n_t + z_t h_{t-1}

Cho's paper and D2L's from-scratch code reset before the product; cuDNN, Gluon and PyTorch after it, where the second
bias of the candidate stands inside the reset. The two are different functions. With one bias b_hn is 0.
The rows of W_xh, W_hh and of the biases are stacked in the order r, z, n, as both frameworks store them.
"""

from __future__ import annotations

from typing import Any

GATES = 3
STATES = ("h",)
RECURRENT = True
GATE_NAMES = ("r", "z", "n")
RESETS = ("after", "before")


def folds_biases(place: Any) -> bool:
    """Whether b_hh may be added with b_xh, before the recurrence."""
    return place.reset == "before"


def kept_per_step(place: Any) -> int:
    """Arrays (N, H) that back-propagation needs of a step: r, z, n and h, and what the reset multiplies after it."""
    return 5 if place.reset == "after" else 4

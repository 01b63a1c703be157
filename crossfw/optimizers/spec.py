"""The optimizers: equations, names of their state, and global-norm clipping.

With the gradient g of a parameter w, at update t = 1, 2, ...:

    sgd        w <- w - lr g
    momentum   v <- mu v + g;  w <- w - lr v                     (torch's form: the buffer holds no lr)
    adam       m <- b1 m + (1 - b1) g;  s <- b2 s + (1 - b2) g^2
               w <- w - lr (m / (1 - b1^t)) / (sqrt(s / (1 - b2^t)) + eps)
               (Kingma and Ba, "Adam", 2015, Algorithm 1)

Clipping takes all gradients as one vector g, before the update: g <- min(theta / ||g||, 1) g
(Pascanu et al., 2013; D2L 9.5). It has no epsilon; the libraries' own functions add 1e-8 (MXNet) and 1e-6
(torch) to the norm, so every implementation here scales by itself.

Where a framework means something else by the same name, the bridge stands in that framework's file.
"""

from __future__ import annotations

from dataclasses import dataclass

STATE_NAMES = {"sgd": (), "momentum": ("momentum",), "adam": ("first_moment", "second_moment")}


@dataclass(frozen=True)
class OptimizerSpec:
    """An optimizer by name, its hyper-parameters, and the clipping threshold that stands before it.

    Attributes:
        name: a key of `STATE_NAMES`.
        learning_rate: lr.
        momentum: mu, for "momentum".
        beta1, beta2, epsilon: for "adam".
        clip: theta, or None for no clipping.
    """

    name: str = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.9
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    clip: float | None = None

    def state_names(self) -> tuple[str, ...]:
        """Names of the arrays kept beside every parameter."""
        return STATE_NAMES[self.name]

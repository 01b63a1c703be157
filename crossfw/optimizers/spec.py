"""The optimizers: equations, names of their state, clipping and weight decay.

With the gradient g of a parameter w, at update t = 1, 2, ...:

    before     g <- clip(g, -c, c)                               (elementwise, where `clip_value` is c)
               g <- g + wd w                                     (`weight_decay`, always after the clipping)
    sgd        w <- w - lr g
    momentum   v <- mu v + g;  w <- w - lr v                     (torch's form: the buffer holds no lr)
    nag        v <- mu v + g;  w <- w - lr (g + mu v)
    adam       m <- b1 m + (1 - b1) g;  s <- b2 s + (1 - b2) g^2
               w <- w - lr (m / (1 - b1^t)) / (sqrt(s / (1 - b2^t)) + eps)
    rmsprop    s <- rho s + (1 - rho) g^2;  w <- w - lr g / (sqrt(s) + eps)
    adagrad    s <- s + g^2;  w <- w - lr g / (sqrt(s) + eps)

Where they come from:

- momentum: Polyak, "Some methods of speeding up the convergence of iteration methods", 1964.
- nag: Nesterov, 1983; Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013, in
  the form of torch.optim.SGD with `nesterov`.
- adam: Kingma and Ba, "Adam", 2015, Algorithm 1.
- rmsprop: Tieleman and Hinton, lecture 6.5, 2012; adagrad: Duchi et al., "Adaptive subgradient methods", 2011. Both
  with epsilon outside the root, as in torch.optim.
- elementwise clipping: Mikolov, "Statistical language models based on neural networks", 2012.
- The weight decay is coupled: the gradient of a penalty wd/2 w^2, which the optimizer sees. The decoupled kind is
  Loshchilov and Hutter's, "Decoupled weight decay regularization", 2019.

Clipping by the norm takes all gradients as one vector g, before all of this: g <- min(theta / ||g||, 1) g
(Pascanu et al., 2013; D2L 9.5). It has no epsilon; the libraries' own functions add 1e-8 (MXNet) and 1e-6
(torch) to the norm, so every implementation here scales by itself.

Where a framework means something else by the same name, the bridge stands in that framework's file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from crossfw.checks import require_choice
from crossfw.errors import CrossfwError

STATE_NAMES = {
    "sgd": (),
    "momentum": ("momentum",),
    "nag": ("momentum",),
    "adam": ("first_moment", "second_moment"),
    "rmsprop": ("second_moment",),
    "adagrad": ("squares",),
}
# Fields, what their values must be (None is left to the types), and the same in words: what it is not, what to give.
RANGES = (
    (
        ("learning_rate", "epsilon", "clip", "clip_value"),
        lambda value: 0 < value < math.inf,
        ("a positive number", "a number above 0"),
    ),
    (
        ("momentum", "beta1", "beta2", "rho"),
        lambda value: 0 <= value < 1,
        ("a number from 0 to below 1", "a number of at least 0 and below 1"),
    ),
    (
        ("weight_decay",),
        lambda value: 0 <= value < math.inf,
        ("a number of at least 0", "0 for none, or a number above 0"),
    ),
)


@dataclass(frozen=True)
class OptimizerSpec:
    """An optimizer by name, its hyper-parameters, and the clipping thresholds that stand before it.

    Attributes:
        name: a key of `STATE_NAMES`.
        learning_rate: lr, until `set_learning_rate` changes it.
        momentum: mu, for "momentum" and "nag".
        beta1, beta2: for "adam".
        rho: for "rmsprop".
        epsilon: for "adam", "rmsprop" and "adagrad".
        weight_decay: wd.
        decay_biases: whether one-dimensional parameters are decayed too; Gluon's Trainer and torch.optim do so,
            MXNet's Module does not.
        clip: theta, or None for no clipping by the norm.
        clip_value: c, or None for no clipping of single elements.

    Raises:
        CrossfwError: an unknown name, or a value out of range.
    """

    name: str = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.9
    beta1: float = 0.9
    beta2: float = 0.999
    rho: float = 0.99
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    decay_biases: bool = True
    clip: float | None = None
    clip_value: float | None = None

    def __post_init__(self) -> None:
        require_choice("recipe.optimizer", self.name, STATE_NAMES)
        for names, fits, wanted in RANGES:
            for name in names:
                value = getattr(self, name)
                if value is not None and not fits(value):
                    raise CrossfwError(f"recipe.{name} = {value}", f"not {wanted[0]}", f"give {wanted[1]}")
        if "momentum" in self.state_names() and self.momentum == 0:  # neither library keeps a buffer then
            raise CrossfwError(f"recipe.momentum = 0 for {self.name}", "that is plain sgd", 'name the optimizer "sgd"')

    def settings(self) -> dict[str, Any]:
        """The fields that this optimizer heeds, without its name."""
        used = {"sgd": (), "momentum": ("momentum",), "nag": ("momentum",), "adam": ("beta1", "beta2", "epsilon")}
        used |= {"rmsprop": ("rho", "epsilon"), "adagrad": ("epsilon",)}
        always = ("learning_rate", "weight_decay", *(("decay_biases",) if self.weight_decay else ()), "clip")
        return {name: getattr(self, name) for name in (*always, "clip_value", *used[self.name])}

    def state_names(self) -> tuple[str, ...]:
        """Names of the arrays kept beside every parameter."""
        return STATE_NAMES[self.name]

    def decay_of(self, dimensions: int) -> float:
        """The weight decay of a parameter with so many dimensions."""
        return self.weight_decay if dimensions > 1 or self.decay_biases else 0.0

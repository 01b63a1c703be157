"""The optimizers from scratch in MXNet."""

from __future__ import annotations

from dataclasses import replace

from mxnet import nd

from crossfw.optimizers.spec import OptimizerSpec


def clip_global_norm(gradients: list[nd.NDArray], theta: float) -> nd.NDArray:
    """Scale all gradients in place by min(theta / norm, 1); return the norm before."""
    norm = nd.sqrt(sum(nd.dot(g.reshape(-1), g.reshape(-1)) for g in gradients))
    scale = nd.minimum(theta / norm, 1.0)
    for g in gradients:
        g *= scale.reshape((1,) * g.ndim)
    return norm


class Optimizer:
    """Updates `model.parameters` in place from their `.grad`."""

    notes: tuple[str, ...] = ()

    def __init__(self, spec: OptimizerSpec, model):
        self.spec, self.model, self.updates = spec, model, 0
        self.state = {
            name: {key: nd.zeros_like(p) for key, p in model.parameters.items()} for name in spec.state_names()
        }

    def export(self) -> tuple[dict[str, dict[str, nd.NDArray]], int]:
        """The canonical state by name and parameter, and the number of updates made."""
        return self.state, self.updates

    def load(self, state: dict[str, dict[str, nd.NDArray]], updates: int) -> None:
        """Go on from a canonical state."""
        self.state, self.updates = {name: dict(arrays) for name, arrays in state.items()}, updates

    def set_learning_rate(self, learning_rate: float) -> None:
        """Another learning rate from the next update on."""
        self.spec = replace(self.spec, learning_rate=learning_rate)

    def step(self) -> None:
        """One update of every parameter."""
        self.updates += 1
        for key, w in self.model.parameters.items():
            getattr(self, self.spec.name)(key, w, self.seen(w, w.grad))

    def seen(self, w: nd.NDArray, g: nd.NDArray) -> nd.NDArray:
        """The gradient as the update sees it: clipped elementwise, then with the weight decay."""
        c, decay = self.spec.clip_value, self.spec.decay_of(w.ndim)
        if c is not None:
            g = nd.minimum(nd.maximum(g, -c), c)  # nd.clip rounds its bounds to float32
        return g + decay * w if decay else g

    def sgd(self, key: str, w: nd.NDArray, g: nd.NDArray) -> None:
        """Plain gradient descent."""
        w -= self.spec.learning_rate * g

    def momentum(self, key: str, w: nd.NDArray, g: nd.NDArray) -> None:
        """Gradient descent with a velocity."""
        v = self.state["momentum"][key]
        v *= self.spec.momentum
        v += g
        w -= self.spec.learning_rate * v

    def nag(self, key: str, w: nd.NDArray, g: nd.NDArray) -> None:
        """Nesterov's: the velocity is followed once more before it is taken."""
        v = self.state["momentum"][key]
        v *= self.spec.momentum
        v += g
        w -= self.spec.learning_rate * (g + self.spec.momentum * v)

    def adam(self, key: str, w: nd.NDArray, g: nd.NDArray) -> None:
        """Adam, with the epsilon beside the corrected second moment."""
        b1, b2, t = self.spec.beta1, self.spec.beta2, self.updates
        m, s = self.state["first_moment"][key], self.state["second_moment"][key]
        m *= b1
        m += (1 - b1) * g
        s *= b2
        s += (1 - b2) * g * g
        w -= self.spec.learning_rate * (m / (1 - b1**t)) / (nd.sqrt(s / (1 - b2**t)) + self.spec.epsilon)

    def rmsprop(self, key: str, w: nd.NDArray, g: nd.NDArray) -> None:
        """The gradient over the root of its mean square."""
        rho, s = self.spec.rho, self.state["second_moment"][key]
        s *= rho
        s += (1 - rho) * g * g
        w -= self.spec.learning_rate * g / (nd.sqrt(s) + self.spec.epsilon)

    def adagrad(self, key: str, w: nd.NDArray, g: nd.NDArray) -> None:
        """The gradient over the root of the sum of its squares."""
        s = self.state["squares"][key]
        s += g * g
        w -= self.spec.learning_rate * g / (nd.sqrt(s) + self.spec.epsilon)

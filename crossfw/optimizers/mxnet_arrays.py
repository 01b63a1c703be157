"""MXNet's optimizers, under their own names, with their updates written in array operations.

They stand in for two reasons:

1. The fused update operators keep learning rate, momentum, betas and weight decay as C floats, whatever the dtype of
   the weights: 0.1 becomes 0.10000000149, and 1 - 0.999 becomes 0.000999987. The scalars of array operations are
   doubles. So these are taken in float64; in float32 the fused ones are the optimizers that people use.
2. Some updates are not those of `spec.py` for any hyper-parameters, so these are taken in float32 too:
   - NAG with weight decay: its operator decays the momentum with the weight that it has just written, in place;
   - RMSProp: epsilon stands inside the root, and sqrt(s + eps) is not sqrt(s) + eps' for any constant eps';
   - AdaGrad: the same, and its weight decay is decoupled: it is not in the squares.

Gradients arrive clipped; `wd` is times the parameter's `wd_mult`, as everywhere in MXNet.
"""

from __future__ import annotations

import math

from mxnet import nd, optimizer


class SGD(optimizer.SGD):
    """mxnet.optimizer.SGD without the rounding of its hyper-parameters to float32."""

    def update(self, index: int, weight: nd.NDArray, grad: nd.NDArray, state: nd.NDArray | None) -> None:
        """w <- w - lr g, or with the buffer b <- mu b - lr g; w <- w + b."""
        if isinstance(index, (list, tuple)):
            for arguments in zip(index, weight, grad, state):
                self.update(*arguments)
            return
        self._update_count(index)
        lr, grad = self._get_lr(index), grad + self._get_wd(index) * weight
        if state is None:
            weight -= lr * grad
        else:
            state[:] = self.momentum * state - lr * grad
            weight += state

    update_multi_precision = update


class NAG(optimizer.NAG):
    """mxnet.optimizer.NAG with the weight decay of the weight before the update."""

    def update(self, index: int, weight: nd.NDArray, grad: nd.NDArray, state: nd.NDArray) -> None:
        """b <- mu b - lr g; w <- w + mu b - lr g."""
        self._update_count(index)
        lr, grad = self._get_lr(index), grad + self._get_wd(index) * weight
        state[:] = self.momentum * state - lr * grad
        weight += self.momentum * state - lr * grad

    update_multi_precision = update


class Adam(optimizer.Adam):
    """mxnet.optimizer.Adam without the rounding of its hyper-parameters to float32."""

    def update(self, index: int, weight: nd.NDArray, grad: nd.NDArray, state: tuple[nd.NDArray, nd.NDArray]) -> None:
        """MXNet's form: w <- w - lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(s) + eps)."""
        self._update_count(index)
        t, (mean, variance) = self._index_update_count[index], state
        grad = grad + self._get_wd(index) * weight
        mean[:] = self.beta1 * mean + (1 - self.beta1) * grad
        variance[:] = self.beta2 * variance + (1 - self.beta2) * grad * grad
        lr = self._get_lr(index) * math.sqrt(1 - self.beta2**t) / (1 - self.beta1**t)
        weight -= lr * mean / (nd.sqrt(variance) + self.epsilon)


class RMSProp(optimizer.RMSProp):
    """mxnet.optimizer.RMSProp with epsilon outside the root."""

    def update(self, index: int, weight: nd.NDArray, grad: nd.NDArray, state: tuple[nd.NDArray]) -> None:
        """s <- rho s + (1 - rho) g^2; w <- w - lr g / (sqrt(s) + eps)."""
        self._update_count(index)
        (square,) = state
        grad = grad + self._get_wd(index) * weight
        square[:] = self.gamma1 * square + (1 - self.gamma1) * grad * grad
        weight -= self._get_lr(index) * grad / (nd.sqrt(square) + self.epsilon)


class AdaGrad(optimizer.AdaGrad):
    """mxnet.optimizer.AdaGrad with epsilon outside the root, and the weight decay in the gradient."""

    def update(self, index: int, weight: nd.NDArray, grad: nd.NDArray, state: nd.NDArray) -> None:
        """s <- s + g^2; w <- w - lr g / (sqrt(s) + eps)."""
        self._update_count(index)
        grad = grad + self._get_wd(index) * weight
        state += grad * grad
        weight -= self._get_lr(index) * grad / (nd.sqrt(state) + self.float_stable_eps)

"""The reference: NumPy only, the plain loop over steps, and back-propagation through time by hand."""

from __future__ import annotations

import numpy as np

from crossfw.models.rnn.spec import Spec

ACTIVATIONS = {
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0),
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "identity": lambda a: a,
}

# f'(a) written in h = f(a)
DERIVATIVES = {
    "tanh": lambda h: 1 - h * h,
    "relu": lambda h: (h > 0).astype(h.dtype),
    "sigmoid": lambda h: h * (1 - h),
    "identity": np.ones_like,
}


def log_softmax(output: np.ndarray) -> np.ndarray:
    """log softmax over the last axis, shifted by the maximum so that exp cannot overflow."""
    shifted = output - output.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


class Model:
    """The model of `spec.py` with its parameters as arrays, all zero until they are loaded."""

    notes: tuple[str, ...] = ()

    def __init__(self, spec: Spec, dtype: str, device: str):
        self.spec = spec
        self.parameters = {name: np.zeros(shape, dtype) for name, shape in spec.shapes().items()}
        self.native_names = {name: name for name in self.parameters}
        self.activation = ACTIVATIONS[spec.activation]

    def native_parameters(self) -> dict[str, np.ndarray]:
        """Every array that learns, by the name it has here."""
        return self.parameters

    def initial_state(self, batch_size: int) -> np.ndarray:
        """Zeros (N, H)."""
        return np.zeros(self.spec.state_shape(batch_size), self.parameters["W_hh"].dtype)

    def project(self, inputs: np.ndarray) -> np.ndarray:
        """W_xh x_t plus all recurrent biases, for tokens (T, N) or features (T, N, D): (T, N, H)."""
        p = self.parameters
        bias = p["b_h"] if self.spec.biases == 1 else p["b_xh"] + p["b_hh"]
        if self.spec.inputs == "tokens":
            return p["W_xh"].T[inputs] + bias
        return inputs @ p["W_xh"].T + bias

    def cell(self, projected: np.ndarray, state: np.ndarray) -> np.ndarray:
        """h_t (N, H) from the projected input (N, H) and h_{t-1} (N, H)."""
        return self.activation(projected + state @ self.parameters["W_hh"].T)

    def readout(self, hidden: np.ndarray) -> np.ndarray:
        """y (..., Q) from h (..., H)."""
        return hidden @ self.parameters["W_hq"].T + self.parameters["b_q"]

    def forward(self, inputs: np.ndarray, state: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """The whole sequence: activations hidden (T, N, H) and output (T, N, Q), and the last state (N, H)."""
        hidden = []
        for projected in self.project(inputs):
            state = self.cell(projected, state)
            hidden.append(state)
        hidden = np.stack(hidden)  # (T, N, H)
        return {"hidden": hidden, "output": self.readout(hidden)}, state

    def step(self, inputs: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One step: output (N, Q) and state (N, H) from tokens (N,) or features (N, D)."""
        state = self.cell(self.project(inputs[None])[0], state)
        return self.readout(state), state

    def loss(self, output: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Mean negative log-likelihood of targets (T, N) under output (T, N, Q), in nats."""
        return -np.take_along_axis(log_softmax(output), targets[..., None], axis=-1).mean()

    def backward(
        self, inputs: np.ndarray, targets: np.ndarray, state: np.ndarray
    ) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray, np.ndarray]:
        """Loss, gradient of every parameter, gradient of the initial state (N, H), and the last state (N, H).

        From the last step to the first, with d_x for the gradient of the loss by x:

            d_y_t = (softmax(y_t) - onehot(target_t)) / (T N)
            d_h_t = W_hq^T d_y_t + W_hh^T d_a_{t+1}
            d_a_t = f'(a_t) d_h_t

        and every weight collects the outer products of what it multiplied (Werbos, "Backpropagation through
        time: what it does and how to do it", 1990).
        """
        p, derivative = self.parameters, DERIVATIVES[self.spec.activation]
        activations, last = self.forward(inputs, state)
        hidden, output = activations["hidden"], activations["output"]
        d_output = np.exp(log_softmax(output))
        np.put_along_axis(
            d_output,
            targets[..., None],
            np.take_along_axis(d_output, targets[..., None], axis=-1) - 1,
            axis=-1,
        )
        d_output /= targets.size
        gradients = {name: np.zeros_like(value) for name, value in p.items()}
        carried = np.zeros_like(state)  # W_hh^T d_a_{t+1}
        for t in reversed(range(len(inputs))):
            previous = hidden[t - 1] if t > 0 else state
            d_a = derivative(hidden[t]) * (d_output[t] @ p["W_hq"] + carried)
            if self.spec.inputs == "tokens":
                np.add.at(gradients["W_xh"].T, inputs[t], d_a)
            else:
                gradients["W_xh"] += d_a.T @ inputs[t]
            gradients["W_hh"] += d_a.T @ previous
            for name in ("b_h", "b_xh", "b_hh"):
                if name in gradients:
                    gradients[name] += d_a.sum(axis=0)
            gradients["W_hq"] += d_output[t].T @ hidden[t]
            gradients["b_q"] += d_output[t].sum(axis=0)
            carried = d_a @ p["W_hh"]
        return self.loss(output, targets), gradients, carried, last

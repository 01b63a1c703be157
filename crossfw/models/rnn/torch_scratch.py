"""From scratch in PyTorch: tensors, elementary operations and autograd only."""

from __future__ import annotations

import torch

from crossfw.models.rnn.spec import Spec

ACTIVATIONS = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": lambda a: a,
}


class Model:
    """The model of `spec.py` with its parameters as tensors, all zero until they are loaded."""

    notes: tuple[str, ...] = ()

    def __init__(self, spec: Spec, dtype: str, device: str):
        self.spec = spec
        self.parameters = {
            name: torch.zeros(shape, dtype=getattr(torch, dtype), device=device, requires_grad=True)
            for name, shape in spec.shapes().items()
        }
        self.native_names = {name: name for name in self.parameters}
        self.activation = ACTIVATIONS[spec.activation]

    def native_parameters(self) -> dict[str, torch.Tensor]:
        """Every tensor that learns, by the name it has here."""
        return self.parameters

    def initial_state(self, batch_size: int) -> torch.Tensor:
        """Zeros (N, H)."""
        W_hh = self.parameters["W_hh"]
        return torch.zeros(self.spec.state_shape(batch_size), dtype=W_hh.dtype, device=W_hh.device)

    def project(self, inputs: torch.Tensor) -> torch.Tensor:
        """W_xh x_t plus all recurrent biases, for tokens (T, N) or features (T, N, D): (T, N, H)."""
        p = self.parameters
        bias = p["b_h"] if self.spec.biases == 1 else p["b_xh"] + p["b_hh"]
        if self.spec.inputs == "tokens":
            rows = p["W_xh"].T.index_select(0, inputs.flatten())
            return rows.reshape(*inputs.shape, -1) + bias
        return inputs @ p["W_xh"].T + bias

    def cell(self, projected: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        """h_t (N, H) from the projected input (N, H) and h_{t-1} (N, H)."""
        return self.activation(projected + state @ self.parameters["W_hh"].T)

    def readout(self, hidden: torch.Tensor) -> torch.Tensor:
        """y (..., Q) from h (..., H)."""
        return hidden @ self.parameters["W_hq"].T + self.parameters["b_q"]

    def forward(self, inputs: torch.Tensor, state: torch.Tensor) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """The whole sequence: activations hidden (T, N, H) and output (T, N, Q), and the last state (N, H)."""
        hidden = []
        for projected in self.project(inputs).unbind():
            state = self.cell(projected, state)
            hidden.append(state)
        hidden = torch.stack(hidden)  # (T, N, H)
        return {"hidden": hidden, "output": self.readout(hidden)}, state

    def step(self, inputs: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """One step: output (N, Q) and state (N, H) from tokens (N,) or features (N, D)."""
        state = self.cell(self.project(inputs[None])[0], state)
        return self.readout(state), state

    def loss(self, output: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Mean negative log-likelihood of targets (T, N) under output (T, N, Q), in nats."""
        return -torch.log_softmax(output, dim=-1).gather(-1, targets[..., None]).mean()

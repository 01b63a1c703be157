"""With PyTorch's library layers: nn.RNN over the sequence, nn.RNNCell for single steps, nn.Linear on top."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from crossfw.models.rnn.spec import Spec

LAYER_ACTIVATIONS = ("tanh", "relu")


class Cell(nn.RNNCellBase):
    """A recurrent cell with the parameters of nn.RNNCell and the activations that it lacks."""

    def __init__(self, input_size: int, hidden_size: int, activation: str):
        super().__init__(input_size, hidden_size, bias=True, num_chunks=1)
        self.activation = {"sigmoid": torch.sigmoid, "identity": nn.Identity()}[activation]

    def forward(self, inputs: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        """h_t (N, H) from x_t (N, D) and h_{t-1} (N, H)."""
        projected = F.linear(inputs, self.weight_ih, self.bias_ih)
        return self.activation(projected + F.linear(state, self.weight_hh, self.bias_hh))


class Model:
    """The model of `spec.py` in library layers, all parameters zero until they are loaded."""

    def __init__(self, spec: Spec, dtype: str, device: str):
        self.spec = spec
        V, H, Q = spec.input_size, spec.hidden_size, spec.output_size
        if spec.activation in LAYER_ACTIVATIONS:
            self.layer = nn.RNN(V, H, nonlinearity=spec.activation)
            self.cell = nn.RNNCell(V, H, nonlinearity=spec.activation)
            self.notes: tuple[str, ...] = ()
            recurrent, suffix = self.layer, "_l0"
        else:
            self.layer = None
            self.cell = Cell(V, H, spec.activation)
            self.notes = (f"nn.RNN has no {spec.activation}: steps a cell of its own",)
            recurrent, suffix = self.cell, ""
        self.dense = nn.Linear(H, Q)
        self.net = nn.ModuleDict({"rnn": recurrent, "dense": self.dense})
        self.net.to(device=device, dtype=getattr(torch, dtype))
        for parameter in self.net.parameters():
            nn.init.zeros_(parameter)
        if self.layer is not None:
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                setattr(self.cell, name, getattr(self.layer, f"{name}_l0"))
        if spec.biases == 1:
            self.cell.bias_hh.requires_grad_(False)
        self.native_names = {
            "W_xh": f"rnn.weight_ih{suffix}",
            "W_hh": f"rnn.weight_hh{suffix}",
            "b_h" if spec.biases == 1 else "b_xh": f"rnn.bias_ih{suffix}",
            **({} if spec.biases == 1 else {"b_hh": f"rnn.bias_hh{suffix}"}),
            "W_hq": "dense.weight",
            "b_q": "dense.bias",
        }
        native = self.native_parameters()
        self.parameters = {name: native[native_name] for name, native_name in self.native_names.items()}

    def native_parameters(self) -> dict[str, torch.Tensor]:
        """Every tensor that learns, by the name it has here."""
        return {name: p for name, p in self.net.named_parameters() if p.requires_grad}

    def initial_state(self, batch_size: int) -> torch.Tensor:
        """Zeros (N, H)."""
        W_hh = self.parameters["W_hh"]
        return torch.zeros(self.spec.state_shape(batch_size), dtype=W_hh.dtype, device=W_hh.device)

    def encode(self, inputs: torch.Tensor) -> torch.Tensor:
        """What the layer takes: one-hot vectors (..., V) for tokens, features as they are."""
        if self.spec.inputs == "tokens":
            return F.one_hot(inputs, self.spec.input_size).to(self.parameters["W_hh"].dtype)
        return inputs

    def forward(self, inputs: torch.Tensor, state: torch.Tensor) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """The whole sequence: activations hidden (T, N, H) and output (T, N, Q), and the last state (N, H)."""
        encoded = self.encode(inputs)
        if self.layer is not None:
            hidden, last = self.layer(encoded, state[None])  # (T, N, H), (1, N, H)
            state = last[0]
        else:
            hidden = []
            for step in encoded.unbind():
                state = self.cell(step, state)
                hidden.append(state)
            hidden = torch.stack(hidden)  # (T, N, H)
        return {"hidden": hidden, "output": self.dense(hidden)}, state

    def step(self, inputs: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """One step: output (N, Q) and state (N, H) from tokens (N,) or features (N, D)."""
        state = self.cell(self.encode(inputs), state)
        return self.dense(state), state

    def loss(self, output: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Mean negative log-likelihood of targets (T, N) under output (T, N, Q), in nats."""
        return F.cross_entropy(output.flatten(0, 1), targets.flatten())

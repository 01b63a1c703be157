"""With PyTorch's library layers: nn.Embedding, nn.RNN and its kin, nn.Linear, F.cross_entropy."""

from __future__ import annotations

from importlib import import_module

import torch
from torch import nn

from crossfw.models.heads import HEADS
from crossfw.models.losses import torch_nn as losses
from crossfw.models.network.spec import Spec
from crossfw.models.stack.torch_nn import Stack


class Net(nn.Module):
    """The layers of the model."""

    def __init__(self, spec: Spec, dtype: str):
        super().__init__()
        self.embedding = nn.Embedding(spec.input_size, spec.embedding_size) if spec.embedding_size else None
        self.stack = Stack(spec.stack, dtype)
        self.head = import_module(f"crossfw.models.heads.{HEADS[spec.head]}.torch_nn").Head(spec)

    def parameter_names(self) -> dict[str, nn.Parameter]:
        """The parameters that learn, by canonical name."""
        embedding = {"W_e": self.embedding.weight} if self.embedding else {}
        return {**embedding, **self.stack.parameter_names(), **self.head.parameter_names()}


class Model:
    """The model of `spec.py` in library layers, all parameters zero until they are loaded."""

    def __init__(self, spec: Spec, dtype: str, device: str):
        self.spec, self.options = spec, {"dtype": getattr(torch, dtype), "device": device}
        self.net = Net(spec, dtype).to(**self.options)
        for parameter in self.net.parameters():
            nn.init.zeros_(parameter)
        self.parameters = self.net.parameter_names()
        named = {id(parameter): name for name, parameter in self.net.named_parameters()}
        self.native_names = {name: named[id(parameter)] for name, parameter in self.parameters.items()}

    @property
    def notes(self) -> tuple[str, ...]:
        """What the library could not carry."""
        return self.net.stack.notes

    @property
    def steps_cells(self) -> bool:
        """Whether cells are stepped one by one instead of whole layers; `notes` says why."""
        return self.net.stack.steps_cells

    def native_parameters(self) -> dict[str, torch.Tensor]:
        """Every tensor that learns, by the name it has here."""
        return {name: p for name, p in self.net.named_parameters() if p.requires_grad}

    def initial_state(self, batch_size: int) -> dict[str, torch.Tensor]:
        """Zeros, each (N, H)."""
        return {name: torch.zeros(shape, **self.options) for name, shape in self.spec.state_shapes(batch_size).items()}

    def embed(self, inputs: torch.Tensor) -> torch.Tensor:
        """Rows of the embedding (T, N, E), where there is one."""
        return self.net.embedding(inputs) if self.net.embedding else inputs

    def _run(self, batch: dict, state: dict, by_cells: bool) -> tuple[dict, dict]:
        inputs = self.embed(batch["inputs"])
        hidden, last = self.net.stack.run(inputs, state, batch, self.spec.state_mask(batch), by_cells)
        return {"hidden": hidden, "output": self.net.head(hidden, last, batch.get("mask"))}, last

    def forward(self, batch: dict, state: dict) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        """Activations hidden (T, N, width) and output, and the last state, for a batch of named tensors."""
        return self._run(batch, state, by_cells=False)

    def step(self, inputs: torch.Tensor, state: dict) -> tuple[torch.Tensor, dict]:
        """One step of the library's cells: output (N, Q) and state from tokens (N,) or features (N, D)."""
        activations, state = self._run({"inputs": inputs[None]}, state, by_cells=True)
        return activations["output"][0], state

    def loss(self, output: torch.Tensor, batch: dict) -> torch.Tensor:
        """The loss of an output under a batch's targets, a scalar in nats."""
        return losses.cross_entropy(output, batch["targets"], self.spec.loss_mask(batch), self.spec.reduction)

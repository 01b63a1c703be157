"""From scratch in PyTorch: tensors, elementary operations and autograd only."""

from __future__ import annotations

from importlib import import_module

import torch

from crossfw.models.heads import HEADS
from crossfw.models.losses import torch_scratch as losses
from crossfw.models.network.spec import Spec
from crossfw.models.stack import torch_scratch as stack


class Model:
    """The model of `spec.py` with its parameters as tensors, all zero until they are loaded."""

    notes: tuple[str, ...] = ()
    run = staticmethod(stack.run)

    def __init__(self, spec: Spec, dtype: str, device: str):
        self.spec, self.options = spec, {"dtype": getattr(torch, dtype), "device": device}
        self.parameters = {
            name: torch.zeros(shape, **self.options, requires_grad=True) for name, shape in spec.shapes().items()
        }
        self.native_names = {name: name for name in self.parameters}
        self.head = import_module(f"crossfw.models.heads.{HEADS[spec.head]}.torch_scratch")

    def native_parameters(self) -> dict[str, torch.Tensor]:
        """Every tensor that learns, by the name it has here."""
        return self.parameters

    def initial_state(self, batch_size: int) -> dict[str, torch.Tensor]:
        """Zeros, each (N, H)."""
        return {name: torch.zeros(shape, **self.options) for name, shape in self.spec.state_shapes(batch_size).items()}

    def embed(self, inputs: torch.Tensor) -> torch.Tensor:
        """Rows of the embedding (T, N, E), where there is one."""
        return torch.embedding(self.parameters["W_e"], inputs) if self.spec.embedding_size else inputs

    def forward(self, batch: dict, state: dict) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        """Activations hidden (T, N, width) and output, and the last state, for a batch of named tensors."""
        spec, p = self.spec, self.parameters
        inputs = self.embed(batch["inputs"])
        hidden, last = self.run(spec.stack, p, inputs, state, batch, spec.state_mask(batch))
        return {"hidden": hidden, "output": self.head.apply(spec, p, hidden, last, batch.get("mask"))}, last

    def step(self, inputs: torch.Tensor, state: dict) -> tuple[torch.Tensor, dict]:
        """One step: output (N, Q) and state from tokens (N,) or features (N, D)."""
        activations, state = self.forward({"inputs": inputs[None]}, state)
        return activations["output"][0], state

    def loss(self, output: torch.Tensor, batch: dict) -> torch.Tensor:
        """The loss of an output under a batch's targets, a scalar in nats."""
        return losses.cross_entropy(output, batch["targets"], self.spec.loss_mask(batch), self.spec.reduction)

"""From scratch in PyTorch: tensors, elementary operations and autograd only."""

from __future__ import annotations

import torch

from crossfw.models.encoder_decoder.spec import Spec
from crossfw.models.heads.sequence import torch_scratch as head
from crossfw.models.losses import torch_scratch as losses
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

    def native_parameters(self) -> dict[str, torch.Tensor]:
        """Every tensor that learns, by the name it has here."""
        return self.parameters

    def initial_state(self, batch_size: int) -> dict[str, torch.Tensor]:
        """Zeros, each (N, H)."""
        return {name: torch.zeros(shape, **self.options) for name, shape in self.spec.state_shapes(batch_size).items()}

    def embed(self, side: str, inputs: torch.Tensor) -> torch.Tensor:
        """Rows of the embedding (T, N, E) of one side, where there is one."""
        return torch.embedding(self.parameters[f"{side}.W_e"], inputs) if self.spec.embedding_size else inputs

    def encode(self, batch: dict, state: dict) -> tuple[torch.Tensor, dict]:
        """Encoded source (S, N, H) and the last state of the encoder."""
        inputs = self.embed("encoder", batch["source"])
        return self.run(self.spec.encoder, self.parameters, inputs, state, batch, batch.get("source_mask"))

    def decode(self, batch: dict, state: dict, context: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, dict]:
        """Hidden states (T, N, H), outputs (T, N, Q) and the last state, from a first state and a context (N, H)."""
        p, inputs = self.parameters, self.embed("decoder", batch["inputs"])
        if self.spec.context:
            inputs = torch.cat([inputs, context.expand(len(inputs), *context.shape)], dim=-1)
        hidden, last = self.run(self.spec.decoder, p, inputs, state, batch, None)
        return hidden, head.apply(self.spec, p, hidden, last, None), last

    def forward(self, batch: dict, state: dict) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        """Activations encoded, hidden and output, and the decoder's last state, for a batch of named tensors."""
        encoded, state = self.encode(batch, state)
        hidden, output, last = self.decode(batch, state, state[self.spec.top])
        return {"encoded": encoded, "hidden": hidden, "output": output}, last

    def loss(self, output: torch.Tensor, batch: dict) -> torch.Tensor:
        """The loss of an output under a batch's targets, a scalar in nats."""
        return losses.cross_entropy(output, batch["targets"], self.spec.loss_mask(batch), self.spec.reduction)

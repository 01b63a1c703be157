"""With PyTorch's library layers: nn.Embedding, nn.RNN and its kin, nn.Linear, F.cross_entropy."""

from __future__ import annotations

import torch
from torch import nn

from crossfw.models.encoder_decoder.spec import Spec
from crossfw.models.heads.sequence.torch_nn import Head
from crossfw.models.losses import torch_nn as losses
from crossfw.models.stack.torch_nn import Stack


class Net(nn.Module):
    """The layers of the model."""

    def __init__(self, spec: Spec, dtype: str):
        super().__init__()
        E = spec.embedding_size
        self.encoder_embedding = nn.Embedding(spec.source_size, E) if E else None
        self.encoder = Stack(spec.encoder, dtype)
        self.decoder_embedding = nn.Embedding(spec.input_size, E) if E else None
        self.decoder = Stack(spec.decoder, dtype)
        self.head = Head(spec)

    def parameter_names(self) -> dict[str, nn.Parameter]:
        """The parameters that learn, by canonical name."""
        return {
            **({"encoder.W_e": self.encoder_embedding.weight} if self.encoder_embedding else {}),
            **self.encoder.parameter_names(),
            **({"decoder.W_e": self.decoder_embedding.weight} if self.decoder_embedding else {}),
            **self.decoder.parameter_names(),
            **self.head.parameter_names(),
        }


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
        return tuple(dict.fromkeys(self.net.encoder.notes + self.net.decoder.notes))

    @property
    def steps_cells(self) -> bool:
        """Whether cells are stepped one by one instead of whole layers; `notes` says why."""
        return self.net.encoder.steps_cells or self.net.decoder.steps_cells

    def native_parameters(self) -> dict[str, torch.Tensor]:
        """Every tensor that learns, by the name it has here."""
        return {name: p for name, p in self.net.named_parameters() if p.requires_grad}

    def initial_state(self, batch_size: int) -> dict[str, torch.Tensor]:
        """Zeros, each (N, H)."""
        return {name: torch.zeros(shape, **self.options) for name, shape in self.spec.state_shapes(batch_size).items()}

    def embed(self, side: str, inputs: torch.Tensor) -> torch.Tensor:
        """Rows of the embedding (T, N, E) of one side, where there is one."""
        return getattr(self.net, f"{side}_embedding")(inputs) if self.spec.embedding_size else inputs

    def encode(self, batch: dict, state: dict) -> tuple[torch.Tensor, dict]:
        """Encoded source (S, N, H) and the last state of the encoder."""
        inputs = self.embed("encoder", batch["source"])
        return self.net.encoder.run(inputs, state, batch, batch.get("source_mask"))

    def decode(self, batch: dict, state: dict, context: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, dict]:
        """Hidden states (T, N, H), outputs (T, N, Q) and the last state, from a first state and a context (N, H)."""
        inputs = self.embed("decoder", batch["inputs"])
        if self.spec.context:
            inputs = torch.cat([inputs, context.expand(len(inputs), *context.shape)], dim=-1)
        hidden, last = self.net.decoder.run(inputs, state, batch, None)
        return hidden, self.net.head(hidden, last, None), last

    def forward(self, batch: dict, state: dict) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        """Activations encoded, hidden and output, and the decoder's last state, for a batch of named tensors."""
        encoded, state = self.encode(batch, state)
        hidden, output, last = self.decode(batch, state, state[self.spec.top])
        return {"encoded": encoded, "hidden": hidden, "output": output}, last

    def loss(self, output: torch.Tensor, batch: dict) -> torch.Tensor:
        """The loss of an output under a batch's targets, a scalar in nats."""
        return losses.cross_entropy(output, batch["targets"], self.spec.loss_mask(batch), self.spec.reduction)

"""The reference: NumPy only, plain loops, and back-propagation through both stacks by hand."""

from __future__ import annotations

import numpy as np

from crossfw.models.encoder_decoder.spec import Spec
from crossfw.models.heads.sequence import numpy as head
from crossfw.models.losses import numpy as losses
from crossfw.models.stack import numpy as stack


class Model:
    """The model of `spec.py` with its parameters as arrays, all zero until they are loaded."""

    notes: tuple[str, ...] = ()

    def __init__(self, spec: Spec, dtype: str, device: str):
        self.spec, self.dtype = spec, dtype
        self.parameters = {name: np.zeros(shape, dtype) for name, shape in spec.shapes().items()}
        self.native_names = {name: name for name in self.parameters}

    def native_parameters(self) -> dict[str, np.ndarray]:
        """Every array that learns, by the name it has here."""
        return self.parameters

    def initial_state(self, batch_size: int) -> dict[str, np.ndarray]:
        """Zeros, each (N, H)."""
        return {name: np.zeros(shape, self.dtype) for name, shape in self.spec.state_shapes(batch_size).items()}

    def embed(self, side: str, inputs: np.ndarray) -> np.ndarray:
        """Rows of the embedding (T, N, E) of one side, where there is one."""
        return self.parameters[f"{side}.W_e"][inputs] if self.spec.embedding_size else inputs

    def _encode(self, batch: dict, state: dict) -> tuple[np.ndarray, dict, list]:
        inputs = self.embed("encoder", batch["source"])
        return stack.run(self.spec.encoder, self.parameters, inputs, state, batch, batch.get("source_mask"))

    def encode(self, batch: dict, state: dict) -> tuple[np.ndarray, dict]:
        """Encoded source (S, N, H) and the last state of the encoder."""
        return self._encode(batch, state)[:2]

    def _decode(self, batch: dict, state: dict, context: np.ndarray) -> tuple[np.ndarray, np.ndarray, dict, list]:
        p, inputs = self.parameters, self.embed("decoder", batch["inputs"])
        if self.spec.context:
            inputs = np.concatenate([inputs, np.broadcast_to(context, (len(inputs), *context.shape))], axis=-1)
        hidden, last, memory = stack.run(self.spec.decoder, p, inputs, state, batch, None)
        return hidden, head.apply(self.spec, p, hidden, last, None), last, memory

    def decode(self, batch: dict, state: dict, context: np.ndarray) -> tuple[np.ndarray, np.ndarray, dict]:
        """Hidden states (T, N, H), outputs (T, N, Q) and the last state, from a first state and a context (N, H)."""
        return self._decode(batch, state, context)[:3]

    def forward(self, batch: dict, state: dict) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Activations encoded, hidden and output, and the decoder's last state, for a batch of named arrays."""
        encoded, state = self.encode(batch, state)
        hidden, output, last = self.decode(batch, state, state[self.spec.top])
        return {"encoded": encoded, "hidden": hidden, "output": output}, last

    def loss(self, output: np.ndarray, batch: dict) -> np.ndarray:
        """The loss of an output under a batch's targets, a scalar in nats."""
        return losses.cross_entropy(output, batch["targets"], self.spec.loss_mask(batch), self.spec.reduction)

    def backward(self, batch: dict, state: dict) -> stack.BothPasses:
        """Forward, and back-propagation through time.

        What comes back from the decoder's first state, and from the context that stood beside all its inputs, goes
        into the encoder's last state.
        """
        spec, p = self.spec, self.parameters
        encoded, coded, encoder_memory = self._encode(batch, state)
        hidden, output, last, memory = self._decode(batch, coded, coded[spec.top])
        d_output = losses.backward(output, batch["targets"], spec.loss_mask(batch), spec.reduction)
        gradients = {name: np.zeros_like(value) for name, value in p.items()}
        d_hidden, d_last = head.backward(spec, p, gradients, hidden, last, None, d_output)
        d_inputs, d_coded, d_decoder = stack.backward(spec.decoder, p, memory, batch, None, d_hidden, d_last, gradients)
        if spec.embedding_size:
            stack.add_to_rows(gradients["decoder.W_e"], batch["inputs"], d_inputs[..., : spec.embedding_size])
        if spec.context:
            d_coded[spec.top] = d_coded[spec.top] + d_inputs[..., spec.embedding_size :].sum(axis=0)
        nothing = np.zeros((*batch["source"].shape, spec.hidden_size), output.dtype)
        d_source, d_state, d_encoder = stack.backward(
            spec.encoder, p, encoder_memory, batch, batch.get("source_mask"), nothing, d_coded, gradients
        )
        if spec.embedding_size:
            stack.add_to_rows(gradients["encoder.W_e"], batch["source"], d_source)
        activations = {"encoded": encoded, "hidden": hidden, "output": output}
        return stack.BothPasses(
            self.loss(output, batch), gradients, d_state, last, activations, {**d_encoder, **d_decoder}
        )

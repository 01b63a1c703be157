"""From scratch in MXNet: arrays, elementary operations and autograd only."""

from __future__ import annotations

from mxnet import nd

from crossfw.models.encoder_decoder.spec import Spec
from crossfw.models.heads.sequence import mxnet_scratch as head
from crossfw.models.losses import mxnet_scratch as losses
from crossfw.models.mxnet_device import context as context_of
from crossfw.models.stack import mxnet_scratch as stack


class Model:
    """The model of `spec.py` with its parameters as arrays, all zero until they are loaded."""

    notes: tuple[str, ...] = ()
    run = staticmethod(stack.run)

    def __init__(self, spec: Spec, dtype: str, device: str):
        self.spec, self.options = spec, {"dtype": dtype, "ctx": context_of(device)}
        self.parameters = {name: nd.zeros(shape, **self.options) for name, shape in spec.shapes().items()}
        for parameter in self.parameters.values():
            parameter.attach_grad()
        self.native_names = {name: name for name in self.parameters}

    def native_parameters(self) -> dict[str, nd.NDArray]:
        """Every array that learns, by the name it has here."""
        return self.parameters

    def initial_state(self, batch_size: int) -> dict[str, nd.NDArray]:
        """Zeros, each (N, H)."""
        return {name: nd.zeros(shape, **self.options) for name, shape in self.spec.state_shapes(batch_size).items()}

    def embed(self, side: str, inputs: nd.NDArray) -> nd.NDArray:
        """Rows of the embedding (T, N, E) of one side, where there is one."""
        return nd.take(self.parameters[f"{side}.W_e"], inputs) if self.spec.embedding_size else inputs

    def encode(self, batch: dict, state: dict) -> tuple[nd.NDArray, dict]:
        """Encoded source (S, N, H) and the last state of the encoder."""
        inputs = self.embed("encoder", batch["source"])
        return self.run(self.spec.encoder, self.parameters, inputs, state, batch, batch.get("source_mask"))

    def decode(self, batch: dict, state: dict, context: nd.NDArray) -> tuple[nd.NDArray, nd.NDArray, dict]:
        """Hidden states (T, N, H), outputs (T, N, Q) and the last state, from a first state and a context (N, H)."""
        p, inputs = self.parameters, self.embed("decoder", batch["inputs"])
        if self.spec.context:
            beside = context.expand_dims(0).broadcast_to((len(inputs), *context.shape))
            inputs = nd.concat(inputs, beside, dim=-1)
        hidden, last = self.run(self.spec.decoder, p, inputs, state, batch, None)
        return hidden, head.apply(self.spec, p, hidden, last, None), last

    def forward(self, batch: dict, state: dict) -> tuple[dict[str, nd.NDArray], dict[str, nd.NDArray]]:
        """Activations encoded, hidden and output, and the decoder's last state, for a batch of named arrays."""
        encoded, state = self.encode(batch, state)
        hidden, output, last = self.decode(batch, state, state[self.spec.top])
        return {"encoded": encoded, "hidden": hidden, "output": output}, last

    def loss(self, output: nd.NDArray, batch: dict) -> nd.NDArray:
        """The loss of an output under a batch's targets, a scalar in nats."""
        return losses.cross_entropy(output, batch["targets"], self.spec.loss_mask(batch), self.spec.reduction)

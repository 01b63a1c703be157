"""With MXNet's library layers: nn.Embedding, rnn.RNN and its kin, nn.Dense, SoftmaxCrossEntropyLoss."""

from __future__ import annotations

from mxnet import gluon, nd
from mxnet.gluon import nn

from crossfw.models.encoder_decoder.spec import Spec
from crossfw.models.heads.sequence.mxnet_gluon import Head
from crossfw.models.losses import mxnet_gluon as losses
from crossfw.models.mxnet_device import context as context_of
from crossfw.models.stack.mxnet_gluon import Stack


class Net(gluon.Block):
    """The layers of the model."""

    def __init__(self, spec: Spec, dtype: str):
        super().__init__()
        E = spec.embedding_size
        self.encoder_embedding = nn.Embedding(spec.source_size, E) if E else None
        self.encoder = Stack(spec.encoder, dtype)
        self.decoder_embedding = nn.Embedding(spec.input_size, E) if E else None
        self.decoder = Stack(spec.decoder, dtype)
        self.head = Head(spec)

    def parameter_names(self) -> dict[str, gluon.Parameter]:
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
        self.spec, self.options = spec, {"dtype": dtype, "ctx": context_of(device)}
        self.net = Net(spec, dtype)
        self.net.cast(dtype)
        self.net.initialize("zeros", ctx=context_of(device))
        canonical = self.net.parameter_names()
        self.parameters = {name: parameter.data() for name, parameter in canonical.items()}
        named = {id(parameter): name for name, parameter in self.net._collect_params_with_prefix().items()}
        self.native_names = {name: named[id(parameter)] for name, parameter in canonical.items()}

    @property
    def notes(self) -> tuple[str, ...]:
        """What the library could not carry."""
        return tuple(dict.fromkeys(self.net.encoder.notes + self.net.decoder.notes))

    @property
    def steps_cells(self) -> bool:
        """Whether cells are stepped one by one instead of whole layers; `notes` says why."""
        return self.net.encoder.steps_cells or self.net.decoder.steps_cells

    def native_parameters(self) -> dict[str, nd.NDArray]:
        """Every array that learns, by the name that `save_parameters` gives it."""
        named = self.net._collect_params_with_prefix()
        return {name: p.data() for name, p in named.items() if p.grad_req != "null"}

    def initial_state(self, batch_size: int) -> dict[str, nd.NDArray]:
        """Zeros, each (N, H)."""
        return {name: nd.zeros(shape, **self.options) for name, shape in self.spec.state_shapes(batch_size).items()}

    def embed(self, side: str, inputs: nd.NDArray) -> nd.NDArray:
        """Rows of the embedding (T, N, E) of one side, where there is one."""
        return getattr(self.net, f"{side}_embedding")(inputs) if self.spec.embedding_size else inputs

    def encode(self, batch: dict, state: dict) -> tuple[nd.NDArray, dict]:
        """Encoded source (S, N, H) and the last state of the encoder."""
        inputs = self.embed("encoder", batch["source"])
        return self.net.encoder.run(inputs, state, batch, batch.get("source_mask"))

    def decode(self, batch: dict, state: dict, context: nd.NDArray) -> tuple[nd.NDArray, nd.NDArray, dict]:
        """Hidden states (T, N, H), outputs (T, N, Q) and the last state, from a first state and a context (N, H)."""
        inputs = self.embed("decoder", batch["inputs"])
        if self.spec.context:
            beside = context.expand_dims(0).broadcast_to((len(inputs), *context.shape))
            inputs = nd.concat(inputs, beside, dim=-1)
        hidden, last = self.net.decoder.run(inputs, state, batch, None)
        return hidden, self.net.head(hidden, last, None), last

    def forward(self, batch: dict, state: dict) -> tuple[dict[str, nd.NDArray], dict[str, nd.NDArray]]:
        """Activations encoded, hidden and output, and the decoder's last state, for a batch of named arrays."""
        encoded, state = self.encode(batch, state)
        hidden, output, last = self.decode(batch, state, state[self.spec.top])
        return {"encoded": encoded, "hidden": hidden, "output": output}, last

    def loss(self, output: nd.NDArray, batch: dict) -> nd.NDArray:
        """The loss of an output under a batch's targets, a scalar in nats."""
        return losses.cross_entropy(output, batch["targets"], self.spec.loss_mask(batch), self.spec.reduction)

"""A transformer's decoder: no step sees the next ones, all see what was encoded; normalised before each part."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
WORDS, STEPS, SOURCE, UNITS, HIDDEN, HEADS, LAYERS = (
    (32000, 48, 64, 512, 2048, 8, 6) if FULL else (19, 5, 7, 8, 12, 2, 2)
)


def mxnet_model():
    from mxnet.gluon import nn

    class Attention(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.query = nn.Dense(UNITS, flatten=False, in_units=UNITS)
                self.key_value = nn.Dense(2 * UNITS, flatten=False, in_units=UNITS)
                self.drop = nn.Dropout(0.1)
                self.out = nn.Dense(UNITS, flatten=False, in_units=UNITS)

        def hybrid_forward(self, F, x, memory, mask):
            q = F.transpose(F.reshape(self.query(x), (0, 0, HEADS, -1)), (0, 2, 1, 3))
            k, v = F.split(self.key_value(memory), 2, axis=2)
            k = F.transpose(F.reshape(k, (0, 0, HEADS, -1)), (0, 2, 1, 3))
            v = F.transpose(F.reshape(v, (0, 0, HEADS, -1)), (0, 2, 1, 3))
            scores = F.linalg.gemm2(q, k, transpose_b=True, alpha=(UNITS // HEADS) ** -0.5)
            weights = F.softmax(F.broadcast_add(scores, mask), axis=-1)
            context = F.linalg.gemm2(self.drop(weights), v)
            return self.out(F.reshape(F.transpose(context, (0, 2, 1, 3)), (0, 0, -1)))

    class DecoderCell(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.norms = nn.HybridSequential()
                self.norms.add(*[nn.LayerNorm(in_channels=UNITS) for _ in range(3)])
                self.masked, self.cross, self.drop = Attention(), Attention(), nn.Dropout(0.1)
                self.ffn1 = nn.Dense(HIDDEN, flatten=False, in_units=UNITS)
                self.ffn2 = nn.Dense(UNITS, flatten=False, in_units=HIDDEN)

        def hybrid_forward(self, F, x, memory, future, unseen):
            y = self.norms[0](x)
            x = x + self.drop(self.masked(y, y, future))
            x = x + self.drop(self.cross(self.norms[1](x), memory, unseen))
            y = self.drop(F.relu(self.ffn1(self.norms[2](x))))
            return x + self.drop(self.ffn2(y))

    class Decoder(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.embed, self.drop = nn.Embedding(WORDS, UNITS), nn.Dropout(0.1)
                self.place = self.params.get("place", shape=(1, STEPS, UNITS))
                self.cells = nn.HybridSequential()
                self.cells.add(*[DecoderCell() for _ in range(LAYERS)])
                self.norm = nn.LayerNorm(in_channels=UNITS)
                self.out = nn.Dense(WORDS, flatten=False, in_units=UNITS)

        def hybrid_forward(self, F, words, memory, lengths, place):
            steps = F.arange(STEPS)
            future = F.broadcast_lesser(steps.reshape((-1, 1)), steps.reshape((1, -1))).reshape((1, 1, STEPS, STEPS))
            unseen = F.broadcast_greater_equal(
                F.arange(SOURCE).reshape((1, -1)), lengths.astype("float32").expand_dims(1)
            )
            unseen = unseen.reshape((-1, 1, 1, SOURCE))
            x = self.drop(F.broadcast_add(self.embed(words), place))
            for cell in self.cells._children.values():
                x = cell(x, memory, -1e18 * future, -1e18 * unseen)
            return self.out(self.norm(x))

    return Decoder()


def torch_model():
    import torch
    from torch import nn

    class CaptionDecoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.tok_emb = nn.Embedding(WORDS, UNITS)
            self.pos_emb = nn.Parameter(torch.randn(STEPS, UNITS))
            self.dropout = nn.Dropout(0.1)
            layer = nn.TransformerDecoderLayer(UNITS, HEADS, HIDDEN, batch_first=True, norm_first=True)
            self.decoder = nn.TransformerDecoder(layer, LAYERS, norm=nn.LayerNorm(UNITS))
            self.lm_head = nn.Linear(UNITS, WORDS)

        def forward(self, words, memory, lengths):
            causal = torch.ones(STEPS, STEPS, dtype=torch.bool, device=words.device).triu(1)
            padding = torch.arange(SOURCE, device=words.device) >= lengths[:, None]
            x = self.dropout(self.tok_emb(words) + self.pos_emb)
            x = self.decoder(x, memory, tgt_mask=causal, memory_key_padding_mask=padding)
            return self.lm_head(x)

    return CaptionDecoder()


def inputs(rng):
    words, lengths = rng.integers(0, WORDS, (2, STEPS)), rng.integers(SOURCE // 2, SOURCE + 1, 2)
    return words, rng.standard_normal((2, SOURCE, UNITS)), lengths


def targets(rng):
    return rng.integers(0, WORDS, (2, STEPS))


def mxnet_loss(output, targets):
    from mxnet import nd

    smooth = nd.one_hot(targets, WORDS, on_value=0.9 + 0.1 / WORDS, off_value=0.1 / WORDS)
    return -(smooth * nd.log_softmax(output, axis=-1)).sum(axis=-1).mean(axis=1)


def torch_loss(output, targets):
    from torch.nn import functional

    return functional.cross_entropy(output.flatten(0, 1), targets.flatten(), label_smoothing=0.1)


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "adam", {"learning_rate": 1e-4})


def torch_optimizer(model):
    import torch

    return torch.optim.Adam(model.parameters(), lr=1e-4)

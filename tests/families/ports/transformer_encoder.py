"""A transformer's encoder that classifies texts: sines for positions, normalised after each part."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
WORDS, STEPS, UNITS, HIDDEN, HEADS, LAYERS, CLASSES = (
    (32000, 64, 512, 2048, 8, 6, 4) if FULL else (19, 6, 8, 12, 2, 2, 3)
)


def sines():
    import numpy as np

    angles = np.arange(STEPS)[:, None] / 10000 ** (np.arange(0, UNITS, 2) / UNITS)
    table = np.zeros((STEPS, UNITS))
    table[:, 0::2], table[:, 1::2] = np.sin(angles), np.cos(angles)
    return table


def mxnet_model():
    from mxnet.gluon import nn

    class MultiHeadAttention(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.query = nn.Dense(UNITS, flatten=False, in_units=UNITS)
                self.key = nn.Dense(UNITS, flatten=False, in_units=UNITS)
                self.value = nn.Dense(UNITS, flatten=False, in_units=UNITS)
                self.drop = nn.Dropout(0.1)
                self.proj = nn.Dense(UNITS, flatten=False, in_units=UNITS)

        def hybrid_forward(self, F, x, lengths):
            # (batch, steps, units) -> (batch * heads, steps, units of a head)
            q, k, v = (
                F.reshape(F.transpose(F.reshape(f(x), (0, 0, HEADS, -1)), (0, 2, 1, 3)), (-3, 0, 0))
                for f in (self.query, self.key, self.value)
            )
            scores = F.batch_dot(q, k, transpose_b=True) / (UNITS / HEADS) ** 0.5
            weights = self.drop(
                F.softmax(scores, length=F.repeat(lengths, HEADS * STEPS).reshape((-1, STEPS)), use_length=True)
            )
            out = F.reshape(F.batch_dot(weights, v), (-4, -1, HEADS, 0, 0))
            return self.proj(F.reshape(F.transpose(out, (0, 2, 1, 3)), (0, 0, -3)))

    class EncoderCell(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.attention, self.drop1 = MultiHeadAttention(), nn.Dropout(0.1)
                self.norm1 = nn.LayerNorm(in_channels=UNITS)
                self.ffn = nn.HybridSequential()
                self.ffn.add(nn.Dense(HIDDEN, activation="relu", flatten=False, in_units=UNITS), nn.Dropout(0.1))
                self.ffn.add(nn.Dense(UNITS, flatten=False, in_units=HIDDEN), nn.Dropout(0.1))
                self.norm2 = nn.LayerNorm(in_channels=UNITS)

        def hybrid_forward(self, F, x, lengths):
            x = self.norm1(x + self.drop1(self.attention(x, lengths)))
            return self.norm2(x + self.ffn(x))

    class Classifier(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.embed, self.drop = nn.Embedding(WORDS, UNITS), nn.Dropout(0.1)
                self.position = self.params.get_constant("position", sines())
                self.cells = nn.HybridSequential()
                self.cells.add(*[EncoderCell() for _ in range(LAYERS)])
                self.out = nn.Dense(CLASSES, in_units=UNITS)

        def hybrid_forward(self, F, words, lengths, position):
            x = self.drop(F.broadcast_add(self.embed(words) * UNITS**0.5, position.expand_dims(0)))
            for cell in self.cells._children.values():
                x = cell(x, lengths)
            x = F.SequenceMask(x, lengths, use_sequence_length=True, axis=1)
            return self.out(F.broadcast_div(F.sum(x, axis=1), lengths.astype("float32").expand_dims(1)))

    return Classifier()


def torch_model():
    import torch
    from torch import nn

    class TextClassifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(WORDS, UNITS)
            self.register_buffer("pe", torch.tensor(sines(), dtype=torch.float32))
            self.dropout = nn.Dropout(0.1)
            layer = nn.TransformerEncoderLayer(UNITS, HEADS, HIDDEN, dropout=0.1, batch_first=True)
            self.encoder = nn.TransformerEncoder(layer, LAYERS)
            self.fc = nn.Linear(UNITS, CLASSES)

        def forward(self, words, lengths):
            padding = torch.arange(STEPS, device=words.device) >= lengths.unsqueeze(1)
            x = self.dropout(self.embedding(words) * UNITS**0.5 + self.pe)
            x = self.encoder(x, src_key_padding_mask=padding).masked_fill(padding.unsqueeze(-1), 0)
            return self.fc(x.sum(dim=1) / lengths.unsqueeze(1))

    return TextClassifier()


def inputs(rng):
    return rng.integers(0, WORDS, (3, STEPS)), rng.integers(STEPS // 2, STEPS + 1, 3)


def targets(rng):
    return rng.integers(0, CLASSES, 3)


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.SoftmaxCrossEntropyLoss()(output, targets)


def torch_loss(output, targets):
    from torch.nn import functional

    return functional.cross_entropy(output, targets)


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "adam", {"learning_rate": 3e-4, "beta2": 0.98, "epsilon": 1e-9})


def torch_optimizer(model):
    import torch

    return torch.optim.Adam(model.parameters(), lr=3e-4, betas=(0.9, 0.98), eps=1e-9)

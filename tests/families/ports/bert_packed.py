"""BERT whose attention has one projection for query, key and value."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
WORDS, STEPS, UNITS, HIDDEN, HEADS, LAYERS = (30522, 128, 768, 3072, 12, 12) if FULL else (31, 7, 8, 16, 2, 2)


def mxnet_model():
    from mxnet.gluon import nn

    class Attention(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.qkv = nn.Dense(3 * UNITS, flatten=False, in_units=UNITS)
                self.drop = nn.Dropout(0.1)
                self.proj = nn.Dense(UNITS, flatten=False, in_units=UNITS)

        def hybrid_forward(self, F, x, mask):
            qkv = self.qkv(x).reshape((0, 0, 3, HEADS, -1)).transpose((2, 0, 3, 1, 4))
            q, k, v = (F.reshape(a, (-3, 0, 0)) for a in F.split(qkv, 3, axis=0, squeeze_axis=True))
            scores = F.batch_dot(q / (UNITS // HEADS) ** 0.5, k, transpose_b=True)
            scores = F.where(F.broadcast_like(mask, scores), scores, -1e18 * F.ones_like(scores))
            context = F.batch_dot(self.drop(F.softmax(scores, axis=-1)), v)
            context = context.reshape((-1, HEADS, STEPS, UNITS // HEADS)).transpose((0, 2, 1, 3)).reshape((0, 0, -3))
            return self.proj(context)

    class Cell(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.attention, self.drop = Attention(), nn.Dropout(0.1)
                self.norm1 = nn.LayerNorm(epsilon=1e-12, in_channels=UNITS)
                self.ffn1 = nn.Dense(HIDDEN, flatten=False, in_units=UNITS)
                self.gelu = nn.GELU()
                self.ffn2 = nn.Dense(UNITS, flatten=False, in_units=HIDDEN)
                self.norm2 = nn.LayerNorm(epsilon=1e-12, in_channels=UNITS)

        def hybrid_forward(self, F, x, mask):
            x = self.norm1(x + self.drop(self.attention(x, mask)))
            return self.norm2(x + self.drop(self.ffn2(self.gelu(self.ffn1(x)))))

    class BERT(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.word = nn.Embedding(WORDS, UNITS)
                self.segment = nn.Embedding(2, UNITS)
                self.position = self.params.get("position", shape=(STEPS, UNITS))
                self.norm, self.drop = nn.LayerNorm(epsilon=1e-12, in_channels=UNITS), nn.Dropout(0.1)
                self.cells = nn.HybridSequential()
                self.cells.add(*[Cell() for _ in range(LAYERS)])
                self.pooler = nn.Dense(UNITS, activation="tanh", flatten=False, in_units=UNITS)
                self.classifier = nn.Dense(2, in_units=UNITS)

        def hybrid_forward(self, F, words, segments, lengths, position):
            x = F.broadcast_add(self.word(words) + self.segment(segments), position.expand_dims(0))
            x = self.drop(self.norm(x))
            steps, lengths = F.arange(STEPS).reshape((1, 1, -1)), lengths.reshape((-1, 1, 1)).astype("float32")
            mask = F.broadcast_lesser(steps, lengths)
            mask = F.repeat(mask, HEADS, axis=0)
            for cell in self.cells._children.values():
                x = cell(x, mask)
            return x, self.classifier(self.pooler(F.slice_axis(x, axis=1, begin=0, end=1).reshape((0, -1))))

    return BERT()


def torch_model():
    import torch
    from torch import nn
    from torch.nn import functional as F

    class SelfAttention(nn.Module):
        def __init__(self):
            super().__init__()
            self.in_proj = nn.Linear(UNITS, 3 * UNITS)
            self.out = nn.Linear(UNITS, UNITS)
            self.dropout = nn.Dropout(0.1)

        def forward(self, x, visible):
            q, k, v = self.in_proj(x).chunk(3, dim=-1)
            q, k, v = (a.unflatten(-1, (HEADS, -1)).transpose(1, 2) for a in (q, k, v))
            scores = q @ k.transpose(-1, -2) / (UNITS // HEADS) ** 0.5
            weights = scores.masked_fill(~visible[:, None, None], float("-inf")).softmax(-1)
            return self.out((self.dropout(weights) @ v).transpose(1, 2).flatten(2))

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = SelfAttention()
            self.ln_attention = nn.LayerNorm(UNITS, eps=1e-12)
            self.intermediate = nn.Linear(UNITS, HIDDEN)
            self.output = nn.Linear(HIDDEN, UNITS)
            self.ln_output = nn.LayerNorm(UNITS, eps=1e-12)
            self.dropout = nn.Dropout(0.1)

        def forward(self, x, visible):
            x = self.ln_attention(x + self.dropout(self.attention(x, visible)))
            return self.ln_output(x + self.dropout(self.output(F.gelu(self.intermediate(x)))))

    class Bert(nn.Module):
        def __init__(self):
            super().__init__()
            self.word_embeddings = nn.Embedding(WORDS, UNITS)
            self.token_type_embeddings = nn.Embedding(2, UNITS)
            self.position_embeddings = nn.Embedding(STEPS, UNITS)
            self.LayerNorm = nn.LayerNorm(UNITS, eps=1e-12)
            self.dropout = nn.Dropout(0.1)
            self.layer = nn.ModuleList(Layer() for _ in range(LAYERS))
            self.pooler = nn.Linear(UNITS, UNITS)
            self.classifier = nn.Linear(UNITS, 2)

        def forward(self, words, segments, lengths):
            steps = torch.arange(words.shape[1], device=words.device)
            x = self.word_embeddings(words) + self.position_embeddings(steps) + self.token_type_embeddings(segments)
            x = self.dropout(self.LayerNorm(x))
            for layer in self.layer:
                x = layer(x, steps < lengths[:, None])
            return x, self.classifier(torch.tanh(self.pooler(x[:, 0])))

    return Bert()


def inputs(rng):
    return rng.integers(0, WORDS, (2, STEPS)), rng.integers(0, 2, (2, STEPS)), rng.integers(STEPS // 2, STEPS + 1, 2)


def targets(rng):
    return rng.integers(0, 2, 2)


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.SoftmaxCrossEntropyLoss()(output[1], targets)


def torch_loss(output, targets):
    from torch.nn import functional

    return functional.cross_entropy(output[1], targets)


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 0.01, "momentum": 0.9})


def torch_optimizer(model):
    import torch

    return torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

"""A block of a Transformer's encoder: own attention of several heads, normalization after the sum, GELU by tanh."""

import math


def positions(steps, size):
    """Sines and cosines of the places, (steps, size)."""
    import numpy as np

    angles = np.arange(steps)[:, None] / 10000 ** (np.arange(0, size, 2) / size)
    return np.stack([np.sin(angles), np.cos(angles)], -1).reshape(steps, size)


def mxnet_model():
    from mxnet import nd
    from mxnet.gluon import nn

    class Attention(nn.Block):
        def __init__(self, size, heads, **kwargs):
            super().__init__(**kwargs)
            self.heads = heads
            with self.name_scope():
                self.query = nn.Dense(size, flatten=False, in_units=size)
                self.key = nn.Dense(size, flatten=False, in_units=size, use_bias=False)
                self.value = nn.Dense(size, flatten=False, in_units=size)
                self.output = nn.Dense(size, flatten=False, in_units=size)

        def split(self, x):
            """(N, T, size) -> (N heads, T, size / heads)."""
            return x.reshape((0, 0, self.heads, -1)).transpose((0, 2, 1, 3)).reshape((-3, 0, 0))

        def forward(self, x, mask):
            query, key, value = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
            scores = nd.batch_dot(query, key, transpose_b=True) / math.sqrt(query.shape[-1])
            scores = scores.reshape((-4, -1, self.heads, 0, 0))  # (N, heads, T, T)
            scores = nd.broadcast_add(scores, (mask.reshape((0, 1, 1, -1)).astype(x.dtype) - 1) * 1e6)
            weights = nd.softmax(scores, axis=-1).reshape((-3, 0, 0))
            together = nd.batch_dot(weights, value).reshape((-4, -1, self.heads, 0, 0))
            return self.output(together.transpose((0, 2, 1, 3)).reshape((0, 0, -3)))

    class Encoder(nn.Block):
        def __init__(self, size=8, heads=2, **kwargs):
            super().__init__(**kwargs)
            self.size = size
            with self.name_scope():
                self.embedding = nn.Embedding(13, size)
                self.dropout = nn.Dropout(0.125)
                self.attention = Attention(size, heads)
                self.norm1 = nn.LayerNorm(in_channels=size)
                self.hidden = nn.Dense(2 * size, flatten=False, in_units=size)
                self.gelu = nn.HybridLambda(
                    lambda F, x: 0.5 * x * (1 + F.tanh((2 / math.pi) ** 0.5 * (x + 0.044715 * x * x * x)))
                )
                self.output = nn.Dense(size, flatten=False, in_units=2 * size)
                self.norm2 = nn.LayerNorm(in_channels=size)

        def forward(self, words, mask):
            x = self.embedding(words) * math.sqrt(self.size)
            x = self.dropout(x + nd.array(positions(words.shape[1], self.size), dtype=x.dtype).expand_dims(0))
            x = self.norm1(x + self.dropout(self.attention(x, mask)))
            return self.norm2(x + self.dropout(self.output(self.gelu(self.hidden(x)))))

    return Encoder()


def torch_model():
    import torch
    from torch import nn

    class Attention(nn.Module):
        def __init__(self, size, heads):
            super().__init__()
            self.heads = heads
            self.query = nn.Linear(size, size)
            self.key = nn.Linear(size, size, bias=False)
            self.value = nn.Linear(size, size)
            self.output = nn.Linear(size, size)

        def split(self, x):
            """(N, T, size) -> (N, heads, T, size / heads)."""
            return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        def weights(self, scores):
            return scores.softmax(-1)

        def scale(self, size):
            return 1 / math.sqrt(size)

        def forward(self, x, mask):
            query, key, value = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
            scores = query @ key.transpose(-1, -2) * self.scale(query.shape[-1])
            weights = self.weights(scores + (mask[:, None, None].to(x.dtype) - 1) * 1e6)
            return self.output((weights @ value).transpose(1, 2).flatten(2))

    class Encoder(nn.Module):
        def __init__(self, size=8, heads=2):
            super().__init__()
            self.embedding = nn.Embedding(13, size)
            self.dropout = nn.Dropout(0.125)
            self.attention = Attention(size, heads)
            self.norm1 = nn.LayerNorm(size)
            self.hidden = nn.Linear(size, 2 * size)
            self.gelu = nn.GELU(approximate="tanh")
            self.output = nn.Linear(2 * size, size)
            self.norm2 = nn.LayerNorm(size)

        def embed(self, words):
            x = self.embedding(words)
            return x * math.sqrt(x.shape[-1]) + torch.from_numpy(positions(*x.shape[1:])).to(x)

        def forward(self, words, mask):
            x = self.dropout(self.embed(words))
            x = self.norm1(x + self.dropout(self.attention(x, mask)))
            return self.norm2(x + self.dropout(self.output(self.gelu(self.hidden(x)))))

    return Encoder()


def inputs(rng):
    lengths = rng.integers(3, 7, (3, 1))
    return rng.integers(0, 13, (3, 6)), (lengths > [range(6)]).astype("int64")


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 0.125, "momentum": 0.875})


def torch_optimizer(model):
    import torch

    return torch.optim.SGD(model.parameters(), lr=0.125, momentum=0.875)

"""Faults of recurrent networks and of attention that show in a forward pass."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional

from tests.mutants.ports.faults.changes import PortFault, methods, setting, swap
from tests.mutants.ports.pairs.transformer import positions


def permuted(order: tuple[int, ...]):
    """The forward pass of a recurrent layer whose gates stand in another order."""

    def forward(self, *arguments):
        weights = {}
        for name, p in self.named_parameters():
            gates = p.chunk(len(order))
            weights[name] = torch.cat([gates[i] for i in order])
        return functional_call(plain(self), weights, arguments)

    return forward


def plain(module: nn.Module) -> nn.Module:
    """A layer of the library itself, of the same sizes."""
    if isinstance(module, nn.LSTM):
        return nn.LSTM(module.input_size, module.hidden_size).to(next(module.parameters()))
    return nn.GRU(module.input_size, module.hidden_size, batch_first=True).to(next(module.parameters()))


def output_before_candidate(self, x, h):
    i, f, o, g = (x @ self.W_x + h @ self.W_h + self.b).chunk(4, 1)
    return i, f, g, o


def reset_after(self, x, h, r):
    return torch.tanh(x @ self.W_xh + r * (h @ self.W_hh) + self.b_h)


def reset_before(self, x, h):
    """A cell of torch, but with the reset before the product, as from-scratch code has it."""
    (xr, xz, xn), (wr, wz, wn) = (x @ self.weight_ih.T + self.bias_ih).chunk(3, 1), self.weight_hh.chunk(3)
    br, bz, bn = self.bias_hh.chunk(3)
    r, z = torch.sigmoid(xr + h @ wr.T + br), torch.sigmoid(xz + h @ wz.T + bz)
    return z * h + (1 - z) * torch.tanh(xn + (r * h) @ wn.T + bn)


def update_reversed(self, x, h):
    z, r = torch.sigmoid(self.gate("z", x, h)), torch.sigmoid(self.gate("r", x, h))
    return (1 - z) * h + z * self.candidate(x, h, r)


def first_state(self, x):
    outputs, _ = self.lstm(x)
    return self.output(self.dropout(self.norm(outputs[0]))).flatten()


def backward_not_turned(self, words):
    """The outputs of the backward direction stay in the order in which they were computed."""
    forward, backward = self.lstm(self.embedding(words))[0].chunk(2, -1)
    return self.output(torch.cat([forward, backward.flip(1)], -1))


def sum_for_mean(self, words):
    states, _ = self.gru(self.embedding(words))
    return self.output(self.activation(self.hidden(torch.cat([states.sum(1), states.amax(1)], 1))))


def memory_from_start(self, batch):
    x, start = batch["x"], self.start(batch["start"]).tanh()
    memory, gru, rnn = (start, start), start, start
    for step in x:
        memory = self.lstm(step, memory)
        gru = self.gru(memory[0], gru)
        rnn = self.rnn(gru, rnn)
    return {"scores": self.output(rnn), "memory": memory[1]}


def decoder(start=lambda state: state, words=lambda words: words, context=lambda context: context):
    """The translator's forward pass, changed in one place."""

    def forward(self, source, target):
        memory, state = self.encoder(self.source(source))
        state = start(state[0])
        outputs = []
        for word in self.target(words(target)).unbind(1):
            state = self.cell(torch.cat([context(self.attention(state, memory)), word], 1), state)
            outputs.append(self.output(state))
        return torch.stack(outputs, 1)

    return forward


def encoder_block(self, words, mask):
    """Normalization before each part."""
    x = self.dropout(self.embed(words))
    x = x + self.dropout(self.attention(self.norm1(x), mask))
    return x + self.dropout(self.output(self.gelu(self.hidden(self.norm2(x)))))


def encoder_without_sum(self, words, mask):
    x = self.dropout(self.embed(words))
    x = self.norm1(self.dropout(self.attention(x, mask)))
    return self.norm2(x + self.dropout(self.output(self.gelu(self.hidden(x)))))


def embed(first=0, scale=math.sqrt, halves=False):
    """The transformer's embedding, changed in one place."""

    def embed(self, words):
        x = self.embedding(words)
        table = torch.from_numpy(positions(first + x.shape[1], x.shape[2])[first:]).to(x)
        if halves:
            table = torch.cat([table[:, 0::2], table[:, 1::2]], 1)
        return x * scale(x.shape[-1]) + table

    return embed


def masked(change):
    """The attention, with another mask."""

    def forward(self, x, mask):
        return true_attention(self, x, change(mask))

    return forward


def true_attention(self, x, mask):
    query, key, value = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
    scores = query @ key.transpose(-1, -2) * self.scale(query.shape[-1])
    weights = self.weights(scores + (mask[:, None, None].to(x.dtype) - 1) * 1e6)
    return self.output((weights @ value).transpose(1, 2).flatten(2))


def heads_not_apart(self, x):
    """Heads are neighbours in the wrong axis: (N, T, size) as (N, heads, T, size / heads) without turning."""
    return x.reshape(x.shape[0], self.heads, x.shape[1], -1)


def attend_over_features(self, query, memory):
    features = torch.tanh(self.query(query)[:, None] + self.key(memory))
    return (self.score(features).softmax(-1) * memory).sum(1)


def not_transposed(self, x):
    return x @ self.weight + self.bias


ROWS = (
    ("relu for tanh in a layer", "language", "activation", 19, swap("rnn", lambda: nn.RNN(6, 6, nonlinearity="relu"))),
    ("tanh for relu in a cell", "cells", "activation", 19, swap("rnn", lambda: nn.RNNCell(5, 5))),
    ("output before candidate", "scratch_lstm", "gate order", None, methods("", gates=output_before_candidate)),
    ("gates of a layer permuted", "classifier", "gate order", None, methods("lstm", forward=permuted((0, 1, 3, 2)))),
    ("update before reset", "translator", "gate order", None, methods("encoder", forward=permuted((1, 0, 2)))),
    ("reset after the product", "scratch_gru", "reset gate", 20, methods("", candidate=reset_after)),
    ("reset before the product", "translator", "reset gate", 20, methods("cell", forward=reset_before)),
    ("update gate reversed", "scratch_gru", None, None, methods("", step=update_reversed)),
    (
        "output of attention transposed",
        "transformer",
        "transposition",
        None,
        methods("attention.output", forward=not_transposed),
    ),
    ("steps for sequences", "sentiment", "layout", 30, setting("gru", batch_first=False)),
    ("steps for sequences in two layers", "tagger", "layout", 30, setting("lstm", batch_first=False)),
    ("sequences for steps", "classifier", "layout", 30, setting("lstm", batch_first=True)),
    ("first state for last", "classifier", None, None, methods("", forward=first_state)),
    ("backward outputs not turned", "tagger", None, None, methods("", forward=backward_not_turned)),
    ("sum for mean over time", "sentiment", None, None, methods("", forward=sum_for_mean)),
    (
        "words counted from one",
        "tagger",
        None,
        24,
        methods("embedding", forward=lambda self, w: functional.embedding((w - 1).clamp(min=0), self.weight)),
    ),
    ("memory from the start", "cells", None, None, methods("", forward=memory_from_start)),
    ("decoder starts from zeros", "translator", None, None, methods("", forward=decoder(start=torch.zeros_like))),
    (
        "decoder reads one word late",
        "translator",
        None,
        None,
        methods("", forward=decoder(words=lambda w: w.roll(1, 1))),
    ),
    ("no context", "translator", None, None, methods("", forward=decoder(context=torch.zeros_like))),
    ("attention over the wrong axis", "translator", None, None, methods("attention", forward=attend_over_features)),
    ("scores not scaled", "transformer", "scale", None, methods("attention", scale=lambda self, size: 1.0)),
    ("embedding not scaled", "transformer", "scale", None, methods("", embed=embed(scale=lambda size: 1.0))),
    (
        "softmax over the queries",
        "transformer",
        None,
        None,
        methods("attention", weights=lambda self, s: s.softmax(-2)),
    ),
    ("mask reversed", "transformer", None, None, methods("attention", forward=masked(lambda mask: 1 - mask))),
    ("no mask", "transformer", None, None, methods("attention", forward=masked(torch.ones_like))),
    ("heads not apart", "transformer", None, None, methods("attention", split=heads_not_apart)),
    ("normalization before", "transformer", None, None, methods("", forward=encoder_block)),
    ("no sum around attention", "transformer", None, None, methods("", forward=encoder_without_sum)),
    ("positions from one", "transformer", None, None, methods("", embed=embed(first=1))),
    ("sines and cosines in halves", "transformer", None, None, methods("", embed=embed(halves=True))),
)

FAULTS = tuple(
    PortFault(name, architecture, "forward", (cause,) if cause else (), trap, change)
    for name, architecture, cause, trap, change in ROWS
)

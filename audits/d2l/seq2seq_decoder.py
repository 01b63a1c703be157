"""The decoder of the book's section `sec_seq2seq_decoder`, which d2l's modules leave to its notebooks.

It is built of d2l's own parts (Decoder, GRU), because EncoderDecoder and Seq2Seq compute nothing without a decoder.
"""

from __future__ import annotations

from typing import Any

from audits.d2l.imports import d2l_mxnet, d2l_torch


def mxnet_decoder() -> Any:
    """The class on `d2l.mxnet`: (vocab_size, embed_size, num_hiddens, num_layers, dropout)."""
    d2l = d2l_mxnet()
    nn, np = d2l.nn, d2l.np

    class Seq2SeqDecoder(d2l.Decoder):
        def __init__(self, vocab_size, embed_size, num_hiddens, num_layers, dropout=0):
            super().__init__()
            self.embedding = nn.Embedding(vocab_size, embed_size)
            self.rnn = d2l.GRU(num_hiddens, num_layers, dropout)
            self.dense = nn.Dense(vocab_size, flatten=False)
            self.initialize(d2l.init.Xavier())

        def init_state(self, enc_all_outputs, *args):
            return enc_all_outputs

        def forward(self, X, state):
            embs = self.embedding(d2l.transpose(X))  # (T, N, E)
            enc_output, hidden_state = state
            context = np.tile(enc_output[-1], (embs.shape[0], 1, 1))  # (T, N, H)
            outputs, hidden_state = self.rnn(d2l.concat((embs, context), -1), hidden_state)
            return d2l.swapaxes(self.dense(outputs), 0, 1), [enc_output, hidden_state]  # (N, T, V)

    return Seq2SeqDecoder


def torch_decoder() -> Any:
    """The class on `d2l.torch`: (vocab_size, embed_size, num_hiddens, num_layers, dropout)."""
    d2l = d2l_torch()
    nn = d2l.nn

    class Seq2SeqDecoder(d2l.Decoder):
        def __init__(self, vocab_size, embed_size, num_hiddens, num_layers, dropout=0):
            super().__init__()
            self.embedding = nn.Embedding(vocab_size, embed_size)
            self.rnn = d2l.GRU(embed_size + num_hiddens, num_hiddens, num_layers, dropout)
            self.dense = nn.LazyLinear(vocab_size)
            self.apply(d2l.init_seq2seq)

        def init_state(self, enc_all_outputs, *args):
            return enc_all_outputs

        def forward(self, X, state):
            embs = self.embedding(d2l.astype(d2l.transpose(X), d2l.int32))  # (T, N, E)
            enc_output, hidden_state = state
            context = enc_output[-1].repeat(embs.shape[0], 1, 1)  # (T, N, H)
            outputs, hidden_state = self.rnn(d2l.concat((embs, context), -1), hidden_state)
            return d2l.swapaxes(self.dense(outputs), 0, 1), [enc_output, hidden_state]  # (N, T, V)

    return Seq2SeqDecoder

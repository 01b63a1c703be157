"""Transformer and BERT of d2l."""

from __future__ import annotations

from audits.d2l.adapters import exact_positions_mxnet, exact_positions_torch
from audits.d2l.case import AuditCase, port
from audits.d2l.imports import d2l_mxnet, d2l_torch

STEPS, HIDDENS, INNER, HEADS, BLOCKS, VOCABULARY, DROPOUT, PREDICTED = 6, 16, 24, 4, 2, 20, 0.1, 3

BERT_INITIAL = (
    "initial values: torch's embeddings and pos_embedding are N(0, 1) (torch.py:2213), MXNet's what initialize() says, "
    "by default Uniform(+-0.07) (mxnet.py:2201): at the start torch's are 25 times as large"
)


def _states(rng, batch):
    return rng.standard_normal((batch, STEPS, HIDDENS))


def _lengths(rng, batch):
    return rng.integers(1, STEPS + 1, batch)


def _tokens(rng, batch):
    return rng.integers(0, VOCABULARY, (batch, STEPS))


def _segments(rng, batch):
    return rng.integers(0, 2, (batch, STEPS))


def _positions(rng, batch):
    return rng.integers(0, STEPS, (batch, PREDICTED))


BERT = (VOCABULARY, HIDDENS, INNER, HEADS, BLOCKS, DROPOUT)

CASES = (
    AuditCase(
        "PositionWiseFFN",
        port=port(
            mxnet=lambda: d2l_mxnet().PositionWiseFFN(INNER, HIDDENS),
            torch=lambda: d2l_torch().PositionWiseFFN(INNER, HIDDENS),
            inputs=_states,
        ),
    ),
    AuditCase(
        "AddNorm",
        port=port(
            mxnet=lambda: d2l_mxnet().AddNorm(DROPOUT),
            torch=lambda: d2l_torch().AddNorm(HIDDENS, DROPOUT),
            inputs=lambda rng, batch: (_states(rng, batch), _states(rng, batch)),
        ),
        note="torch takes norm_shape (torch.py:1246); MXNet normalises the last axis (mxnet.py:1247), which is given",
        aside="a norm_shape of more than one axis, which torch allows, has no counterpart in MXNet's class",
    ),
    AuditCase(
        "TransformerEncoderBlock",
        port=port(
            mxnet=lambda: d2l_mxnet().TransformerEncoderBlock(HIDDENS, INNER, HEADS, DROPOUT),
            torch=lambda: d2l_torch().TransformerEncoderBlock(HIDDENS, INNER, HEADS, DROPOUT),
            inputs=lambda rng, batch: (_states(rng, batch), _lengths(rng, batch)),
        ),
    ),
    AuditCase(
        "TransformerEncoder",
        port=port(
            mxnet=lambda: exact_positions_mxnet(d2l_mxnet().TransformerEncoder(*BERT)),
            torch=lambda: exact_positions_torch(d2l_torch().TransformerEncoder(*BERT)),
            inputs=lambda rng, batch: (_tokens(rng, batch), _lengths(rng, batch)),
        ),
        note="both read one table of positions: PositionalEncoding is a case of its own",
        aside="initial values: MXNet calls initialize() itself (mxnet.py:1283): Uniform(+-0.07); torch's embeddings "
        "are N(0, 1)",
    ),
    AuditCase(
        "MaskLM",
        port=port(
            mxnet=lambda: d2l_mxnet().MaskLM(VOCABULARY, HIDDENS),
            torch=lambda: d2l_torch().MaskLM(VOCABULARY, HIDDENS),
            inputs=lambda rng, batch: (_states(rng, batch), _positions(rng, batch)),
        ),
    ),
    AuditCase(
        "NextSentencePred",
        port=port(
            mxnet=lambda: d2l_mxnet().NextSentencePred(),
            torch=lambda: d2l_torch().NextSentencePred(),
            inputs=lambda rng, batch: rng.standard_normal((batch, HIDDENS)),
        ),
        aside="nn.Dense(2) flattens inputs of more than two axes (mxnet.py:2244), nn.LazyLinear does not "
        "(torch.py:2255): BERTModel gives two",
    ),
    AuditCase(
        "BERTEncoder",
        port=port(
            mxnet=lambda: d2l_mxnet().BERTEncoder(*BERT, max_len=10),
            torch=lambda: d2l_torch().BERTEncoder(*BERT, max_len=10),
            inputs=lambda rng, batch: (_tokens(rng, batch), _segments(rng, batch), _lengths(rng, batch)),
        ),
        aside=BERT_INITIAL,
    ),
    AuditCase(
        "BERTModel",
        port=port(
            mxnet=lambda: d2l_mxnet().BERTModel(*BERT, max_len=10),
            torch=lambda: d2l_torch().BERTModel(*BERT, max_len=10),
            inputs=lambda rng, batch: (
                _tokens(rng, batch),
                _segments(rng, batch),
                _lengths(rng, batch),
                _positions(rng, batch),
            ),
        ),
        aside=BERT_INITIAL,
    ),
)

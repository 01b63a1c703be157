"""Attention of d2l, and the positional encoding."""

from __future__ import annotations

from audits.d2l.adapters import exact_positions_mxnet, exact_positions_torch
from audits.d2l.case import AuditCase, Known, port
from audits.d2l.imports import d2l_mxnet, d2l_torch

QUERIES, KEYS, HIDDENS, HEADS, DROPOUT = 3, 7, 16, 4, 0.1

ARGUMENTS = "use_bias is called bias in torch's MultiHeadAttention (mxnet.py:1151, torch.py:1153): given by position"


def _attended(query_size: int, key_size: int):
    def inputs(rng, batch):
        queries, keys, values = (
            rng.standard_normal((batch, count, size))
            for count, size in ((QUERIES, query_size), (KEYS, key_size), (KEYS, HIDDENS))
        )
        return queries, keys, values, rng.integers(1, KEYS + 1, batch)

    return inputs


def _lengths_of_each_query(rng, batch):
    queries, keys, values, _ = _attended(HIDDENS, HIDDENS)(rng, batch)
    return queries, keys, values, rng.integers(1, KEYS + 1, (batch, QUERIES))


CASES = (
    AuditCase(
        "DotProductAttention",
        port=port(
            mxnet=lambda: d2l_mxnet().DotProductAttention(DROPOUT),
            torch=lambda: d2l_torch().DotProductAttention(DROPOUT),
            inputs=_attended(HIDDENS, HIDDENS),
        ),
    ),
    AuditCase(
        "DotProductAttention (a length for each query)",
        port=port(
            mxnet=lambda: d2l_mxnet().DotProductAttention(DROPOUT),
            torch=lambda: d2l_torch().DotProductAttention(DROPOUT),
            inputs=_lengths_of_each_query,
        ),
    ),
    AuditCase(
        "AdditiveAttention",
        port=port(
            mxnet=lambda: d2l_mxnet().AdditiveAttention(8, DROPOUT),
            torch=lambda: d2l_torch().AdditiveAttention(8, DROPOUT),
            inputs=_attended(HIDDENS, 6),
        ),
    ),
    AuditCase(
        "MultiHeadAttention",
        port=port(
            mxnet=lambda: d2l_mxnet().MultiHeadAttention(HIDDENS, HEADS, DROPOUT),
            torch=lambda: d2l_torch().MultiHeadAttention(HIDDENS, HEADS, DROPOUT),
            inputs=_attended(HIDDENS, HIDDENS),
        ),
    ),
    AuditCase(
        "MultiHeadAttention (with biases)",
        port=port(
            mxnet=lambda: d2l_mxnet().MultiHeadAttention(HIDDENS, HEADS, DROPOUT, True),
            torch=lambda: d2l_torch().MultiHeadAttention(HIDDENS, HEADS, DROPOUT, True),
            inputs=_lengths_of_each_query,
        ),
        note=ARGUMENTS,
    ),
    AuditCase(
        "PositionalEncoding",
        port=port(
            mxnet=lambda: d2l_mxnet().PositionalEncoding(HIDDENS, DROPOUT),
            torch=lambda: d2l_torch().PositionalEncoding(HIDDENS, DROPOUT),
            inputs=lambda rng, batch: rng.standard_normal((batch, KEYS, HIDDENS)),
        ),
        known=Known(
            "forward",
            "each framework computes the table P in float32 with its own pow, sin and cos (mxnet.py:1217-1220, "
            "torch.py:1218-1222): 5 % of the numbers differ by one unit in the last place, at most 6e-8",
        ),
        mended={
            "mxnet_model": lambda: exact_positions_mxnet(d2l_mxnet().PositionalEncoding(HIDDENS, DROPOUT)),
            "torch_model": lambda: exact_positions_torch(d2l_torch().PositionalEncoding(HIDDENS, DROPOUT)),
        },
    ),
)

"""Recurrent models of d2l: RNN, GRU, language models, the recurrent encoder-decoder."""

from __future__ import annotations

from audits.d2l.adapters import adopt_mxnet, one_hot_in_dtype
from audits.d2l.case import AuditCase, Known, port
from audits.d2l.imports import d2l_mxnet, d2l_torch
from audits.d2l.linear import OWN_OPTIMIZER, own_losses
from audits.d2l.seq2seq_decoder import mxnet_decoder, torch_decoder

STEPS, INPUTS, HIDDENS, LAYERS, VOCABULARY, EMBEDDED, RATE = 5, 6, 16, 2, 20, 8, 0.125

RELU = (
    "rnn.RNN(num_hiddens) has Gluon's default activation relu (mxnet.py:822), nn.RNN torch's default tanh "
    "(torch.py:814); the book's text and RNNScratch (mxnet.py:742) mean tanh"
)
FLOAT32_ONE_HOT = "one_hot gives float32 in both (mxnet.py:787, torch.py:779): its vectors take the dtype under test"
RNN_INITIAL = "initial values: Gluon's Uniform(+-0.07) and bias 0, torch U(+-1/sqrt(H)) for weights and biases"


def _sequences(rng, batch):
    return rng.standard_normal((STEPS, batch, INPUTS))


def _tokens(rng, batch):
    return rng.integers(0, VOCABULARY, (batch, STEPS))


def _tokens_and_state(rng, batch):
    return _tokens(rng, batch), (0.1 * rng.standard_normal((batch, HIDDENS)),)


def _pairs(rng, batch):
    return _tokens(rng, batch), _tokens(rng, batch)


def _mxnet_tanh_rnn():
    d2l = d2l_mxnet()
    model = d2l.RNN(HIDDENS)
    model.rnn = d2l.rnn.RNN(HIDDENS, activation="tanh")
    return model


def _mxnet_lm(rnn):
    return one_hot_in_dtype(d2l_mxnet().RNNLM(rnn, VOCABULARY, RATE), "linear.bias")


def _torch_lm(rnn):
    return one_hot_in_dtype(d2l_torch().RNNLM(rnn, VOCABULARY, RATE), "linear.bias")


def _scratch_lm(d2l):
    return d2l.RNNLMScratch(d2l.RNNScratch(VOCABULARY, HIDDENS), VOCABULARY, RATE)


def _encoder_decoder(d2l, decoder, name, *more):
    encoder = d2l.Seq2SeqEncoder(VOCABULARY, EMBEDDED, HIDDENS, LAYERS, 0.1)
    return getattr(d2l, name)(encoder, decoder(VOCABULARY, EMBEDDED, HIDDENS, LAYERS, 0.1), *more)


def _torch_sgd(model):
    import torch

    return torch.optim.SGD(model.parameters(), RATE)


def _mxnet_sgd(model):
    return d2l_mxnet().gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": RATE})


DECODER_NOTE = (
    "d2l defines no decoder: the one of the book's section sec_seq2seq_decoder is added, built of d2l's parts"
)
SEQ2SEQ_INITIAL = (
    "initial values: init.Xavier for embeddings and GRU, biases 0 (mxnet.py:1001); torch's init_seq2seq "
    "(torch.py:982-991) leaves embeddings N(0, 1) and GRU biases U(+-1/sqrt(H))"
)

CASES = (
    AuditCase(
        "RNNScratch",
        port=port(
            mxnet=lambda: adopt_mxnet(d2l_mxnet().RNNScratch(INPUTS, HIDDENS)),
            torch=lambda: d2l_torch().RNNScratch(INPUTS, HIDDENS),
            inputs=lambda rng, batch: (_sequences(rng, batch), (0.1 * rng.standard_normal((batch, HIDDENS)),)),
        ),
        note="MXNet's plain arrays were made Parameters; the state is given, because the default one is float32",
        aside="MXNet's weights have no gradients until RNNLMScratch attaches them (mxnet.py:773), torch's always have",
    ),
    AuditCase(
        "RNNLMScratch",
        port=port(
            mxnet=lambda: one_hot_in_dtype(adopt_mxnet(_scratch_lm(d2l_mxnet())), "b_q"),
            torch=lambda: one_hot_in_dtype(_scratch_lm(d2l_torch()), "b_q"),
            inputs=_tokens_and_state,
            targets=_tokens,
            **own_losses("RNNLMScratch"),
        ),
        note=f"MXNet's plain arrays were made Parameters; the state is given; {FLOAT32_ONE_HOT}",
    ),
    AuditCase(
        "RNN",
        port=port(
            mxnet=lambda: d2l_mxnet().RNN(HIDDENS),
            torch=lambda: d2l_torch().RNN(INPUTS, HIDDENS),
            inputs=_sequences,
        ),
        known=Known("forward", RELU),
        mended={"mxnet_model": _mxnet_tanh_rnn},
        note="torch takes num_inputs, MXNet infers it",
        aside=RNN_INITIAL,
    ),
    AuditCase(
        "RNNLM",
        port=port(
            mxnet=lambda: _mxnet_lm(d2l_mxnet().RNN(HIDDENS)),
            torch=lambda: _torch_lm(d2l_torch().RNN(VOCABULARY, HIDDENS)),
            inputs=_tokens,
            targets=_tokens,
            **own_losses("RNNLM"),
            **OWN_OPTIMIZER,
        ),
        known=Known("forward", RELU),
        mended={"mxnet_model": lambda: _mxnet_lm(_mxnet_tanh_rnn())},
        note=FLOAT32_ONE_HOT,
        aside=RNN_INITIAL,
    ),
    AuditCase(
        "RNNLM (of a GRU)",
        port=port(
            mxnet=lambda: _mxnet_lm(d2l_mxnet().GRU(HIDDENS, LAYERS)),
            torch=lambda: _torch_lm(d2l_torch().GRU(VOCABULARY, HIDDENS, LAYERS)),
            inputs=_tokens,
            targets=_tokens,
            **own_losses("RNNLM"),
            **OWN_OPTIMIZER,
        ),
        note=f"{FLOAT32_ONE_HOT}; with a GRU in place of the RNN nothing depends on the activation",
        aside=RNN_INITIAL,
    ),
    AuditCase(
        "GRU",
        port=port(
            mxnet=lambda: d2l_mxnet().GRU(HIDDENS, LAYERS, 0.1),
            torch=lambda: d2l_torch().GRU(INPUTS, HIDDENS, LAYERS, 0.1),
            inputs=_sequences,
        ),
        note="torch takes num_inputs, MXNet infers it",
        aside=RNN_INITIAL,
    ),
    AuditCase(
        "Seq2SeqEncoder",
        port=port(
            mxnet=lambda: d2l_mxnet().Seq2SeqEncoder(VOCABULARY, EMBEDDED, HIDDENS, LAYERS, 0.1),
            torch=lambda: d2l_torch().Seq2SeqEncoder(VOCABULARY, EMBEDDED, HIDDENS, LAYERS, 0.1),
            inputs=_tokens,
        ),
        aside=SEQ2SEQ_INITIAL,
    ),
    AuditCase(
        "EncoderDecoder",
        port=port(
            mxnet=lambda: _encoder_decoder(d2l_mxnet(), mxnet_decoder(), "EncoderDecoder"),
            torch=lambda: _encoder_decoder(d2l_torch(), torch_decoder(), "EncoderDecoder"),
            inputs=_pairs,
            targets=_tokens,
            **own_losses("EncoderDecoder"),
        ),
        note=DECODER_NOTE,
        aside=SEQ2SEQ_INITIAL,
    ),
    AuditCase(
        "Seq2Seq",
        port=port(
            mxnet=lambda: _encoder_decoder(d2l_mxnet(), mxnet_decoder(), "Seq2Seq", 0, RATE),
            torch=lambda: _encoder_decoder(d2l_torch(), torch_decoder(), "Seq2Seq", 0, RATE),
            inputs=_pairs,
            targets=_tokens,
            **own_losses("Seq2Seq"),
            **OWN_OPTIMIZER,
        ),
        known=Known(
            "update",
            "configure_optimizers is Adam with each framework's epsilon 1e-8 (mxnet.py:1026, torch.py:1027): MXNet "
            "adds it before the bias correction, torch after it, so that MXNet's is 1e-8 / sqrt(1 - 0.999^t) in "
            "torch's terms, 31 times as large in the first update",
        ),
        mended={"mxnet_optimizer": _mxnet_sgd, "torch_optimizer": _torch_sgd},
        note=DECODER_NOTE,
        aside=SEQ2SEQ_INITIAL,
    ),
)

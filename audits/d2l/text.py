"""Functions of d2l on text: tokens, vocabularies, the inputs of BERT and of skip-gram. Plain Python in both modules."""

from __future__ import annotations

import random
from typing import Any, Callable

from audits.d2l.case import AuditCase, Computation

LINES = ("the time machine by h g wells", "the cat sat on the mat", "a time to sow and a time to reap")
WORDS = [line.split() for line in LINES]
PAIRS = "Go.\tVa !\nHi, there!\tSalut !\nI won\u202fit.\tJe l'ai emport\u00e9.\nno tab here\n"
RESERVED = ["<pad>", "<mask>", "<cls>", "<sep>", "<bos>", "<eos>"]


def plain(call: Callable[[Any], Any]) -> Computation:
    """A call with no drawn arguments; Python's generator starts from the same seed on both sides."""

    def run(d2l: Any, _: dict) -> Any:
        random.seed(0)
        return call(d2l)

    return Computation(lambda rng: {}, run, run)


def _vocabulary(d2l: Any) -> Any:
    return d2l.Vocab(WORDS, reserved_tokens=RESERVED)


def _vocab(d2l: Any) -> Any:
    vocab = d2l.Vocab(WORDS, min_freq=2, reserved_tokens=RESERVED)
    return [len(vocab), vocab.idx_to_token, vocab[["time", "cat", "unheard"]], vocab.to_tokens([0, 1, 2]), vocab.unk]


def _mlm_examples(d2l: Any) -> Any:
    vocab = _vocabulary(d2l)
    paragraph = [words[:4] for words in WORDS]
    pairs = d2l._get_nsp_data_from_paragraph(paragraph, [paragraph], vocab, 24)
    return [
        (*d2l._get_mlm_data_from_tokens(tokens, vocab), segments, is_next) for tokens, segments, is_next in pairs
    ], vocab


def _padded(d2l: Any) -> Any:
    examples, vocab = _mlm_examples(d2l)
    return d2l._pad_bert_inputs(examples, 24, vocab)


def _negatives(d2l: Any) -> Any:
    vocab = _vocabulary(d2l)
    _, counter = d2l.subsample(WORDS, vocab)
    counts = {token: counter[token] + 1 for token in vocab.idx_to_token}
    return d2l.get_negatives([[1, 2], [3]], vocab, counts, 2)


def _draws(d2l: Any) -> Any:
    generator = d2l.RandomGenerator([2, 3, 4])
    return [generator.draw() for _ in range(10)]


def _sentence(d2l: Any) -> Any:
    return [d2l._get_next_sentence(WORDS[0], WORDS[1], [WORDS]) for _ in range(4)]


CASES = (
    AuditCase("Vocab", computation=plain(_vocab)),
    AuditCase("bleu", computation=plain(lambda d2l: [d2l.bleu("a b c d", "a b d e f", k) for k in (1, 2, 3)])),
    AuditCase("tokenize", computation=plain(lambda d2l: [d2l.tokenize(LINES), d2l.tokenize(LINES, "char")])),
    AuditCase("preprocess_nmt", computation=plain(lambda d2l: d2l.preprocess_nmt(PAIRS))),
    AuditCase("tokenize_nmt", computation=plain(lambda d2l: [d2l.tokenize_nmt(PAIRS), d2l.tokenize_nmt(PAIRS, 1)])),
    AuditCase("truncate_pad", computation=plain(lambda d2l: [d2l.truncate_pad([1, 2, 3], n, 0) for n in (2, 5)])),
    AuditCase("build_array_nmt", computation=plain(lambda d2l: d2l.build_array_nmt(WORDS, _vocabulary(d2l), 6))),
    AuditCase(
        "get_tokens_and_segments",
        computation=plain(lambda d2l: [d2l.get_tokens_and_segments(*WORDS[:n]) for n in (1, 2)]),
    ),
    AuditCase("_get_next_sentence", computation=plain(_sentence)),
    AuditCase(
        "_get_nsp_data_from_paragraph",
        computation=plain(lambda d2l: d2l._get_nsp_data_from_paragraph(WORDS, [WORDS], _vocabulary(d2l), 16)),
    ),
    AuditCase(
        "_replace_mlm_tokens",
        computation=plain(lambda d2l: d2l._replace_mlm_tokens(WORDS[0], list(range(6)), 3, _vocabulary(d2l))),
    ),
    AuditCase(
        "_get_mlm_data_from_tokens",
        computation=plain(lambda d2l: d2l._get_mlm_data_from_tokens(["<cls>", *WORDS[2], "<sep>"], _vocabulary(d2l))),
    ),
    AuditCase("_pad_bert_inputs", computation=plain(_padded)),
    AuditCase("subsample", computation=plain(lambda d2l: d2l.subsample(WORDS, _vocabulary(d2l)))),
    AuditCase("get_centers_and_contexts", computation=plain(lambda d2l: d2l.get_centers_and_contexts(WORDS, 2))),
    AuditCase("RandomGenerator", computation=plain(_draws)),
    AuditCase("get_negatives", computation=plain(_negatives)),
    AuditCase(
        "batchify",
        computation=plain(lambda d2l: d2l.batchify([(1, [2, 2], [3, 3, 3]), (1, [2, 2, 2], [3, 3])])),
    ),
)

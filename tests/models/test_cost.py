"""Operations and bytes, counted by hand for models small enough for that."""

from __future__ import annotations

import numpy as np
import pytest

from crossfw.models.cost import Cost
from crossfw.models.encoder_decoder.spec import Spec as EncoderDecoder
from crossfw.models.network.spec import Spec

TOKENS = np.zeros((4, 2), int)
FEATURES = np.zeros((2, 1, 5))

CASES = {
    # 8 positions of W_hh 2x2 and W_hq 3x2; 21 parameters, 16 hidden states, 16 kept, 24 outputs, 16 tokens
    "rnn": (
        Spec(3, 2, 3),
        {"inputs": TOKENS, "targets": TOKENS},
        (4, 0),
        (2 * 8 * (4 + 6), 4 * (21 + 2 * 16 + 2 * 24) + 4 * 16),
        (3 * 2 * 8 * (4 + 6), 4 * (21 + 5 * 21 + 2 * 16 + 16 + 2 * 24) + 2 * 4 * 16),
    ),
    # 2 positions of W_xh 8x5 and W_hh 8x2, W_hq 3x2 once; 73 parameters with two moments each; 6 arrays kept of 2 units
    "lstm classifier of features": (
        Spec(5, 2, 3, inputs="features", cell="lstm", head="classifier"),
        {"inputs": FEATURES, "targets": np.zeros(1, int)},
        (8, 2),
        (2 * (2 * (40 + 16) + 6), 8 * (73 + 10 + 2 * 4 + 2 * 3) + 4),
        (
            2 * (3 * (2 * (40 + 16) + 6) - 2 * 40),
            8 * (73 + 9 * 73 + 2 * 10 + 2 * 24 + 4 + 2 * 3) + 2 * 4,
        ),
    ),
    # 4 positions of W_xh 6x3, W_hh 6x2 and W_hq 10x2; of the embedding 10x3 four rows at most are read
    "gru with an embedding": (
        Spec(10, 2, 10, cell="gru", embedding_size=3),
        {"inputs": TOKENS[:2], "targets": TOKENS[:2]},
        (4, 1),
        (2 * 4 * (18 + 12 + 20), 4 * (96 - 18 + 2 * 8 + 2 * 40) + 4 * 8),
        (6 * 4 * (18 + 12 + 20), 4 * (96 - 18 + 7 * 96 + 2 * 4 * 5 * 2 + 8 + 2 * 40) + 2 * 4 * 8),
    ),
    # W_xh 1x50 of which 8 tokens touch 8 columns
    "a vocabulary larger than the batch": (
        Spec(50, 1, 2),
        {"inputs": TOKENS, "targets": TOKENS},
        (4, 0),
        (2 * 8 * (1 + 2), 4 * (56 - 42 + 2 * 8 + 2 * 16) + 4 * 16),
        (6 * 8 * (1 + 2), 4 * (56 - 42 + 5 * 56 + 2 * 8 + 8 + 2 * 16) + 2 * 4 * 16),
    ),
    # forward and backward of 1 unit each in two layers; the second takes 2 features; masks of 8 x 2 between them
    "two layers, both directions, dropout": (
        Spec(3, 1, 2, layers=2, direction="bidirectional", dropout=0.5),
        {"inputs": TOKENS, "targets": TOKENS},
        (4, 0),
        (2 * 8 * (2 + 2 * (2 + 1) + 4), 4 * (24 + 2 * 32 + 2 * 16) + 4 * 16),
        (6 * 8 * (2 + 2 * (2 + 1) + 4), 4 * (24 + 5 * 24 + 2 * (32 + 16) + 32 + 2 * 16) + 2 * 4 * 16),
    ),
    # 6 source and 4 target positions of W_hh 2x2, and 4 of W_hq 4x2; 42 parameters
    "encoder and decoder": (
        EncoderDecoder(5, 4, 2, 4),
        {"source": np.zeros((3, 2), int), "inputs": TOKENS[:2], "targets": TOKENS[:2]},
        (4, 0),
        (2 * (6 * 4 + 4 * 4 + 4 * 8), 4 * (42 + 2 * 20 + 2 * 16) + 4 * 14),
        (6 * (6 * 4 + 4 * 4 + 4 * 8), 4 * (42 + 5 * 42 + 2 * 20 + 20 + 2 * 16) + 2 * 4 * 14),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_counts_are_those_by_hand(case):
    spec, batch, (itemsize, arrays), infer, train = CASES[case]
    assert spec.counts(batch).costs(itemsize, arrays) == {"train": Cost(*train), "infer": Cost(*infer)}


def test_a_gru_that_resets_before_the_product_keeps_less():
    batch = {"inputs": TOKENS, "targets": TOKENS}
    after, before = (Spec(3, 2, 3, cell="gru", reset=reset).counts(batch).kept for reset in ("after", "before"))
    assert (after, before) == (8 * 5 * 2, 8 * 4 * 2)

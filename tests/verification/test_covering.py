"""Integer inputs of embeddings are drawn over all rows, where nothing else depends on them; faults in rows show."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mxnet.gluon import nn

import crossfw
from crossfw.ports.covering import covering

ROWS, SIZE = 9, 4


@pytest.mark.parametrize(("shape", "rows"), [((2, 5), 9), ((2, 5), 10), ((3, 4), 5), ((2,), 1000), ((7,), 2)])
def test_each_row_is_drawn_once_before_any_a_second_time(shape, rows):
    found = covering(shape, rows, seed=1)
    assert found.shape == shape
    assert {0, rows - 1} <= set(found.flat)
    assert found.min() == 0
    assert found.max() == rows - 1
    assert len(set(found.flat)) == min(found.size, rows)
    np.testing.assert_array_equal(found, covering(shape, rows, seed=1))
    assert found.size < 8 or (found != covering(shape, rows, seed=2)).any()


def words_of_the_middle(rng, batch_size):
    return rng.integers(1, ROWS - 1, (batch_size, 5))


def block() -> nn.Block:
    net = nn.HybridSequential()
    net.add(nn.Embedding(ROWS, SIZE), nn.Dense(3))
    return net


def module(embedding: torch.nn.Module) -> torch.nn.Module:
    return torch.nn.Sequential(embedding, torch.nn.Flatten(), torch.nn.Linear(5 * SIZE, 3))


class Clipped(torch.nn.Embedding):
    def forward(self, words):
        return super().forward(words.clamp(max=ROWS - 2))


class Silent(torch.nn.Embedding):
    def forward(self, words):
        return super().forward(words) * (words != 0).unsqueeze(-1)


class Frozen(torch.nn.Embedding):
    def forward(self, words):
        found = super().forward(words)
        return torch.where((words == ROWS - 1).unsqueeze(-1), found.detach(), found)


FAULTS = {
    "the last row is another one's": (lambda: Clipped(ROWS, SIZE), "forward", []),
    "the first row is zero": (lambda: Silent(ROWS, SIZE), "forward", []),
    "the last row gets no gradient": (lambda: Frozen(ROWS, SIZE), "gradients", []),
    "padding_idx": (lambda: torch.nn.Embedding(ROWS, SIZE, padding_idx=0), "gradients", ["padding index"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_row_that_the_user_never_draws_is_caught(fault):
    make, stage, causes = FAULTS[fault]
    verdict = crossfw.verify(block(), module(make()), words_of_the_middle)
    assert verdict.stage == stage, str(verdict)
    assert [cause.name for cause in verdict.causes] == causes, str(verdict)


def test_a_true_port_agrees_and_says_what_was_drawn():
    verdict = crossfw.verify(block(), module(torch.nn.Embedding(ROWS, SIZE)), words_of_the_middle)
    assert verdict, str(verdict)
    assert "inputs is looked up in 0.weight: with seed 1 it is drawn over 0 to 8" in verdict.notes
    assert not [note for note in verdict.notes if "never looked up" in note]


class MaskedBlock(nn.HybridBlock):
    """Words, of which 8 is padding, and lengths."""

    def __init__(self):
        super().__init__()
        self.embedding, self.out = nn.Embedding(ROWS, SIZE), nn.Dense(3, in_units=5 * SIZE)

    def hybrid_forward(self, F, words):
        return self.out(F.broadcast_mul(self.embedding(words), F.cast(F.expand_dims(words < ROWS - 1, -1), "float64")))


class Masked(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.out = torch.nn.Embedding(ROWS, SIZE), torch.nn.Linear(5 * SIZE, 3)

    def forward(self, words):
        return self.out((self.embedding(words) * (words < ROWS - 1).unsqueeze(-1)).flatten(1))


def test_an_input_that_also_makes_a_mask_is_left_alone():
    verdict = crossfw.verify(MaskedBlock(), Masked(), words_of_the_middle, dtype="float64")
    assert verdict, str(verdict)
    told = [note for note in verdict.notes if "looked up" in note]
    assert len(told) == 1
    assert "2 of 9 rows were never looked up" in told[0]


class Strict(torch.nn.Embedding):
    def forward(self, words):
        if not words.any(0).all():
            raise ValueError("0 is no word")
        return super().forward(words)


def test_a_model_that_refuses_other_words_keeps_its_own():
    verdict = crossfw.verify(block(), module(Strict(ROWS, SIZE)), lambda rng: rng.integers(1, 8, (1, 5)))
    assert verdict, str(verdict)
    assert [note for note in verdict.notes if "never looked up" in note]


class PairBlock(nn.HybridBlock):
    """Two tables of other sizes, the second fed with its axes turned, and a number that is no word."""

    def __init__(self):
        super().__init__()
        self.source, self.target = nn.Embedding(7, SIZE), nn.Embedding(5, SIZE)

    def hybrid_forward(self, F, source, target, factor):
        found = self.source(source).sum(axis=1) + self.target(target.transpose((1, 0))).sum(axis=0)
        return F.broadcast_mul(found, F.expand_dims(factor, -1).astype("float64"))


class Pair(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.source, self.target = torch.nn.Embedding(7, SIZE), torch.nn.Embedding(5, SIZE)

    def forward(self, source, target, factor):
        return (self.source(source).sum(1) + self.target(target.T).sum(0)) * factor.unsqueeze(-1)


def test_each_input_covers_its_own_table():
    def inputs(rng, batch_size):
        words = {"source": rng.integers(1, 3, (batch_size, 4)), "target": rng.integers(1, 3, (batch_size, 6))}
        return {**words, "factor": rng.integers(1, 3, batch_size)}

    verdict = crossfw.verify(PairBlock(), Pair(), inputs, dtype="float64")
    assert verdict, str(verdict)
    told = [note for note in verdict.notes if "looked up" in note]
    assert told == [
        "inputs['source'] is looked up in source.weight: with seed 1 it is drawn over 0 to 6",
        "inputs['target'] is looked up in target.weight: with seed 1 it is drawn over 0 to 4",
    ]

"""Free-running decoding: greedy against the model's own steps, beam search against every sequence there is."""

from __future__ import annotations

from dataclasses import asdict
from itertools import product

import numpy as np
import pytest

from crossfw.models import IMPLEMENTATIONS, reference_class
from crossfw.models.initial import revealing_parameters
from crossfw.training.decoding import beam_search, greedy
from tests.models.cases import N, make

CASES = ("translator: one-hot, sequence means", "translator: gru, context", "translator: lstm, source mask")
START, END, STEPS = 0, 1, 5


def ready(worker, case: str):
    kind, spec, batch = make(case)
    worker.call("build", model=kind, spec=asdict(spec), dtype="float64", device="cpu")
    parameters = {name: 3 * value for name, value in revealing_parameters(spec.shapes(), 1).items()}
    worker.call("load", parameters=parameters)
    return kind, spec, batch, parameters


@pytest.mark.parametrize("beam", [1, 3])
@pytest.mark.parametrize("case", CASES)
def test_all_implementations_decode_the_same(workers, case, beam):
    found = {}
    for name in IMPLEMENTATIONS:
        *_, batch, _ = ready(workers[name], case)
        given = {"source": batch["source"], "source_mask": batch.get("source_mask")}
        found[name] = workers[name].call("decode", **given, start=START, end=END, steps=STEPS, beam=beam)
    for tokens in found.values():
        assert tokens.shape == (STEPS, N)
        np.testing.assert_array_equal(tokens, found["numpy"])


@pytest.mark.parametrize("case", CASES)
def test_greedy_decoding_is_teacher_forcing_with_its_own_outputs(workers, case):
    """Fed with what it wrote, the model must answer what it wrote."""
    kind, spec, batch, parameters = ready(workers["numpy"], case)
    given = {"source": batch["source"], "source_mask": batch.get("source_mask")}
    written = workers["numpy"].call("decode", **given, start=START, end=END, steps=STEPS, beam=1)
    model = reference_class(kind)(spec, "float64", "cpu")
    model.parameters.update(parameters)
    fed = {**batch, "inputs": np.concatenate([np.full((1, N), START), written[:-1]])}
    activations, _ = model.forward(fed, model.initial_state(N))
    np.testing.assert_array_equal(activations["output"].argmax(axis=-1), written)


@pytest.mark.parametrize("case", CASES)
def test_a_source_is_decoded_beside_others_as_it_is_alone(workers, case):
    *_, batch, _ = ready(workers["numpy"], case)
    how = {"start": START, "end": END, "steps": STEPS, "beam": 3}
    mask = batch.get("source_mask")
    together = workers["numpy"].call("decode", source=batch["source"], source_mask=mask, **how)
    for n in range(N):
        only = None if mask is None else mask[:, n : n + 1]
        alone = workers["numpy"].call("decode", source=batch["source"][:, n : n + 1], source_mask=only, **how)
        np.testing.assert_array_equal(alone[:, 0], together[:, n])


class Table:
    """A decoder whose log-probabilities depend on the last token only."""

    def __init__(self, table: np.ndarray):
        self.table, self.state, self.context = table, {"h": np.zeros((1, 1))}, np.zeros((1, 1))

    def step(self, tokens, state, sources):
        return self.table[tokens], {"h": np.zeros((len(tokens), 1))}


def score(table: np.ndarray, tokens: tuple) -> float:
    total, last = 0.0, START
    for token in tokens:
        total, last = total + table[last, token], token
        if token == END:
            break
    return total / (tokens.index(END) + 1 if END in tokens else len(tokens)) ** 0.75


@pytest.mark.parametrize("seed", range(20))
def test_a_beam_as_wide_as_everything_finds_the_best_sequence(seed):
    logits = np.random.default_rng(seed).normal(0, 2, (4, 4))
    table = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    best = max(product(range(4), repeat=4), key=lambda tokens: score(table, tokens))
    found = tuple(beam_search(Table(table), START, END, 4, beam=4**4)[:, 0].tolist())
    assert score(table, found) == pytest.approx(score(table, best))
    assert score(table, found) >= score(table, tuple(greedy(Table(table), START, 4)[:, 0].tolist())) - 1e-12


def test_greedy_takes_the_most_probable_token():
    table = np.log(np.array([[0.1, 0.2, 0.7], [0.3, 0.4, 0.3], [0.5, 0.4, 0.1]]))
    np.testing.assert_array_equal(greedy(Table(table), START, 3)[:, 0], [2, 0, 2])


def test_what_follows_the_end_is_filled_with_it():
    table = np.log(np.array([[0.05, 0.9, 0.05], [0.3, 0.3, 0.4], [0.2, 0.2, 0.6]]))
    np.testing.assert_array_equal(beam_search(Table(table), START, END, 4, beam=2)[:, 0], [END] * 4)

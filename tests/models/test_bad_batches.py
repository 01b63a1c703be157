"""Batches and settings that a framework might take silently: one clear error, the same in every implementation."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from crossfw.errors import CrossfwError
from crossfw.models import IMPLEMENTATIONS, spec_class
from crossfw.workers.client import CallFailed
from tests.models.cases import N, T, V, make

TAGGER, TRANSLATOR, CLASSIFIER = (
    "lstm, tagger, mask",
    "translator: lstm, source mask",
    "classifier, mean, forward, mask",
)


def spoil(batch: dict, name: str, place: tuple, value: float) -> dict:
    array = batch[name].copy()
    array[place] = value
    return {**batch, name: array}


BAD = {
    "a target above the last class": (TAGGER, lambda b: spoil(b, "targets", (1, 2), V), f"target {V} at (1, 2)"),
    "a target below zero": (TAGGER, lambda b: spoil(b, "targets", (0, 0), -1), "target -1 at (0, 0)"),
    "a class out of range": (CLASSIFIER, lambda b: spoil(b, "targets", (1,), V), f"target {V} at (1,)"),
    "a token above the last": (TAGGER, lambda b: spoil(b, "inputs", (3, 1), V), f"input token {V} at (3, 1)"),
    "a token below zero": (TAGGER, lambda b: spoil(b, "inputs", (0, 1), -1), "input token -1"),
    "a source token out of range": (TRANSLATOR, lambda b: spoil(b, "source", (0, 0), 99), "source token 99"),
    "a mask that hides a sequence": (TAGGER, lambda b: spoil(b, "mask", (slice(None), 1), 0), "sequence 1 has no real"),
    "a mask that hides everything": (TAGGER, lambda b: {**b, "mask": b["mask"] * 0}, "sequence 0 has no real step"),
    "a source that is all padding": (
        TRANSLATOR,
        lambda b: spoil(b, "source_mask", (slice(None), 2), 0),
        "source_mask: sequence 2 has no real step",
    ),
    "a mask of halves": (TAGGER, lambda b: {**b, "mask": b["mask"] / 2}, "numbers other than 0 and 1"),
    "a mask of another shape": (TAGGER, lambda b: {**b, "mask": b["mask"][:1]}, f"where {(T, N)} is wanted"),
    "padding before a real step": (
        TAGGER,
        lambda b: spoil(b, "mask", (1, 0), 0),
        "sequence 0 has padding before a real",
    ),
    "nothing shown to the loss": (TAGGER, lambda b: {**b, "shown": b["mask"] * 0}, "every output is hidden"),
    "targets that would be broadcast": (TAGGER, lambda b: {**b, "targets": b["targets"][:, :1]}, "targets of shape"),
    "no step": (TAGGER, lambda b: {name: value[:0] for name, value in b.items()}, "there is no step"),
    "no sequence": (TAGGER, lambda b: {name: value[:, :0] for name, value in b.items()}, "no sequence"),
}


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("case", BAD)
def test_a_bad_batch_is_refused_by_every_implementation_in_the_same_words(workers, case, name):
    model, change, words = BAD[case]
    kind, spec, batch = make(model)
    worker = workers[name]
    worker.call("build", model=kind, spec=asdict(spec), dtype="float64", device="cpu")
    worker.call("configure_optimizer", spec={"name": "sgd"})
    state = {key: np.zeros(shape) for key, shape in spec.state_shapes(N).items()}
    bad = change(batch)
    calls = {
        "gradients": {"batch": bad, "state": state},
        "step": {"batch": bad, "state": state},
        "train": {"batches": [batch, bad], "carry_state": False, "seed": [0]},
        "evaluate": {"batches": [bad], "carry_state": False},
        "prepare_timing": {"batch": bad},
    }
    for method, arguments in calls.items():
        with pytest.raises(CallFailed, match="ValueError") as caught:
            worker.call(method, **arguments)
        assert words in caught.value.reason


FREE = {"start": 0, "end": 1, "steps": 3, "beam": 1}
DECODINGS = {
    "a source token out of range": ({"source": np.array([[99]]), "source_mask": None, **FREE}, "source token 99"),
    "a source token below zero": ({"source": np.array([[-1]]), "source_mask": None, **FREE}, "source token -1"),
    "a source that is all padding": (
        {"source": np.array([[0]]), "source_mask": np.zeros((1, 1)), **FREE},
        "source_mask: sequence 0 has no real step",
    ),
    "an empty source": ({"source": np.zeros((0, 1), int), "source_mask": None, **FREE}, "there is no step"),
    "a start token out of range": (
        {"source": np.array([[0]]), "source_mask": None, **FREE, "start": 99},
        "start and end token 99",
    ),
}


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("case", DECODINGS)
def test_a_bad_source_is_refused_by_every_decoder_in_the_same_words(workers, case, name):
    arguments, words = DECODINGS[case]
    kind, spec, _ = make(TRANSLATOR)
    workers[name].call("build", model=kind, spec=asdict(spec), dtype="float64", device="cpu")
    with pytest.raises(CallFailed, match="ValueError") as caught:
        workers[name].call("decode", **arguments)
    assert words in caught.value.reason


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_a_prefix_out_of_range_is_refused(workers, name):
    kind, spec, _ = make("rnn tanh, 1 biases, tokens")
    workers[name].call("build", model=kind, spec=asdict(spec), dtype="float64", device="cpu")
    with pytest.raises(CallFailed, match="prefix token 5"):
        workers[name].call("generate", prefix=np.array([1, V]), count=2, temperature=0.0, seed=0)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("model", [TAGGER, TRANSLATOR, CLASSIFIER])
def test_a_text_of_unknown_tokens_alone_and_one_step_are_fine(workers, model, name):
    kind, spec, batch = make(model, 1, 1)
    batch["inputs"] = np.zeros_like(batch["inputs"])
    worker = workers[name]
    worker.call("build", model=kind, spec=asdict(spec), dtype="float64", device="cpu")
    state = {key: np.zeros(shape) for key, shape in spec.state_shapes(1).items()}
    assert float(worker.call("gradients", batch=batch, state=state)["loss"]) == pytest.approx(np.log(V))


SETTINGS = {
    "hidden_size": {"hidden_size": 0},
    "layers": {"layers": 0},
    "backward_size": {"direction": "bidirectional", "backward_size": 0},
    "embedding_size": {"embedding_size": 0},
    "output_size": {"output_size": 1},
    "dropout": {"dropout": 1.0, "layers": 2},
    "cell": {"cell": "lsmt"},
    "head": {"head": "tager"},
    "direction": {"direction": "backward"},
    "activation": {"cell": "gru", "activation": "relu"},
    "reset": {"cell": "lstm", "reset": "before"},
    "biases": {"cell": "dense", "biases": 2},
    "pool": {"pool": "mean"},
    "readout": {"readout": False},
}
IDLE = {
    "dropout": {"dropout": 0.5},
    "backward_size": {"backward_size": 3},
    "embedding_size": {"embedding_size": 3, "inputs": "features"},
    "head": {"head": "context"},
    "reduction": {"head": "classifier", "reduction": "sequence means"},
}


@pytest.mark.parametrize(("name", "given"), [*SETTINGS.items(), *IDLE.items()], ids=str)
def test_a_bad_setting_is_refused_by_name(name, given):
    sizes = {"input_size": 5, "hidden_size": 4, "output_size": 6}
    with pytest.raises(CrossfwError) as caught:
        spec_class("network")(**{**sizes, **given})
    assert f"model.{name}" in caught.value.asked


@pytest.mark.parametrize(("name", "given"), [("context", {"context": True}), ("cell", {"cell": "dense"})])
def test_a_bad_setting_of_an_encoder_decoder_is_refused_by_name(name, given):
    sizes = {"source_size": 5, "input_size": 5, "hidden_size": 4, "output_size": 6}
    with pytest.raises(CrossfwError) as caught:
        spec_class("encoder-decoder")(**sizes, **given)
    assert f"model.{name}" in caught.value.asked

"""The loop: perplexity from totals, state carried over, and the first tensor that is not finite."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from crossfw.harness.workers import InProcess
from crossfw.models import IMPLEMENTATIONS, Implementation
from crossfw.models.initial import revealing_parameters
from crossfw.models.network.spec import Spec
from crossfw.training.curves import perplexity
from crossfw.training.generation import choose

SPEC = Spec(5, 4, 5, "tanh", 1)
RNG = np.random.default_rng(1)
BATCHES = [{name: RNG.integers(0, 5, (3, 2)) for name in ("inputs", "targets")} for _ in range(3)]


def ready(backend, spec=SPEC, **optimizer):
    backend.call("build", model="network", spec=asdict(spec), dtype="float64", device="cpu")
    backend.call("load", parameters=revealing_parameters(spec.shapes(), 0))
    backend.call("configure_optimizer", spec={"name": "sgd", "learning_rate": 0.1, "clip": 1.0, **optimizer})
    return backend


def test_nll_counts_tokens_and_not_batches():
    backend = ready(InProcess(Implementation("numpy")))
    short = [{name: value[:1] for name, value in BATCHES[0].items()}, BATCHES[1]]
    parts = [backend.call("evaluate", batches=[batch], carry_state=False) for batch in short]
    whole = backend.call("evaluate", batches=short, carry_state=False)
    assert whole["tokens"] == 2 + 6
    assert whole["nll"] == pytest.approx(sum(part["nll"] for part in parts), rel=1e-14)
    assert perplexity(whole["nll"], whole["tokens"]) == pytest.approx(np.exp(whole["nll"] / 8))
    assert perplexity(1e6, 1) == np.inf


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_state_is_carried_over_detached(workers, name):
    """Two batches with the state carried over are one text: the evaluation equals that of the joined batch."""
    backend = ready(workers[name])
    joined = [{name: np.concatenate([BATCHES[0][name], BATCHES[1][name]]) for name in BATCHES[0]}]
    carried = backend.call("evaluate", batches=BATCHES[:2], carry_state=True)
    fresh = backend.call("evaluate", batches=BATCHES[:2], carry_state=False)
    whole = backend.call("evaluate", batches=joined, carry_state=True)
    assert carried["nll"] == pytest.approx(whole["nll"], rel=1e-13)
    assert abs(fresh["nll"] - whole["nll"]) > 1e-6


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_training_carries_the_state_too(workers, name):
    reference = ready(InProcess(Implementation("numpy")))
    state, losses = {"h": np.zeros((2, 4))}, []
    for batch in BATCHES:
        answer = reference.call("step", batch=batch, state=state)
        state = answer["state"]
        losses.append(float(answer["loss"]) * batch["targets"].size)
    trained = ready(workers[name]).call("train", batches=BATCHES, carry_state=True, seed=[0])
    assert trained["nll"] == pytest.approx(sum(losses), rel=1e-13)
    assert trained["steps"] == 3


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_the_first_tensor_that_overflows_is_named(workers, name):
    """A linear network whose weights explode: after the first update the outputs are inf, and nothing before them."""
    spec = Spec(5, 4, 5, "identity", 1)
    backend = ready(workers[name], spec, learning_rate=1e200, clip=None)
    diverged = backend.call("train", batches=BATCHES, carry_state=False, seed=[0])["diverged"]
    assert diverged["step"] == 1
    assert diverged["tensor"] in ("hidden", "output")
    assert diverged["value"] in ("inf", "NaN")


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_an_update_that_overflows_is_named(workers, name):
    backend = ready(workers[name], learning_rate=1e308, clip=None)
    backend.call(
        "load",
        parameters={k: v * (30 if k == "W_hq" else 1) for k, v in revealing_parameters(SPEC.shapes(), 0).items()},
    )
    diverged = backend.call("train", batches=BATCHES * 2, carry_state=False, seed=[0])["diverged"]
    assert diverged is not None
    assert "after the update" in diverged["tensor"] or diverged["tensor"] in ("hidden", "output", "loss")


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_all_implementations_write_the_same_text(workers, temperature):
    texts = {
        name: ready(workers[name])
        .call("generate", prefix=np.array([1, 2]), count=30, temperature=temperature, seed=3)
        .tolist()
        for name in IMPLEMENTATIONS
    }
    assert len(set(map(tuple, texts.values()))) == 1
    assert len(texts["numpy"]) == 30


def test_sampling_follows_the_distribution():
    rng, logits = np.random.default_rng(0), np.log(np.array([0.1, 0.6, 0.3]))
    drawn = np.bincount([choose(logits, 1.0, rng) for _ in range(20_000)], minlength=3) / 20_000
    np.testing.assert_allclose(drawn, [0.1, 0.6, 0.3], atol=0.015)
    cold = np.bincount([choose(logits, 0.1, rng) for _ in range(100)], minlength=3)
    assert cold[1] > 95
    assert choose(logits, 0.0, rng) == 1


def test_an_empty_prefix_is_refused():
    with pytest.raises(ValueError, match="at least one token"):
        ready(InProcess(Implementation("numpy"))).call(
            "generate", prefix=np.array([], dtype=np.int64), count=1, temperature=0.0, seed=0
        )

"""Buffers that are used again: no pass of a model may see what another one writes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from crossfw.models.fused.torch import buffers as torch_buffers
from crossfw.models.network.torch_fused import Model
from tests.models.cases import CELLS, make

CASES = [f"{cell}, {kind}" for cell in CELLS for kind in ("tagger, mask", "two layers", "256 units")]


def loaded(name: str) -> tuple[Model, list[dict]]:
    """A model with random parameters, and three batches of the same shapes."""
    _, spec, batch = make(name)
    model, rng = Model(spec, "float64", "cpu"), np.random.default_rng(3)
    for parameter in model.parameters.values():
        parameter.data = torch.from_numpy(rng.normal(0, 0.3, parameter.shape))
    batches = []
    for shift in range(3):
        changed = {**batch, "inputs": (batch["inputs"] + shift) % 5, "targets": (batch["targets"] + shift) % 5}
        batches.append({key: torch.from_numpy(array) for key, array in changed.items()})
    return model, batches


def forward(model: Model, batch: dict) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Hidden states, last state and loss; and the first state."""
    first = model.initial_state(batch["inputs"].shape[1])
    for value in first.values():
        value.requires_grad_()
    activations, last = model.forward(batch, first)
    loss = model.loss(activations["output"], batch)
    return [activations["hidden"], *last.values(), loss], list(first.values())


def gradients(model: Model, results: list[torch.Tensor], first: list[torch.Tensor]) -> list[torch.Tensor]:
    """Those of the parameters and of the first state."""
    return list(torch.autograd.grad(results[-1], [*model.parameters.values(), *first]))


def alone(model: Model, batch: dict) -> list[torch.Tensor]:
    """Everything that a pass gives, with new buffers."""
    torch_buffers._free.clear()
    results, first = forward(model, batch)
    return [tensor.detach().clone() for tensor in (*results, *gradients(model, results, first))]


@pytest.mark.parametrize("name", CASES)
def test_passes_that_overlap_give_what_each_gives_alone(name):
    model, batches = loaded(name)
    expected = [alone(model, batch) for batch in batches]
    a, b = forward(model, batches[0]), forward(model, batches[1])
    gradients_a = gradients(model, *a)
    with torch.no_grad():
        forward(model, batches[1])  # writes to the buffers that `a` has given back
    c = forward(model, batches[2])
    gradients_c, gradients_b = gradients(model, *c), gradients(model, *b)
    found = (a[0] + gradients_a, b[0] + gradients_b, c[0] + gradients_c)
    for wanted, given in zip(expected, found):
        for want, got in zip(wanted, given, strict=True):
            assert torch.equal(want, got)


def test_buffers_are_used_again_until_another_shape_comes():
    torch_buffers._free.clear()
    model, batches = loaded("lstm, two layers")
    weights = [model.parameters["W_xh"], model.parameters["W_xh_l1"]]

    def passes(batch: dict) -> list:
        gradients(model, *forward(model, batch))
        return [torch_buffers._free[weight] for weight in weights]

    first = [id(free[0]) for free in passes(batches[0])]
    assert [[id(buffers) for buffers in free] for free in passes(batches[1])] == [[one] for one in first]
    longer = {key: array[:1].repeat(9, 1) for key, array in batches[0].items()}
    assert [[len(buffers.rows) for buffers in free] for free in passes(longer)] == [[9], [9]]


def test_layers_of_a_shape_share_what_back_propagation_writes_and_threads_wait_for_it():
    model, batches = loaded("lstm, two layers")
    expected = [alone(model, batch) for batch in batches] * 4

    def work(batch: dict) -> list[torch.Tensor]:
        results, first = forward(model, batch)
        return results + gradients(model, results, first)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, batches * 4))
    for wanted, given in zip(expected, found, strict=True):
        for want, got in zip(wanted, given, strict=True):
            assert torch.equal(want, got)
    assert len({id(buffers.gradients) for free in torch_buffers._free.values() for buffers in free}) == 1


def test_buffers_go_with_the_model():
    torch_buffers._free.clear()
    model, batches = loaded("lstm, two layers")
    gradients(model, *forward(model, batches[0]))
    assert len(torch_buffers._free) == 2
    del model
    assert len(torch_buffers._free) == 0


def test_buffers_made_in_inference_mode_serve_training():
    model, batches = loaded("gru, two layers")
    expected = alone(model, batches[0])
    torch_buffers._free.clear()
    with torch.inference_mode():
        forward(model, batches[1])
    results, first = forward(model, batches[0])
    for want, got in zip(expected, results + gradients(model, results, first), strict=True):
        assert torch.equal(want, got)

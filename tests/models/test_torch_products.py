"""Large products by oneDNN give what small ones give, and are taken where they are said to be."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from crossfw.models import torch_products
from crossfw.models.cells import torch_operations
from crossfw.models.network.spec import Spec
from crossfw.models.network.torch_scratch import Model
from tests.models.cases import CELLS, make

CASES = [f"{cell}, {kind}" for cell in CELLS for kind in ("tagger, mask", "two layers", "256 units")]
ROUNDINGS = 8 * np.finfo(np.float32).eps


def everything(name: str, dtype: str) -> list[torch.Tensor]:
    """Hidden states, last state, loss, and the gradients of all parameters, in float64."""
    _, spec, batch = make(name)
    model, rng = Model(spec, dtype, "cpu"), np.random.default_rng(3)
    for parameter in model.parameters.values():
        scale = 1 / np.sqrt(spec.hidden_size)
        parameter.data = torch.from_numpy(rng.normal(0, scale, parameter.shape)).to(parameter.dtype)
    tensors = {key: torch.from_numpy(array) for key, array in batch.items()}
    batch = {
        key: value.to(model.parameters["W_hh"].dtype) if key == "mask" else value for key, value in tensors.items()
    }
    activations, last = model.forward(batch, model.initial_state(batch["inputs"].shape[1]))
    loss = model.loss(activations["output"], batch)
    found = [activations["hidden"], *last.values(), loss, *torch.autograd.grad(loss, list(model.parameters.values()))]
    return [tensor.detach().double() for tensor in found]


@pytest.fixture
def onednn(monkeypatch) -> list:
    """All products by oneDNN; a list with an entry for each."""
    multiply, taken = torch_products.onednn_product, []
    monkeypatch.setattr(torch_operations, "LARGE_STEP", 0)
    monkeypatch.setattr(torch_products, "LARGE_PRODUCT", 0)
    for module in (torch_operations, torch_products):
        monkeypatch.setattr(module, "onednn_product", lambda *arrays: taken.append(1) or multiply(*arrays))
    return taken


@pytest.mark.parametrize("name", CASES)
def test_products_by_onednn_are_exact_up_to_rounding(name, onednn):
    exact = everything(name, "float64")
    assert not onednn
    for want, found in zip(exact, everything(name, "float32"), strict=True):
        assert (found - want).abs().max() <= ROUNDINGS * want.abs().max()
    assert onednn


@pytest.mark.parametrize(("rows", "columns"), [(3, 7), (7, 3), (5, 5)])
@pytest.mark.parametrize("strided", [False, True])
def test_a_product_and_the_gradients_of_its_weights_by_onednn(rows, columns, strided, onednn):
    def normal(*shape: int) -> torch.Tensor:
        return torch.from_numpy(rng.normal(size=shape).astype(np.float32))

    rng = np.random.default_rng(0)
    d, x = (normal(4, 6, 2 * width)[..., :: 1 + strided][..., :width] for width in (rows, columns))
    W, b = normal(rows, columns), normal(rows)
    for found, want in (
        (torch_products.product(x, W), x.double() @ W.double().T),
        (torch_products.product(x, W, b), x.double() @ W.double().T + b.double()),
        (torch_products.product(d, W.T), d.double() @ W.double()),
        (torch_products.outer(d, x), torch.einsum("tni,tnj->ij", d.double(), x.double())),
    ):
        assert (found.double() - want).abs().max() <= ROUNDINGS * want.abs().max()
    assert len(onednn) == 4


@pytest.mark.parametrize(
    ("steps", "size", "units", "dtype", "expected"),
    [
        (35, 32, 256, torch.float32, True),
        (35, 32, 256, torch.float64, False),
        (35, 32, 64, torch.float32, False),
        (35, 1, 256, torch.float32, False),
        (1, 32, 256, torch.float32, False),
        (4, 1, 1024, torch.float32, True),
    ],
)
def test_large_products_of_many_steps_are_left_to_onednn(steps, size, units, dtype, expected):
    (place,) = Spec(28, units, 28, cell="lstm").stack.places(0)
    assert torch_operations.uses_onednn(place, torch.empty(steps, size, units, dtype=dtype)) is expected

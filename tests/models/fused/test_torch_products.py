"""Large products by oneDNN give what small ones give, and are taken where they are said to be."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from crossfw.models.fused.torch import operations as torch_operations
from crossfw.models.fused.torch import products as torch_products
from crossfw.models.network.spec import Spec
from crossfw.models.network.torch_fused import Model
from tests.models.cases import CELLS, make

# products in steps, forth and back, and at once: the gradients of W_hh, up to three of features
COUNTS = {
    **{
        f"{cell}, {kind}": ((32, 4 + more) if "gru" in cell else (16, 2 + more))
        for cell in CELLS
        for kind, more in (("tagger, mask", 0), ("two layers", 3), ("256 units", 0))
    },
    "gru, features": (16, 4),
    "embedding": (16, 5),
    "context": (16, 2),
    "classifier, last, bidirectional, mask": (16, 2),
    "dense, two layers": (0, 5),
}
ROUNDINGS = 8 * np.finfo(np.float32).eps
LAYOUTS = {
    "contiguous": lambda x: x,
    "some columns": lambda x: torch.cat([x, x], dim=-1)[..., : x.shape[-1]],
    "every second column": lambda x: x.repeat_interleave(2, dim=-1)[..., ::2],
    "axes exchanged": lambda x: x.transpose(0, 1).contiguous().transpose(0, 1),
    "one value": lambda x: x[:1, :1, :1].expand_as(x),
    "one row": lambda x: x[:1, :1],
}


def everything(name: str, dtype: str) -> list[torch.Tensor]:
    """Hidden states, last state, loss, and the gradients of all parameters, in float64."""
    _, spec, batch = make(name)
    model, rng = Model(spec, dtype, "cpu"), np.random.default_rng(3)
    for parameter in model.parameters.values():
        scale = 1 / np.sqrt(spec.hidden_size)
        parameter.data = torch.from_numpy(rng.normal(0, scale, parameter.shape)).to(parameter.dtype)
    floating = {key: array.astype(dtype) for key, array in batch.items() if array.dtype.kind == "f"}
    batch = {key: torch.from_numpy(array) for key, array in {**batch, **floating}.items()}
    activations, last = model.forward(batch, model.initial_state(batch["inputs"].shape[1]))
    loss = model.loss(activations["output"], batch)
    found = [activations["hidden"], *last.values(), loss, *torch.autograd.grad(loss, list(model.parameters.values()))]
    return [tensor.detach().double() for tensor in found]


@pytest.fixture
def counted(monkeypatch) -> dict[str, int]:
    """How many products oneDNN is given, in the loops and at once."""
    multiply, counts = torch_products.onednn_product, {"steps": 0, "at once": 0}
    for module, key in ((torch_operations, "steps"), (torch_products, "at once")):

        def count(*arrays: torch.Tensor, key: str = key) -> torch.Tensor:
            counts[key] += 1
            return multiply(*arrays)

        monkeypatch.setattr(module, "onednn_product", count)
    return counts


@pytest.fixture
def onednn(monkeypatch, counted) -> dict[str, int]:
    """All products by oneDNN, counted."""
    monkeypatch.setattr(torch_operations, "LARGE_STEP", 0)
    monkeypatch.setattr(torch_products, "LARGE_PRODUCT", 0)
    return counted


def normal(rng: np.random.Generator, *shape: int) -> torch.Tensor:
    """Drawn in float32."""
    return torch.from_numpy(rng.normal(size=shape).astype(np.float32))


def assert_same(found: torch.Tensor, want: torch.Tensor) -> None:
    """Up to a few roundings of the largest."""
    assert found.shape == want.shape
    assert (found.double() - want.double()).abs().max() <= ROUNDINGS * want.abs().max()


@pytest.mark.parametrize("name", COUNTS)
def test_products_by_onednn_are_exact_up_to_rounding(name, onednn):
    exact = everything(name, "float64")
    assert not any(onednn.values())
    for want, found in zip(exact, everything(name, "float32"), strict=True):
        assert_same(found, want)
    assert tuple(onednn.values()) == COUNTS[name]


@pytest.mark.parametrize(("rows", "columns"), [(3, 7), (7, 3), (5, 5)])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_arrays_may_lie_in_any_order(rows, columns, layout, onednn):
    rng = np.random.default_rng(0)
    d, x = (LAYOUTS[layout](normal(rng, 4, 6, width)) for width in (rows, columns))
    W, b = normal(rng, 2 * rows, columns)[rows:], normal(rng, rows)
    assert_same(torch_products.product(x, W), x.double() @ W.double().T)
    assert_same(torch_products.product(x, W, b), x.double() @ W.double().T + b.double())
    assert_same(torch_products.product(d, W.T), d.double() @ W.double())
    assert_same(torch_products.outer(d, x), torch.einsum("tni,tnj->ij", d.double(), x.double()))
    assert onednn["at once"] == 4


@pytest.mark.parametrize("asked", [False, True])
def test_gradients_of_inputs_are_computed_where_they_are_asked_for(asked, onednn):
    rng = np.random.default_rng(0)
    x, W, b = normal(rng, 4, 6, 7).requires_grad_(asked), *(normal(rng, *s).requires_grad_() for s in ((3, 7), (3,)))
    leaves, d = [tensor for tensor in (x, W, b) if tensor.requires_grad], normal(rng, 4, 6, 3)
    found = torch.autograd.grad(torch_products.affine(x, W, b), leaves, d)
    exact = x.double() @ W.double().T + b.double()
    for gradient, want in zip(found, torch.autograd.grad(exact, leaves, d.double()), strict=True):
        assert_same(gradient, want)
    assert onednn["at once"] == 2 + asked


@pytest.mark.parametrize(
    ("rows", "columns", "dtype", "expected"),
    [(28, 256, torch.float32, 2), (28, 256, torch.float64, 0), (64, 64, torch.float32, 0), (28, 64, torch.float32, 0)],
)
def test_large_products_at_once_are_left_to_onednn(rows, columns, dtype, expected, counted):
    x, W = torch.ones(35, 32, columns, dtype=dtype), torch.ones(rows, columns, dtype=dtype)
    torch_products.outer(torch_products.product(x, W), x)
    assert counted["at once"] == expected


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

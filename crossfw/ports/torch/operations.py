"""Small functions of one tensor, told by plain values, that a supposed difference puts into or around a user's code."""

from __future__ import annotations

from typing import Any, Callable

import torch
from torch.nn import functional

ACTIVATIONS: dict[str, Callable] = {
    "identity": lambda x: x,
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": functional.softplus,
    "softsign": functional.softsign,
    "silu": functional.silu,
    "gelu": functional.gelu,
    "gelu by tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "gelu by sigmoid": lambda x: x * torch.sigmoid(1.702 * x),
    "leaky_relu": functional.leaky_relu,
    "elu": functional.elu,
    "selu": functional.selu,
    "relu6": functional.relu6,
    "hardswish": functional.hardswish,
    "hardsigmoid": functional.hardsigmoid,
    "hardsigmoid by 0.2": lambda x: (0.2 * x + 0.5).clamp(0, 1),
    "mish": functional.mish,
    "log_sigmoid": functional.logsigmoid,
    "softmax": lambda x: functional.softmax(x, -1),
    "log_softmax": lambda x: functional.log_softmax(x, -1),
}


def operation(told: dict, parameters: dict) -> Callable[[torch.Tensor], torch.Tensor]:
    """The function that plain values tell of.

    Args:
        told: {"name": one of ACTIVATIONS or of the names below, ...}.
        parameters: the model's arrays by name.

    Raises:
        KeyError: there is no such function.
    """
    name = told["name"]
    if name in MAKERS:
        return MAKERS[name](told, parameters)
    function = ACTIVATIONS[name]
    more = {key: value for key, value in told.items() if key != "name"}
    return (lambda x: function(x, **more)) if more else function


def _permuted(told: dict, _: dict) -> Callable:
    return lambda x: x.permute(told["axes"])


def _reflattened(told: dict, _: dict) -> Callable:
    """(N, product) -> the shape that was flattened, its axes in another order, flattened again."""
    return lambda x: x.reshape(x.shape[0], *told["shape"]).permute(0, *told["axes"]).reshape(x.shape)


def _added(told: dict, parameters: dict) -> Callable:
    def add(x: torch.Tensor) -> torch.Tensor:
        value = parameters[told["parameter"]]
        axis = told.get("axis", -1)
        shape = [1] * x.dim()
        shape[axis] = -1
        return x + told["times"] * value.reshape(shape)

    return add


MAKERS: dict[str, Callable] = {
    "scale": lambda told, _: lambda x: x * told["by"],
    "permute": _permuted,
    "flatten as": _reflattened,
    "add": _added,
    "flip": lambda told, _: lambda x: x.flip(told["axis"]),
    "pad": lambda told, _: lambda x: functional.pad(x, told["pad"], value=told["value"]),
    "clamp": lambda told, _: lambda x: x.clamp(told["min"], told["max"]),
    "dropout": lambda told, _: lambda x: functional.dropout(x, told["rate"], torch.is_grad_enabled() or told["always"]),
    "pool": lambda told, _: lambda x: POOLS[told["kind"]](x, **told["settings"]),
}


def _pool(kind: str) -> Callable:
    def run(x: torch.Tensor, **settings: Any) -> torch.Tensor:
        if kind == "max":
            settings.pop("count_include_pad", None)
        return getattr(functional, f"{kind}_pool{x.dim() - 2}d")(x, **settings)

    return run


POOLS = {"max": _pool("max"), "avg": _pool("avg")}

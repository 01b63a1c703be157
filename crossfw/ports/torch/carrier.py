"""How the functions of a user's torch model are carried out while it is verified.

`torch.nn.functional` is patched for what layers call; the mode also sees functions that a user's file imported by name,
and factories of random numbers.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any, Callable

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from crossfw.ports.decimals import moved, widened
from crossfw.ports.masks import Masks

VARIANCE = (
    "BatchNorm: torch's running variance is the unbiased one, n / (n - 1) times MXNet's; this known difference is "
    "taken out before the running statistics are compared"
)
HARD_SIGMOID = (
    "torch computes the gradient of hardsigmoid with 1/6 in float32 whatever the dtype: in float64 an exact form "
    "stands in for it"
)
FEATURES = ("dropout1d", "dropout2d", "dropout3d")
UNIFORM, NORMAL, COINS = (
    ("rand", "rand_like", "uniform_"),
    ("randn", "randn_like", "normal_"),
    ("bernoulli", "bernoulli_"),
)


class Carrier(TorchFunctionMode):
    """Gives what functions give: shared random numbers; in float64 no way back to float32.

    Args:
        masks: the random numbers of the run.
        float64: whether the model runs in float64.
        shake: moves what a user's code holds in float32 by one unit in the last place, where it is set: a seed.
    """

    def __init__(self, masks: Masks, float64: bool, shake: int | None = None):
        super().__init__()
        self.masks, self.float64, self.shake = masks, float64, shake
        self.inner: dict[str, Callable] = {  # what other functions of torch's own call, where no mode sees it
            "dropout": self.dropout,
            **dict.fromkeys(FEATURES, self.feature_dropout),
            "scaled_dot_product_attention": self.attention,
        }
        self.functions: dict[str, Callable] = {
            **self.inner,
            "batch_norm": self.batch_norm,
            "layer_norm": self.layer_norm,
            "group_norm": self.group_norm,
            "hardsigmoid": self.hard_sigmoid,
        }
        self.own = {name: getattr(functional, name) for name in self.functions}

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: Any = None) -> Any:
        kwargs, name = kwargs or {}, getattr(func, "__name__", "")
        if name in self.functions:
            return self.functions[name](*args, **kwargs)
        if self.float64:
            args = tuple(torch.float64 if a is torch.float32 else a for a in args)
            kwargs = {k: torch.float64 if v is torch.float32 else v for k, v in kwargs.items()}
            if name == "float":
                return args[0].double()
            if not name.endswith("_"):
                args = tuple(self.wide(a) for a in args)
                kwargs = {k: self.wide(v) for k, v in kwargs.items()}
        made = func(*args, **kwargs)
        return self.random(name, made, args, kwargs) if name in UNIFORM + NORMAL + COINS else made

    def dropout(self, input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        """The array with units dropped that the other side drops too."""
        return self.dropped(input, p, training, tuple(input.shape))

    def feature_dropout(self, input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        """The same by channel."""
        return self.dropped(input, p, training, (*input.shape[:2], *[1] * (input.dim() - 2)))

    def dropped(self, array: Any, p: float, training: bool, shape: tuple) -> Any:
        """The array times a mask of the shape."""
        if not training or p == 0:
            return array
        mask = self.masks.draw(array.detach().cpu().numpy(), shape, p)
        return array * torch.as_tensor(mask, dtype=array.dtype, device=array.device)

    def attention(
        self, query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False,
        scale: Any = None, enable_gqa: bool = False,
    ) -> Any:  # fmt: skip
        """softmax(Q K^T / sqrt(d) + mask) V, its weights dropped as the other side's are."""
        if dropout_p == 0:
            more = {"enable_gqa": True} if enable_gqa else {}
            return self.own["scaled_dot_product_attention"](
                query, key, value, attn_mask, 0.0, is_causal, scale=scale, **more
            )
        if enable_gqa:
            key, value = (a.repeat_interleave(query.shape[-3] // a.shape[-3], -3) for a in (key, value))
        scores = query @ key.transpose(-2, -1) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
        if is_causal:
            attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=query.device).tril()
        if attn_mask is not None:
            masked = attn_mask.dtype is torch.bool
            scores = scores.masked_fill(~attn_mask, -torch.inf) if masked else scores + attn_mask
        weights = scores.softmax(-1)
        return self.dropped(weights, dropout_p, True, tuple(weights.shape)) @ value

    def batch_norm(
        self, input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None,
        training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
    ) -> Any:  # fmt: skip
        """Into the running variance goes sum (x - mean)^2 / n, as in MXNet (src/operator/nn/batch_norm.cc)."""
        old = running_var.clone() if training and running_var is not None else None
        made = self.own["batch_norm"](input, running_mean, running_var, weight, bias, training, momentum, eps)
        if old is not None:
            count = input.numel() // input.shape[1]
            kept, moved = (1 - momentum) * old, running_var.data  # as data: backward does not look at it in this mode
            moved.copy_(kept + (moved - kept) * (count - 1) / count)
            self.masks.note(VARIANCE)
        return made

    def layer_norm(self, input: Any, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
        """With epsilon as MXNet's operator holds it: a C float (src/operator/nn/layer_norm-inl.h)."""
        return self.own["layer_norm"](input, shape, weight, bias, as_float(eps))

    def group_norm(self, input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
        """The same (src/operator/nn/group_norm-inl.h)."""
        return self.own["group_norm"](input, num_groups, weight, bias, as_float(eps))

    def wide(self, value: Any) -> Any:
        """A float32 tensor that a user's code holds beside the model's arrays, and lists of such, in float64."""
        if isinstance(value, torch.Tensor):
            if value.dtype is not torch.float32 or value.requires_grad:
                return value
            array = widened(value.detach().cpu().numpy())
            return torch.as_tensor(array if self.shake is None else moved(array, self.shake), device=value.device)
        return type(value)(self.wide(item) for item in value) if type(value) in (tuple, list) else value

    def hard_sigmoid(self, input: Any, inplace: bool = False) -> Any:
        """With a gradient of 1/6, which torch holds as a C float (aten/src/ATen/native/cpu/Activation.cpp)."""
        if not self.float64:
            return self.own["hardsigmoid"](input, inplace)
        self.masks.note(HARD_SIGMOID)
        made = (input / 6 + 0.5).clamp(0, 1)
        return input.copy_(made) if inplace else made

    def random(self, name: str, made: Any, args: tuple, kwargs: dict) -> Any:
        """Random numbers in the place of torch's own."""
        if not made.is_floating_point():
            return made
        numbers = self.masks.random("normal" if name in NORMAL else "uniform", tuple(made.shape))
        numbers = torch.as_tensor(numbers, dtype=made.dtype, device=made.device)
        values = [*args[1:], *kwargs.values()]
        if name in COINS:
            chance = args[0] if name == "bernoulli" and len(args) == 1 else (values[0] if values else 0.5)
            numbers = (numbers < chance).to(made.dtype)
        elif name.endswith("_"):
            low, high = (values + [0.0, 1.0][len(values) :])[:2]
            numbers = low + (high - low) * numbers if name == "uniform_" else low + high * numbers
        if name.endswith("_"):
            made.detach().copy_(numbers)  # torch's own has ended what gradients there were
            return made
        return numbers.requires_grad_(made.requires_grad)


def as_float(value: float) -> float:
    """A number as a C float holds it."""
    return torch.tensor(value, dtype=torch.float32).item()


@contextlib.contextmanager
def carried_out(carrier: Carrier) -> Iterator[None]:
    """Within it the carrier gives what functions give, and plain numbers make arrays of the dtype under test."""
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64 if carrier.float64 else torch.float32)
    try:
        with swapped((functional,), carrier.inner), swapped((torch,), {"dropout": carrier.dropout}), carrier:
            yield
    finally:
        torch.set_default_dtype(default)


@contextlib.contextmanager
def swapped(modules: tuple, replaced: dict) -> Iterator[None]:
    """Within it the modules' attributes are those of `replaced`."""
    kept = [(module, name, getattr(module, name)) for module in modules for name in replaced if hasattr(module, name)]
    try:
        for module, name, _ in kept:
            setattr(module, name, replaced[name])
        yield
    finally:
        for module, name, value in kept:
            setattr(module, name, value)

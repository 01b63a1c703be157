"""The rules by which faults are made: of a module of the torch side, and of its source."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import nn

ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.GELU, nn.Hardswish, nn.Hardsigmoid, nn.Sigmoid, nn.Tanh, nn.SiLU, nn.LeakyReLU)
NORMS = (nn.BatchNorm2d, nn.LayerNorm)
POOLS = {nn.MaxPool2d: nn.AvgPool2d, nn.AvgPool2d: nn.MaxPool2d}
ADAPTIVE = {nn.AdaptiveAvgPool2d: nn.AdaptiveMaxPool2d}
SKIPS = re.compile(r"(shortcut|downsample|skips?|identity)(\.\d+)?$")
ACTIVATION = ("activation", "slope", "clip", "gelu")


def another(path: str, module: Any, _: dict) -> Any:
    """Another activation."""
    if not isinstance(module, ACTIVATIONS):
        return None
    return nn.LeakyReLU(0.1) if isinstance(module, nn.Tanh) else nn.Tanh()


def left_out(path: str, module: Any, _: dict) -> Any:
    """No activation."""
    return nn.Identity() if isinstance(module, ACTIVATIONS) else None


def dilated(path: str, module: Any, _: dict) -> Any:
    """A dilation, and the border that keeps the shape."""
    if not isinstance(module, nn.Conv2d) or max(module.kernel_size) < 3 or isinstance(module.padding, str):
        return None
    extra = [(size - 1) // 2 * step for size, step in zip(module.kernel_size, module.dilation)]
    module.dilation = tuple(2 * step for step in module.dilation)
    module.padding = tuple(border + more for border, more in zip(module.padding, extra))
    return module


def set_to(kinds: Any, name: str, value: Any) -> Any:
    """A rule that sets an attribute of modules of some kinds."""

    def changed(path: str, module: Any, _: dict) -> Any:
        if not isinstance(module, kinds) or not getattr(module, name):
            return None
        setattr(module, name, value(getattr(module, name)))
        return module

    return changed


def pooled(path: str, module: Any, _: dict) -> Any:
    """The mean of windows for their maximum, or the other way round."""
    if type(module) in ADAPTIVE:
        return ADAPTIVE[type(module)](module.output_size)
    if type(module) not in POOLS:
        return None
    return POOLS[type(module)](module.kernel_size, module.stride, module.padding, ceil_mode=module.ceil_mode)


def hooked(chosen: Any, function: Any) -> Any:
    """A rule that changes what modules give."""

    def changed(path: str, module: Any, modules: dict) -> Any:
        if not chosen(path, module, modules):
            return None
        module.register_forward_hook(lambda own, _, output: function(own, output))
        return module

    return changed


def has_bias(path: str, module: Any, _: dict) -> bool:
    """Whether it is a linear layer or a convolution with a bias, which is called as a module."""
    called = isinstance(module, (nn.Conv2d, nn.Linear)) and "out_proj" not in path
    return called and module.bias is not None


def before_the_end(path: str, module: Any, modules: dict) -> bool:
    """The same, but for the last one, behind which there is nothing that learns."""
    return has_bias(path, module, modules) and any(
        has_bias(other, modules[other], modules) for other in list(modules)[list(modules).index(path) + 1 :]
    )


def without_bias(module: Any, output: torch.Tensor) -> torch.Tensor:
    """The output without the bias."""
    return output - (module.bias[:, None, None] if isinstance(module, nn.Conv2d) else module.bias)


def another_layer(path: str, module: Any, modules: dict) -> Any:
    """What another layer with arrays of the same shapes computes."""
    if not isinstance(module, (nn.Conv2d, nn.Linear)) or "out_proj" in path:
        return None
    for other, candidate in modules.items():
        if other != path and type(candidate) is type(module) and repr(candidate) == repr(module):
            module.forward = candidate.forward
            return module
    return None


# name: (causes of which one is to be named, rule, whether an output of inference shows it)
MODULES = {
    "another activation": (ACTIVATION, another, True),
    "no activation": (ACTIVATION, left_out, True),
    "dilation": (("dilation", "padding"), dilated, True),
    "epsilon": (("epsilon",), set_to(NORMS, "eps", lambda old: 100 * old), True),
    "momentum of a norm": (("momentum",), set_to(nn.BatchNorm2d, "momentum", lambda old: 0.3), False),
    "dropout rate": (("dropout rate",), set_to(nn.Dropout, "p", lambda old: old / 2 + 0.2), False),
    "dropout of a recurrent layer": (("dropout rate",), set_to(nn.RNNBase, "dropout", lambda old: 0.4), False),
    "pooling": ((), pooled, True),
    "a shortcut is zero": ((), hooked(lambda path, *_: SKIPS.search(path), lambda _, y: 0 * y), True),
    "no bias": (("missing bias",), hooked(has_bias, without_bias), True),
    "no gradient": ((), hooked(before_the_end, lambda _, y: y.detach()), False),
    "another layer's arrays": ((), another_layer, True),
    "heads": ((), set_to(nn.MultiheadAttention, "num_heads", lambda old: 1), True),
}

# name: (function, causes, pattern, what stands in its place)
TEXTS = {
    "softmax axis": ("torch_model", (), r"softmax\((dim=)?-1\)", "softmax(-2)"),
    "attention scale": ("torch_model", ("scale",), r" / \(UNITS // HEADS\) \*\* 0\.5", ""),
    "another activation in code": ("torch_model", ACTIVATION, r"F\.relu\(", "F.silu("),
    "no activation in code": ("torch_model", ACTIVATION, r"(F\.relu|torch\.tanh)\(", "(lambda x, **_: x)("),
    "no residual": ("torch_model", (), r"\b(x \+ (?=self)|out \+= x .*)", ""),
    "no residual afterwards": ("torch_model", (), r"(return out) \+ self\.\w+\(x\)", r"\1"),
    "weight decay": ("torch_optimizer", ("weight decay",), r"weight_decay=[\d.e-]+", "weight_decay=0.03"),
    "learning rate": ("torch_optimizer", ("learning rate",), r"\blr=[\d.e-]+", "lr=0.03"),
    "momentum of steps": ("torch_optimizer", ("momentum",), r"momentum=0\.9", "momentum=0.8"),
    "no Nesterov": ("torch_optimizer", ("optimizer kind", "nesterov"), r", nesterov=True", ""),
    "betas": ("torch_optimizer", ("betas",), r", betas=\(.*?\)", ", betas=(0.8, 0.95)"),
    "label smoothing": ("torch_loss", ("label smoothing",), r"(cross_entropy\([^()]*)\)", r"\1, label_smoothing=0.2)"),
    "summed loss": (
        "torch_loss",
        ("loss reduction", "loss factor"),
        r"(cross_entropy\([^()=]*)\)",
        r'\1, reduction="sum")',
    ),
    "no clipping": ("torch_clip", ("clip threshold", "clipping"), r"torch\.nn\.utils\..*", "pass"),
}

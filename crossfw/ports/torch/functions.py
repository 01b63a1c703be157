"""Which of torch's functions are watched in a user's code, and the names of their parameters."""

from __future__ import annotations

from typing import Any

PARAMETERS = {
    "softmax": ("input", "dim"),
    "log_softmax": ("input", "dim"),
    "leaky_relu": ("input", "negative_slope"),
    "elu": ("input", "alpha"),
    "gelu": ("input", "approximate"),
    "max_pool": ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode"),
    "avg_pool": ("input", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"),
    "conv": ("input", "weight", "bias", "stride", "padding", "dilation", "groups"),
    "conv_transpose": ("input", "weight", "bias", "stride", "padding", "output_padding", "groups", "dilation"),
    "batch_norm": ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps"),
    "instance_norm": ("input", "running_mean", "running_var", "weight", "bias", "use_input_stats", "momentum", "eps"),
    "layer_norm": ("input", "normalized_shape", "weight", "bias", "eps"),
    "group_norm": ("input", "num_groups", "weight", "bias", "eps"),
    "dropout": ("input", "p", "training"),
    "pad": ("input", "pad", "mode", "value"),
    "interpolate": ("input", "size", "scale_factor", "mode", "align_corners"),
    "mean": ("input", "dim", "keepdim"),
    "sum": ("input", "dim", "keepdim"),
    "var": ("input", "dim"),
    "lerp_": ("input", "end", "weight"),
    "cross_entropy": (
        "input",
        "target",
        "weight",
        "size_average",
        "ignore_index",
        "reduce",
        "reduction",
        "label_smoothing",
    ),
    "nll_loss": ("input", "target", "weight", "size_average", "ignore_index", "reduce", "reduction"),
    "mse_loss": ("input", "target", "size_average", "reduce", "reduction"),
    "l1_loss": ("input", "target", "size_average", "reduce", "reduction"),
    "smooth_l1_loss": ("input", "target", "size_average", "reduce", "reduction", "beta"),
    "huber_loss": ("input", "target", "reduction", "delta"),
    "kl_div": ("input", "target", "size_average", "reduce", "reduction", "log_target"),
    "binary_cross_entropy": ("input", "target", "weight", "size_average", "reduce", "reduction"),
    "binary_cross_entropy_with_logits": (
        "input",
        "target",
        "weight",
        "size_average",
        "reduce",
        "reduction",
        "pos_weight",
    ),
    "ctc_loss": ("log_probs", "targets", "input_lengths", "target_lengths", "blank", "reduction", "zero_infinity"),
    "triplet_margin_loss": (
        "anchor",
        "positive",
        "negative",
        "margin",
        "p",
        "eps",
        "swap",
        "size_average",
        "reduce",
        "reduction",
    ),
    "scaled_dot_product_attention": ("query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale"),
}
PLAIN = {
    "relu",
    "relu_",
    "tanh",
    "sigmoid",
    "softplus",
    "softsign",
    "silu",
    "selu",
    "relu6",
    "hardsigmoid",
    "mish",
    "logsigmoid",
    "hardtanh",
    "matmul",
    "mm",
    "bmm",
    "linear",
    "addmm",
    "dot",
    "einsum",
    "mul",
    "add",
    "sub",
    "rsub",
    "div",
    "true_divide",
    "pow",
    "sqrt",
    "rsqrt",
    "clamp",
    "clamp_min",
    "hardswish",
    "flip",
    "stack",
    "cat",
    "flatten",
    "reshape",
    "view",
    "permute",
    "transpose",
    "swapaxes",
    "unflatten",
    "chunk",
    "split",
    "detach",
    "detach_",
    "_set_grad_enabled",
    "mul_",
    "add_",
    "div_",
    "sub_",
    "__rsub__",
    "__rdiv__",
    "__rpow__",
    "adaptive_avg_pool2d",
    "adaptive_max_pool2d",
    "amax",
    "max",
    "exp",
    "log",
    "square",
    "norm",
    "abs",
}


def family(name: str) -> str:
    """A function's name without the number of dimensions: `max_pool` of `max_pool2d`."""
    return name[:-2] if name[-2:] in ("1d", "2d", "3d") else name


def is_plain(value: Any) -> bool:
    """Whether a value can travel."""
    if isinstance(value, (tuple, list)):
        return all(is_plain(item) for item in value)
    return value is None or isinstance(value, (bool, int, float, str))


def given(name: str, args: tuple, kwargs: dict, values: dict) -> tuple[tuple, dict]:
    """Arguments with other values for some parameters."""
    names = PARAMETERS.get(family(name), ())
    args, kwargs = list(args), dict(kwargs)
    for key, value in values.items():
        if key not in kwargs and key in names and names.index(key) < len(args):
            args[names.index(key)] = value
        else:
            kwargs[key] = value
    return tuple(args), kwargs

"""Units of a torch module: a rule for each kind of layer; what no rule knows is `raw`."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.nn.modules import batchnorm, conv, instancenorm
from torch.nn.modules import rnn as recurrent

from crossfw.matching.units import Slot, Unit
from crossfw.ports.naming import ArrayNames, units_in

CELLS = {"RNN": "rnn", "GRU": "gru", "LSTM": "lstm"}


def walk(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """(dotted path, module) of the whole tree, parents first; a shared one under each of its paths."""
    return list(model.named_modules(remove_duplicate=False))


class Names(ArrayNames):
    """The names of a module's parameters and buffers."""

    def __init__(self, model: nn.Module):
        super().__init__(walk(model), travelling, lambda array: array.requires_grad)

    @staticmethod
    def constant(array: Any) -> bool:
        """Whether an array is a buffer."""
        return not isinstance(array, nn.Parameter)


def travelling(module: nn.Module) -> list[tuple[str, Any]]:
    """A module's own parameters and buffers, but for what counts batches, and complex tables: MXNet has none."""
    arrays = [(name, p) for name, p in module._parameters.items() if p is not None]
    buffers = [(name, b) for name, b in module._buffers.items() if b is not None and name != "num_batches_tracked"]
    return arrays + [(name, b) for name, b in buffers if not b.is_complex()]


def units_of(model: nn.Module, order: dict[str, int]) -> list[Unit]:
    """All units in the order of the tree; `order` says when a module was first run, by path."""
    return units_in(walk(model), travelling, _parts, Names(model), order)


def _parts(module: nn.Module, names: Names) -> list[tuple[str, str, list[Slot], dict]]:
    """(suffix of the path, kind, slots, settings) of every unit in one module."""
    if isinstance(module, nn.RNNBase):
        return _recurrent_layers(module, names)
    if isinstance(module, recurrent.RNNCellBase):
        return [("", CELLS[type(module).__name__.replace("Cell", "")], _cell_slots(module, names, ""), {})]
    if isinstance(module, nn.MultiheadAttention) and module.in_proj_weight is not None:
        return _attention(module, names)
    kind = next((kind for types, kind in KINDS if isinstance(module, types)), "raw")
    roles = ROLES.get(kind, {})
    groups = module.num_groups if isinstance(module, nn.GroupNorm) else None
    slots, more = [], []
    for name, array in travelling(module):
        if kind != "raw" and name not in OWN:
            more.append((name, "raw", [names.slot(name, array)], {}))
        elif groups is None:
            slots.append(names.slot(roles.get(name, name), array))
        else:
            slots.append(names.slot(roles[name], array, (groups,), repeat=len(array) // groups))
    return [("", kind, slots, settings_of(module))] * bool(slots) + more


KINDS = (
    (nn.Linear, "dense"),
    (conv._ConvTransposeNd, "conv_transpose"),
    (conv._ConvNd, "conv"),
    (batchnorm._BatchNorm, "batch_norm"),
    (instancenorm._InstanceNorm, "instance_norm"),
    (nn.LayerNorm, "layer_norm"),
    (nn.GroupNorm, "group_norm"),
    (nn.Embedding, "embedding"),
    (nn.PReLU, "prelu"),
)
OWN = ("weight", "bias", "running_mean", "running_var")  # of library layers; more a class derived from one adds
_SCALE = {"weight": "gamma", "bias": "beta"}
ROLES = {
    "batch_norm": _SCALE,
    "instance_norm": _SCALE,
    "layer_norm": _SCALE,
    "group_norm": _SCALE,
    "prelu": {"weight": "alpha"},
}
SETTINGS = ("eps", "momentum", "stride", "padding", "dilation", "groups", "output_padding", "num_groups", "dropout",
            "kernel_size", "ceil_mode", "count_include_pad", "negative_slope", "alpha", "approximate", "p",
            "batch_first", "nonlinearity", "padding_idx", "normalized_shape", "start_dim")  # fmt: skip


def settings_of(module: nn.Module) -> dict[str, Any]:
    """What a library layer was made with, as plain values."""
    found = {name: getattr(module, name) for name in SETTINGS if name in vars(module)}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in found.items() if not hasattr(v, "shape")}


def _cell_slots(module: nn.Module, names: Names, suffix: str) -> list[Slot]:
    roles = {"W_ih": "weight_ih", "W_hh": "weight_hh", "b_ih": "bias_ih", "b_hh": "bias_hh", "W_hr": "weight_hr"}
    arrays = {role: getattr(module, own + suffix, None) for role, own in roles.items()}
    return [names.slot(role, array) for role, array in arrays.items() if array is not None]


def _recurrent_layers(module: nn.RNNBase, names: Names) -> list:
    kind = CELLS[type(module).__name__ if type(module).__name__ in CELLS else module.mode.split("_")[0]]
    parts = []
    for layer in range(module.num_layers):
        for end in ("", "_reverse") if module.bidirectional else ("",):
            suffix = f"_l{layer}{end}"
            parts.append((suffix[1:], kind, _cell_slots(module, names, suffix), settings_of(module)))
    return parts


def _attention(module: nn.MultiheadAttention, names: Names) -> list:
    size, width = module.embed_dim, module.in_proj_weight.shape[1]
    parts = []
    for i, name in enumerate(("query", "key", "value")):
        slots = [names.slot("weight", module.in_proj_weight, (size, width), offset=i * size * width)]
        if module.in_proj_bias is not None:
            slots.append(names.slot("bias", module.in_proj_bias, (size,), offset=i * size))
        parts.append((name, "dense", slots, {}))
    rest = [(n, a) for n, a in travelling(module) if n not in ("in_proj_weight", "in_proj_bias")]
    if rest:
        parts.append(("", "raw", [names.slot(n, a) for n, a in rest], {}))
    return parts

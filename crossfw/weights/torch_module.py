"""The layers of a torch module, described in the process that can build it: `python -c BOOTSTRAP` of `torch_side`."""

from __future__ import annotations

import importlib.util
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from crossfw.backends.frames import read_frame, write_frame
from crossfw.weights.units import Slot, Unit

RECURRENT = {"weight_ih": "W_ih", "weight_hh": "W_hh", "weight_hr": "W_hr", "bias_ih": "b_ih", "bias_hh": "b_hh"}
NORM = {"weight": "gamma", "bias": "beta", "running_mean": "running_mean", "running_var": "running_var"}
PLAIN = {"weight": "weight", "bias": "bias"}


def describe_torch(module: Any) -> list[Unit]:
    """Every parametrised layer in tree order; tied arrays have one name, the first.

    Args:
        module: a torch.nn.Module.
    """
    state = module.state_dict(keep_vars=True)
    first = first_names(state)
    units = []
    for path, layer in module.named_modules():
        prefix = f"{path}." if path else ""
        own = {
            name: first[prefix + name]
            for name in (*layer._parameters, *layer._buffers)
            if prefix + name in state and (name in layer._parameters or name in NORM)
        }
        if own:
            shapes = {name: tuple(state[prefix + name].shape) for name in own}
            units += _units(path, layer, own, shapes)
    return units


def first_names(state: dict[str, Any]) -> dict[str, str]:
    """Name -> the first name of the same tensor."""
    names: dict[int, str] = {}
    return {name: names.setdefault(id(tensor), name) for name, tensor in state.items()}


def _units(path: str, layer: Any, own: dict[str, str], shapes: dict[str, tuple]) -> list[Unit]:
    from torch import nn

    def unit(kind: str, roles: dict[str, str], tail: str = "", **changes: Any) -> Unit:
        slots = [
            Slot(role, own[name], changes.get("shape", shapes[name]), repeat=changes.get("repeat", 1))
            for name, role in roles.items()
            if name in own
        ]
        return Unit(f"{path}.{tail}".strip("."), kind, tuple(slots), layer=path)

    if isinstance(layer, nn.RNNBase):
        kind = {"RNN_TANH": "rnn", "RNN_RELU": "rnn"}.get(layer.mode, layer.mode.lower())
        ends = [f"l{k}{way}" for k in range(layer.num_layers) for way in ("", "_reverse")[: 1 + layer.bidirectional]]
        return [unit(kind, {f"{name}_{end}": role for name, role in RECURRENT.items()}, end) for end in ends]
    if isinstance(layer, nn.RNNCellBase):
        kind = {nn.LSTMCell: "lstm", nn.GRUCell: "gru"}.get(type(layer), "rnn")
        return [unit(kind, RECURRENT)]
    if isinstance(layer, nn.GroupNorm):
        groups = layer.num_groups
        return [unit("group_norm", NORM, shape=(groups,), repeat=layer.num_channels // groups)]
    norms = ((nn.modules.instancenorm._InstanceNorm, "instance_norm"), (nn.modules.batchnorm._BatchNorm, "batch_norm"))
    for base, kind in (*norms, (nn.LayerNorm, "layer_norm")):
        if isinstance(layer, base):
            return [unit(kind, NORM)]
    if isinstance(layer, nn.PReLU):
        return [unit("prelu", {"weight": "alpha"})]
    if isinstance(layer, nn.MultiheadAttention) and "in_proj_weight" in own:
        return _attention(path, own, shapes)
    plain = ((nn.Linear, "dense"), (nn.Embedding, "embedding"), (nn.modules.conv._ConvTransposeNd, "conv_transpose"))
    for base, kind in (*plain, (nn.modules.conv._ConvNd, "conv")):
        if isinstance(layer, base):
            return [unit(kind, PLAIN)]
    return [unit("raw", {name: name for name in own if name in layer._parameters})]


def _attention(path: str, own: dict[str, str], shapes: dict[str, tuple]) -> list[Unit]:
    """The three dense layers that stand in one array, and arrays beside them."""
    size, units = shapes["in_proj_weight"][1], []
    for index, name in enumerate(("q_proj", "k_proj", "v_proj")):
        slots = [Slot("weight", own["in_proj_weight"], (size, size), index * size * size)]
        if "in_proj_bias" in own:
            slots.append(Slot("bias", own["in_proj_bias"], (size,), index * size))
        units.append(Unit(f"{path}.{name}".strip("."), "dense", tuple(slots), layer=path))
    rest = [name for name in own if not name.startswith("in_proj")]
    return units + [Unit(f"{path}.{n}".strip("."), "raw", (Slot(n, own[n], shapes[n]),), layer=path) for n in rest]


def describe(file: str, function: str, names: list[str]) -> dict[str, Any]:
    """What `torch_side` asks for.

    Args:
        file, function: what returns the module.
        names: of the arrays in the `.params` file, for a `rename` that is a function.
    """
    sys.path.insert(0, str(Path(file).resolve().parent))
    spec = importlib.util.spec_from_file_location("crossfw_user_module", file)
    user = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(user)
    if not callable(getattr(user, function, None)):
        return {"functions": sorted(name for name, value in vars(user).items() if callable(value))}
    module = getattr(user, function)()
    if not hasattr(module, "state_dict"):
        return {"returned": type(module).__name__}
    units = describe_torch(module)
    state = module.state_dict(keep_vars=True)
    covered = {slot.name for unit in units for slot in unit.slots}
    first = first_names(state)
    rename = getattr(user, "rename", None)
    if callable(rename):
        told = {name: rename(name) for name in names}
        rename = {name: other for name, other in told.items() if other is not None}
    return {
        "units": [unit.to_json() for unit in units],
        "shapes": {name: list(tensor.shape) for name, tensor in state.items()},
        "first": first,
        "initial": {name: _array(state[name]) for name in state if first[name] not in covered},
        "rename": rename,
    }


def _array(tensor: Any) -> np.ndarray:
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.dtype.is_floating_point and tensor.element_size() < 4 else tensor).numpy()


def main() -> None:
    """Answer the one call that standard input has."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the user's file prints is no answer
    call = read_frame(sys.stdin.buffer)
    try:
        reply = {"result": describe(**call)}
    except Exception as error:
        reply = {"error": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}
    write_frame(answers, reply)

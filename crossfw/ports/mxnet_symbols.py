"""Units of a SymbolBlock: read from the graph, because there is no tree of layers to ask."""

from __future__ import annotations

import json
from typing import Any

from crossfw.weights.units import Slot

ROLES = {
    "FullyConnected": ("dense", ("weight", "bias")),
    "Convolution": ("conv", ("weight", "bias")),
    "Deconvolution": ("conv_transpose", ("weight", "bias")),
    "BatchNorm": ("batch_norm", ("gamma", "beta", "running_mean", "running_var")),
    "LayerNorm": ("layer_norm", ("gamma", "beta")),
    "GroupNorm": ("group_norm", ("gamma", "beta")),
    "InstanceNorm": ("instance_norm", ("gamma", "beta")),
    "Embedding": ("embedding", ("weight",)),
    "LeakyReLU": ("prelu", ("alpha",)),
}
DEFAULT_EPS = 1e-3  # of the operator BatchNorm


def symbol_units(block: Any, names: Any) -> list[tuple[str, str, list[Slot], dict]]:
    """(name of the node, kind, slots, settings) of every operator that takes parameters, in the order of the graph."""
    graph = json.loads(block(*block_inputs(block)).tojson())["nodes"]
    parameters, used, parts = dict(block.params.items()), set(), []
    for node in graph:
        taken = [graph[entry[0]]["name"] for entry in node["inputs"]]
        own = [name for name in taken if name in parameters]
        if not own:
            continue
        settings = settings_of_node(node)
        kind, roles = ROLES.get(node["op"], ("raw", ()))
        slots = []
        for position, name in enumerate(taken[1:] if kind != "raw" else taken):
            if name in parameters:
                used.add(name)
                role = roles[position] if position < len(roles) else name
                fixed = role == "gamma" and node["op"] == "BatchNorm" and settings.get("fix_gamma", True) is not False
                slot = names.slot(role, parameters[name])
                slots.append(Slot(slot.role, slot.name, slot.shape, learns=slot.learns and not fixed))
        parts.append((node["name"], kind, slots, settings))
    left = [names.slot(name, p) for name, p in parameters.items() if name not in used]
    return parts + ([("", "raw", left, {})] if left else [])


def settings_of_node(node: dict) -> dict[str, Any]:
    """What an operator was made with, as plain values."""
    return {name: _plain(text) for name, text in (node.get("attrs") or node.get("param") or {}).items()}


def block_inputs(block: Any) -> list:
    """Symbols for the inputs of a SymbolBlock."""
    from mxnet import symbol

    return [symbol.var(name) for name in _input_names(block)]


def _input_names(block: Any) -> list[str]:
    data = block._cached_graph[0] if block._cached_graph else ()
    return [one.name for one in data]


def _plain(text: str) -> Any:
    try:
        return json.loads(text.replace("(", "[").replace(")", "]").replace("True", "true").replace("False", "false"))
    except ValueError:
        return text

"""SymbolBlocks: their units, read from the graph as there is no tree of layers, and their run node by node."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Callable

import mxnet as mx
import numpy as np
from mxnet import gluon
from mxnet.gluon.block import _flatten, _regroup
from mxnet.gluon.parameter import DeferredInitializationError

from crossfw.checkpoints.names import units_from_names
from crossfw.matching.units import Slot
from crossfw.ports.mxnet.graph import (
    Graph,
    Node,
    Watcher,
    evaluate,
    graph_of,
    label_names,
    without_labels,
)

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
ROLES["_contrib_SyncBatchNorm"] = ROLES["BatchNorm_v1"] = ROLES["BatchNorm"]
RECURRENT = {"rnn_relu": ("rnn", 1), "rnn_tanh": ("rnn", 1), "gru": ("gru", 3), "lstm": ("lstm", 4)}
SETTINGS = {"BatchNorm": {"eps": 1e-3, "momentum": 0.9, "fix_gamma": True, "use_global_stats": False}}  # defaults
Part = tuple  # (name of the node, kind, slots, settings)


def block_graph(block: gluon.SymbolBlock) -> Graph:
    """The graph of a block, read once.

    Raises:
        CrossfwError: it cannot be run node by node.
    """
    if "crossfw_graph" not in vars(block):
        object.__setattr__(block, "crossfw_graph", graph_of(block._cached_graph[1]))
    return block.crossfw_graph


def symbol_units(block: gluon.SymbolBlock, names: Any) -> list[Part]:
    """Of every operator that takes parameters, in the order of the graph; what is left, by its names."""
    graph, parameters = block_graph(block), dict(block.params.items())
    used: set[str] = set()
    parts = []
    for node in graph.operators():
        taken = [graph.nodes[number].name for number, _ in node.inputs]
        found = _parts_of(node, taken, parameters, names)
        parts += found
        used |= {slot.name for *_, slots, _ in found for slot in slots}
    hidden = labels_of(block)
    free = {
        name: tuple(p.shape) for name, p in parameters.items() if name not in hidden and names.by_id[id(p)] not in used
    }
    for unit in units_from_names(free, ()):
        slots = [names.slot(slot.role, parameters[slot.name]) for slot in unit.slots]
        parts.append((unit.path, unit.kind, slots, {}))
    return parts


def _parts_of(node: Node, taken: list[str], parameters: dict, names: Any) -> list[Part]:
    """The units of one operator; none where it has no rule: its arrays are told by their names then."""
    settings = settings_of_node(node)
    if node.op == "RNN" and taken[1] in parameters:
        return fused_units(node, settings, names.slot("flat", parameters[taken[1]]))
    if node.op not in ROLES or not any(name in parameters for name in taken[1:]):
        return []
    kind, roles = ROLES[node.op]
    fixed = kind == "batch_norm" and settings["fix_gamma"] is not False
    slots = []
    for role, name in zip(roles, taken[1:]):
        if name in parameters:
            slot = names.slot(role, parameters[name])
            slots.append(Slot(role, slot.name, slot.shape, learns=slot.learns and not (fixed and role == "gamma")))
    return [(node.name, kind, slots, settings)]


def fused_units(node: Node, settings: dict, flat: Slot) -> list[Part]:
    """The layers and directions of a recurrent operator, whose flat array holds all weights, then all biases."""
    kind, gates = RECURRENT[settings["mode"]]
    hidden, layers = int(settings["state_size"]), int(settings["num_layers"])
    ends = ("", "_reverse") if settings.get("bidirectional") else ("",)
    rows, rest = gates * hidden, (layers - 1) * len(ends) * gates * hidden * hidden * (len(ends) + 1)
    size = int(np.prod(flat.shape, dtype=np.int64)) - 2 * layers * len(ends) * rows - rest
    width = size // (len(ends) * rows) - hidden
    slots: dict[str, list[Slot]] = {}
    at = 0
    for roles in (("W_ih", "W_hh"), ("b_ih", "b_hh")):
        for layer in range(layers):
            columns = {"W_ih": width if layer == 0 else hidden * len(ends), "W_hh": hidden}
            for end in ends:
                for role in roles:
                    shape = (rows, columns[role]) if role in columns else (rows,)
                    slots.setdefault(f"l{layer}{end}", []).append(
                        Slot(role, flat.name, shape, offset=at, learns=flat.learns)
                    )
                    at += int(np.prod(shape))
    told = {"dropout": settings.get("p", 0.0)}
    return [(f"{node.name}.{place}", kind, found, told) for place, found in slots.items()]


def settings_of_node(node: Node) -> dict[str, Any]:
    """What an operator was made with, as plain values; of BatchNorm also what was left to its defaults."""
    return {**SETTINGS.get(node.op, {}), **node.settings}


@contextlib.contextmanager
def run_by_node(
    blocks: list[gluon.SymbolBlock], watch: Callable[[gluon.SymbolBlock], Watcher | None]
) -> Iterator[None]:
    """Within it SymbolBlocks run node by node; `watch` gives who is told of a block's operators."""

    def runner(block: gluon.SymbolBlock) -> Callable:
        return lambda *arguments: _run(block, arguments, watch(block))

    for block in blocks:
        object.__setattr__(block, "_call_cached_op", runner(block))
    try:
        yield
    finally:
        for block in blocks:
            object.__delattr__(block, "_call_cached_op")


def labels_of(block: gluon.SymbolBlock) -> set[str]:
    """Names of the labels of loss operators, which Gluon takes for parameters where nobody gives them."""
    return label_names(block_graph(block)) & set(block.params.keys())


def _run(block: gluon.SymbolBlock, arguments: tuple, watch: Watcher | None) -> Any:
    given, _ = _flatten(arguments, "input")
    arrays = dict(zip((one.name for one in block._cached_graph[0]), given))
    try:
        arrays.update({name: parameter.data() for name, parameter in block.params.items()})
    except DeferredInitializationError:
        block._deferred_infer_shape(*arguments)
        for parameter in block.params.values():
            parameter._finish_deferred_init()
        arrays.update({name: parameter.data() for name, parameter in block.params.items()})
    for name in labels_of(block):
        arrays.pop(name, None)  # it has the size of one batch
    graph = without_labels(with_states(block, arrays), set(arrays))
    outputs = evaluate(graph, arrays, mx.util.is_np_array(), watch)
    return _regroup(outputs, block._out_format)


def with_states(block: gluon.SymbolBlock, arrays: dict) -> Graph:
    """The block's graph, first states of recurrent layers in the size of the batch: the graph leaves it open, as 0."""
    graph = block_graph(block)
    open_ones = {n.name for n in graph.operators() if not n.inputs and 0 in np.atleast_1d(n.settings.get("shape", 1))}
    if not open_ones or mx.util.is_np_shape():
        return graph
    inside = block._cached_graph[1].get_internals()
    given = {name: array.shape for name, array in arrays.items() if name in inside.list_arguments()}
    sizes = dict(zip(inside.list_outputs(), inside.infer_shape(**given)[1]))

    def sized(node: Node) -> Node:
        if node.name not in open_ones:
            return node
        return replace(node, attributes={**node.attributes, "shape": str(sizes[f"{node.name}_output"])})

    return Graph(tuple(sized(node) for node in graph.nodes), graph.heads)

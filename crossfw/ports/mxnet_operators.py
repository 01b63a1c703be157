"""What the operators of a SymbolBlock take and give: calls like those of layers, for a network that has no layers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from mxnet import autograd, gluon, nd, symbol

from crossfw.ports.mxnet_symbols import settings_of_node
from crossfw.ports.record import Call


@dataclass(frozen=True)
class Operator:
    """An operator of a graph, where a call has a layer."""

    settings: dict = field(default_factory=dict)


def operator_calls(block: gluon.SymbolBlock, path: str, inputs: tuple, outer: Call, number: int) -> list[Call]:
    """The calls of a block's operators on its inputs, in the order of the graph.

    The graph is run once more, with all that its operators give as outputs. Where it would draw other dropout masks
    than before there are no calls.

    Args:
        path, outer: of the block, and its own call.
        number: of the first of them among all calls.
    """
    variables, output = block._cached_graph
    graph = json.loads(output.tojson())["nodes"]
    if autograd.is_training() and any(node["op"] == "Dropout" for node in graph):
        return []
    values = _values(block, output, variables, inputs)
    calls: list[Call] = []
    for node in graph:
        if node["op"] != "null":
            index = len(calls)
            sources = [(graph[source]["name"], which) for source, which, *_ in node["inputs"]]
            taken = tuple(values[name][which] for name, which in sources if which < len(values.get(name, ())))
            where = f"{path}.{node['name']}" if path else node["name"]
            operator = Operator(settings_of_node(node))
            call = Call(where, node["op"], outer.start + 1 + index, outer.depth + 1, operator, taken)
            call.output, call.number = tuple(values[node["name"]]), number + index
            calls.append(call)
    return calls


def _values(block: gluon.SymbolBlock, output: symbol.Symbol, variables: list, inputs: tuple) -> dict:
    """Arrays by the name of who gives them: inputs of the block, and operators; those that are hidden are left out."""
    internals, known = output.get_internals(), set(output.list_inputs())
    given = [internals[i] for i in range(len(internals.list_outputs()))]
    given = [one for one in given if one.name not in known]
    everything = symbol.Group(given)
    values: dict = {variable.name: [array] for variable, array in zip(variables, inputs)}
    arguments = [values[name][0] if name in values else block.params[name].data() for name in everything.list_inputs()]
    found = nd.CachedOp(everything)(*arguments)
    found = [found] if isinstance(found, nd.NDArray) else found
    for one, array in zip(given, found):
        values.setdefault(one.name, []).append(array)
    return values

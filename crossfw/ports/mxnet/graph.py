"""A graph of MXNet, run node by node through the same operators that code without a graph calls."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Callable

from mxnet import symbol

from crossfw.errors import CrossfwError
from crossfw.ports.mxnet.invoke import as_plain, invoke_by_name

HEADS = {  # loss operators, and what they compute
    "SoftmaxOutput": "softmax",
    "LogisticRegressionOutput": "sigmoid",
    "LinearRegressionOutput": "_copy",
    "MAERegressionOutput": "_copy",
    "SVMOutput": "_copy",
}
Watcher = Callable[["Node", list, list], None]


@dataclass(frozen=True)
class Node:
    """An operator or a variable.

    Attributes:
        op: "null" for a variable. inputs: (number of the node, which of its outputs).
        attributes: texts, as MXNet takes them. marks: what Gluon keeps beside them (`__shape__`, `__init__`).
    """

    name: str
    op: str
    inputs: tuple[tuple[int, int], ...]
    attributes: dict[str, str]
    marks: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, Any]:
        """The attributes as plain values."""
        return {name: as_plain(text) for name, text in self.attributes.items()}


@dataclass(frozen=True)
class Graph:
    """Nodes in an order in which they can be run; heads: (node, which output) of the graph's own outputs."""

    nodes: tuple[Node, ...]
    heads: tuple[tuple[int, int], ...]

    def operators(self) -> Iterator[Node]:
        """All nodes that compute."""
        return (node for node in self.nodes if node.op != "null")


def graph_of(output: symbol.Symbol) -> Graph:
    """The graph of a symbol.

    Raises:
        CrossfwError: it has loops or branches, which hold graphs of their own.
    """
    plain = json.loads(output.tojson())
    if any(node.get("subgraphs") for node in plain["nodes"]):
        names = ", ".join(node["name"] for node in plain["nodes"] if node.get("subgraphs"))
        remedy = "write loops and branches in Python, in a block that is not hybridized"
        raise CrossfwError("the graph of the MXNet model", f"a loop or a branch in it ({names})", remedy)
    nodes = (_node(node) for node in plain["nodes"])
    return Graph(tuple(nodes), tuple((head[0], head[1]) for head in plain["heads"]))


def _node(plain: dict) -> Node:
    told = plain.get("attrs") or plain.get("attr") or plain.get("param") or {}
    marks = {name: text for name, text in told.items() if name.startswith("__")}
    own = {name: text for name, text in told.items() if name not in marks}
    return Node(plain["name"], plain["op"], tuple((entry[0], entry[1]) for entry in plain["inputs"]), own, marks)


def symbol_of(graph: Graph) -> symbol.Symbol:
    """The symbol of a graph."""
    nodes = [
        {
            "op": node.op,
            "name": node.name,
            "attrs": {**node.attributes, **node.marks},
            "inputs": [[*entry, 0] for entry in node.inputs],
        }
        for node in graph.nodes
    ]
    variables = [number for number, node in enumerate(graph.nodes) if node.op == "null"]
    heads = [[*head, 0] for head in graph.heads]
    return symbol.load_json(json.dumps({"nodes": nodes, "arg_nodes": variables, "heads": heads}))


def label_names(graph: Graph) -> set[str]:
    """Variables that go into loss operators as their labels, and into nothing else."""
    labels, others = set(), set()
    for node in graph.operators():
        names = [graph.nodes[number].name for number, _ in node.inputs if graph.nodes[number].op == "null"]
        first = 1 if node.op in HEADS else len(node.inputs)
        inputs = [graph.nodes[number].name for number, _ in node.inputs]
        others |= set(inputs[:first]) & set(names)
        labels |= set(inputs[first:]) & set(names)
    return labels - others


def without_labels(graph: Graph, given: set[str]) -> Graph:
    """The graph, in which a loss operator whose label nobody gives is the function that it computes.

    Its own gradient is that of a loss of the label; without one there is only what comes from behind it.

    Raises:
        CrossfwError: another variable has no numbers.
    """

    nodes: list[Node] = []
    now: list[int] = []  # where a node of the old graph stands
    for node in graph.nodes:
        node = replace(node, inputs=tuple((now[number], which) for number, which in node.inputs))
        labelled = node.op not in HEADS or nodes[node.inputs[-1][0]].name in given
        nodes += [node] if labelled else computed(node, len(nodes))
        now.append(len(nodes) - 1)
    made = Graph(tuple(nodes), tuple((now[number], which) for number, which in graph.heads))
    used = {number for node in made.nodes for number, _ in node.inputs}
    missing = [n.name for i, n in enumerate(made.nodes) if n.op == "null" and n.name not in given and i in used]
    if missing:
        remedy = "give them as inputs, or name a checkpoint that holds them"
        raise CrossfwError("the graph of the MXNet model", f"nobody gives its variables {', '.join(missing)}", remedy)
    return made


def computed(node: Node, begin: int) -> list[Node]:
    """What a loss operator computes, as nodes of which the first has the number `begin`.

    SoftmaxOutput is a softmax over all numbers of a sample unless it is told to keep the shape
    (src/operator/softmax_output-inl.h).
    """
    given, settings = node.inputs[0], node.settings
    if HEADS[node.op] != "softmax":
        return [Node(node.name, HEADS[node.op], (given,), {})]
    if settings.get("multi_output") or settings.get("preserve_shape"):
        return [Node(node.name, "softmax", (given,), {"axis": "1" if settings.get("multi_output") else "-1"})]
    flat = Node(f"{node.name}_flat", "Reshape", (given,), {"shape": "(0, -1)"})
    return [
        flat,
        Node(f"{node.name}_softmax", "softmax", ((begin, 0),), {"axis": "-1"}),
        Node(node.name, "reshape_like", ((begin + 1, 0), given), {}),
    ]


def symbol_without_labels(output: symbol.Symbol, given: Collection[str]) -> symbol.Symbol:
    """The same of a symbol, whose inputs are `given`."""
    graph = graph_of(output)
    labels = label_names(graph) - set(given)
    return symbol_of(without_labels(graph, {node.name for node in graph.nodes} - labels)) if labels else output


def evaluate(graph: Graph, arrays: dict[str, Any], numpy: bool, watch: Watcher | None = None) -> list:
    """The graph's outputs.

    Args:
        arrays: of all variables, by name. numpy: whether they are of NumPy's interface.
        watch: is told of every operator with its inputs and outputs.
    """
    values: list[list] = []
    for node in graph.nodes:
        if node.op == "null":
            values.append([arrays.get(node.name)])
            continue
        inputs = [values[number][which] for number, which in node.inputs]
        values.append(invoke_by_name(node.op, inputs, node.attributes, numpy))
        if watch is not None:
            watch(node, inputs, values[-1])
    return [values[number][which] for number, which in graph.heads]

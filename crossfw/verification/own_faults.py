"""MXNet's own faults, found by measuring MXNet against itself, and told as MXNet's."""

from __future__ import annotations

from crossfw.errors import CrossfwError
from crossfw.matching.units import Unit
from crossfw.verification.row import Cause, Row
from crossfw.verification.stages import Stages

APART = 1e-2  # of a graph and its operators one by one; exact forms of float32 constants stay far below
LOSSES = ("SoftmaxOutput", "LinearRegressionOutput", "LogisticRegressionOutput", "MAERegressionOutput", "SVMOutput")
TITLES = {
    "prelu": "PReLU",
    "batch_norm": "BatchNorm",
    "rnn": "RNN",
    "gru": "GRU",
    "lstm": "LSTM",
}


def check_graphs(stages: Stages) -> tuple[list[Row], list[Cause]]:
    """Rows and causes where MXNet's graphs do not do what their operators do one by one.

    A user trains the graph: if it is wrong, a right port learns otherwise than the model that it replaces.
    """
    draw = stages.draws[0]
    stages.reset()
    try:
        found = stages.pair.mxnet.call("graph_errors", **draw.arguments)
    except CrossfwError as error:
        stages.note(f"MXNet's graph itself could not be run for comparison: {error.args[1]}")
        return [], []
    rows, unsteady = [], found.get("unsteady", [])
    if unsteady:
        stages.note(
            f"MXNet's graph gives other numbers for {_listed(unsteady)} each time that it is run in {found['dtype']} "
            "(memory that nothing writes): MXNet's own fault, of which the port has none"
        )
    for stage, key in (("forward", "outputs"), ("gradients", "gradients")):
        for name, error in found.get(key, {}).items():
            if not error <= APART and name not in unsteady:
                note = "MXNet's graph against its own operators one by one"
                run = f"{draw}, MXNet against itself"
                rows.append(Row(stage, name, name, found["dtype"], run, error, APART, "different", note=note))
    return rows, [cause for cause in (_graph_cause(stages, rows),) if cause]


def _graph_cause(stages: Stages, rows: list[Row]) -> Cause | None:
    """The last of the layers in question: gradients come from the loss."""
    if not rows:
        return None
    wrong = {row.partner for row in rows}
    units = [unit for unit in stages.pair.units["mxnet"] if any(slot.name in wrong for slot in unit.slots)]
    if not units:
        what = "the outputs of MXNet's graph are not those of its operators one by one"
        return Cause("MXNet's own graph", "(model)", what, "run the model without hybridize() to get what it says")
    last = max(units, key=lambda unit: unit.order or 0)
    names = [slot.name for unit in units for slot in unit.slots if slot.name in wrong]
    found = (
        f"in a graph (hybridized, or a symbol) MXNet's own gradient of {_kind(last)} is wrong: of {_listed(names)} it "
        f"is not what the same operators give one by one, which torch agrees with"
    )
    remedy = "nothing in the port: torch's gradient is the right one, and MXNet's training moved these otherwise"
    return Cause("MXNet's own gradient", last.path or "(model)", found, remedy, 34 if last.kind == "prelu" else None)


def _kind(unit: Unit) -> str:
    return TITLES.get(unit.kind, unit.kind)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def gradient_causes(stages: Stages) -> list[Cause]:
    """Causes where an operator of MXNet has a gradient that is not the derivative of what it computes."""
    stages.reset()
    try:
        found = stages.pair.mxnet.call("gradient_faults", **stages.draws[0].arguments, training=stages.trains)
    except CrossfwError:
        return []
    worst: dict[str, float] = {}
    for fault in found:
        worst[fault["operator"]] = max(fault["error"], worst.get(fault["operator"], 0.0))
    return [_operator_cause(operator, error) for operator, error in worst.items()]


def _operator_cause(operator: str, error: float) -> Cause:
    if operator in LOSSES:
        what = f"{operator}'s backward ignores what comes from a loss behind it: it gives the gradient of its own loss"
        remedy = (
            "compare the network before it (symbol.get_internals()) with the loss on both sides, or let mxnet_loss be "
            "the sum of its output and torch_loss what it stands for"
        )
        return Cause(operator, operator, what, remedy, 35)
    if operator in ("BlockGrad", "make_loss", "MakeLoss"):
        return Cause(operator, operator, f"MXNet stops the gradient at {operator}", "detach() the same array in torch")
    what = f"MXNet's fault: its gradient of {operator} is not the derivative of what it computes (off by {error:.1e})"
    return Cause(
        "MXNet's own gradient", operator, what, "nothing in the port, if torch's gradient agrees with differences"
    )

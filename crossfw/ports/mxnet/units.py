"""Units of a Gluon block: a rule for each kind of layer; what no rule knows is `raw`."""

from __future__ import annotations

from typing import Any

from mxnet import gluon
from mxnet.gluon import nn, rnn
from mxnet.gluon.nn import basic_layers, conv_layers
from mxnet.gluon.rnn import rnn_layer

from crossfw.matching.units import Slot, Unit
from crossfw.ports.mxnet.symbols import labels_of, symbol_units
from crossfw.ports.naming import ArrayNames, units_in

CELLS = {"RNN": "rnn", "GRU": "gru", "LSTM": "lstm"}


def walk(block: gluon.Block, path: str = "") -> list[tuple[str, gluon.Block]]:
    """(dotted path, block) of the whole tree, parents first."""
    found = [(path, block)]
    for name, child in block._children.items():
        found += walk(child, f"{path}.{name}" if path else name)
    return found


class Names(ArrayNames):
    """The names of a block's parameters."""

    def __init__(self, model: gluon.Block):
        super().__init__(walk(model), travelling, lambda parameter: parameter.grad_req != "null")

    @staticmethod
    def constant(parameter: Any) -> bool:
        """Whether a parameter is one of Gluon's constants."""
        return isinstance(parameter, gluon.Constant)


def travelling(block: gluon.Block) -> list[tuple[str, Any]]:
    """A block's own parameters: those that stand as attributes, then those that it only asked for."""
    if isinstance(block, gluon.SymbolBlock):
        labels = labels_of(block)
        return [(name[len(block.params.prefix) :], p) for name, p in block.params.items() if name not in labels]
    own = list(block._reg_params.items())
    known = {id(parameter) for _, parameter in own}
    prefix = block.params.prefix
    for name, parameter in block._params.items():
        if id(parameter) not in known and not _belongs_below(block, parameter):
            own.append((name[len(prefix) :] if name.startswith(prefix) else name, parameter))
    return own


def _belongs_below(block: gluon.Block, parameter: Any) -> bool:
    return any(parameter is other for child in block._children.values() for other in child.collect_params().values())


def units_of(model: gluon.Block, order: dict[str, int]) -> list[Unit]:
    """All units in the order of the tree; `order` says when a block was first run, by path."""
    return units_in(walk(model), travelling, _parts, Names(model), order)


def _parts(block: gluon.Block, names: Names) -> list[tuple[str, str, list[Slot], dict]]:
    """(suffix of the path, kind, slots, settings) of every unit in one block."""
    if isinstance(block, gluon.SymbolBlock):
        return symbol_units(block, names)
    if isinstance(block, rnn_layer._RNNLayer):
        return _recurrent_layers(block, names)
    if isinstance(block, (rnn.RNNCell, rnn.LSTMCell, rnn.GRUCell)):
        return [("", CELLS[_library_class(block).replace("Cell", "")], _cell_slots(block, names, ""), {})]
    kind = next((kind for types, kind in KINDS if isinstance(block, types)), "raw")
    roles = ROLES.get(kind, {})
    slots = [names.slot(roles.get(name, name), parameter) for name, parameter in travelling(block)]
    return [("", kind, slots, settings_of(block))]


def _library_class(block: gluon.Block) -> str:
    """The name of the library's class that a block is, or is derived from."""
    return next(c.__name__ for c in type(block).__mro__ if c.__module__.startswith("mxnet.gluon"))


KINDS = (
    (nn.Dense, "dense"),
    ((nn.Conv1DTranspose, nn.Conv2DTranspose, nn.Conv3DTranspose), "conv_transpose"),
    (conv_layers._Conv, "conv"),
    (basic_layers._BatchNorm if hasattr(basic_layers, "_BatchNorm") else nn.BatchNorm, "batch_norm"),
    (nn.InstanceNorm, "instance_norm"),
    (nn.LayerNorm, "layer_norm"),
    (nn.GroupNorm, "group_norm"),
    (nn.Embedding, "embedding"),
    (nn.PReLU, "prelu"),
)
ROLES: dict = {}
SETTINGS = {
    "_epsilon": "eps", "_momentum": "momentum", "_num_groups": "num_groups", "_dropout": "dropout", "_rate": "p",
    "_alpha": "alpha", "_act_type": "activation", "_layout": "layout", "_mode": "mode", "_flatten": "flatten",
    "_units": "units",
}  # fmt: skip


def settings_of(block: gluon.Block) -> dict[str, Any]:
    """What a library layer was made with, as plain values."""
    found = {public: getattr(block, own) for own, public in SETTINGS.items() if own in vars(block)}
    found.update(getattr(block, "_kwargs", None) or {})
    return {k: list(v) if isinstance(v, tuple) else v for k, v in found.items() if isinstance(v, PLAIN)}


PLAIN = (bool, int, float, str, tuple, list, type(None))


def _cell_slots(block: gluon.Block, names: Names, prefix: str) -> list[Slot]:
    roles = {"W_ih": "i2h_weight", "W_hh": "h2h_weight", "b_ih": "i2h_bias", "b_hh": "h2h_bias", "W_hr": "h2r_weight"}
    own = dict(travelling(block))
    found = {role: own.get(prefix + name) for role, name in roles.items()}
    return [names.slot(role, parameter) for role, parameter in found.items() if parameter is not None]


def _recurrent_layers(block: rnn_layer._RNNLayer, names: Names) -> list:
    kind, parts = CELLS[_library_class(block)], []
    for layer in range(block._num_layers):
        for side, end in (("l", ""), ("r", "_reverse"))[: block._dir]:
            parts.append((f"l{layer}{end}", kind, _cell_slots(block, names, f"{side}{layer}_"), settings_of(block)))
    return parts
